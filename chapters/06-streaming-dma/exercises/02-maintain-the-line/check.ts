// SPDX-License-Identifier: MIT
//
// Calls the reader's two functions with a cache that notes each operation, and compares line by line with what the model of
// arm64, Linux 6.12, does.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createCpu, logCacheOps } from 'contiguous/arch/cpu'
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE, type DmaDirection } from 'contiguous/arch/dma_direction'
import { arch_sync_dma_for_cpu, arch_sync_dma_for_device } from 'contiguous/arch/dma_sync'
import { createRam } from 'contiguous/arch/ram'

const FILE = 'maintain.ts'
const LINE = 64
const BASE = 0x48000000
const PATIENCE = 10_000
const READ = { steps: 'What each step does', edges: 'Half a line' }
const BUFFERS: readonly (readonly [offset: number, size: number])[] = [
  [0, 256],
  [0x40, 64],
  [0x30, 0x80],
  [0x10, 0x20],
  [0x30, 0x20],
  [0, 100],
  [0x3f, 2],
]
const DIRECTIONS: readonly (readonly [string, DmaDirection])[] = [
  ['DMA_TO_DEVICE', DMA_TO_DEVICE],
  ['DMA_FROM_DEVICE', DMA_FROM_DEVICE],
  ['DMA_BIDIRECTIONAL', DMA_BIDIRECTIONAL],
]

type Step = 'forDevice' | 'forCpu'
type Maintain = (cache: object, pa: number, size: number, direction: number) => unknown
/** What is done to a line, by its first byte. */
type Done = Map<number, string>

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'typescript') throw new Error('expected a module')
  const shown: string[] = []
  for (const step of ['forDevice', 'forCpu'] as const) {
    const maintain = context.module[step]
    if (typeof maintain !== 'function')
      return { findings: [finding('ex-export-missing', `${step} is not an exported function`, [], READ.steps)] }
    for (const [name, direction] of DIRECTIONS) {
      for (const [offset, size] of BUFFERS) {
        const pa = BASE + offset
        const expected = model(step, pa, size, direction)
        const got = watch(maintain as Maintain, pa, size, direction)
        const wrong = compare(step, name, direction, pa, size, expected, got)
        if (wrong) return { findings: [wrong] }
        if (size === 0x80) shown.push(`${step}(0x${pa.toString(16)}, ${size}, ${name}): ${told(got)}`)
      }
    }
  }
  return { findings: [], shown }
}

function finding(rule: string, text: string, evidence: readonly string[], read: string): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

function model(step: Step, pa: number, size: number, direction: DmaDirection): Done {
  const cpu = createCpu({ ram: createRam(), arch: 'arm64', lineSize: LINE })
  const log = logCacheOps(cpu)
  const kernel = { kernel: '6.12.117', arch: 'arm64' } as const
  if (step === 'forDevice') arch_sync_dma_for_device(cpu, kernel, pa, size, direction)
  else arch_sync_dma_for_cpu(cpu, kernel, pa, size, direction)
  const done: Done = new Map()
  for (const { op, pa: first, lines } of log)
    for (let i = 0; i < lines; i++) note(done, op, first + i * LINE)
  return done
}

function note(done: Done, op: string, line: number): void {
  const before = done.get(line)
  // The kernel flushes the one line of a small buffer twice, once for each of its ends.
  done.set(line, before === undefined || before === op ? op : `${before}, ${op}`)
}

function watch(maintain: Maintain, pa: number, size: number, direction: number): Done {
  const done: Done = new Map()
  let calls = 0
  const op = (name: string) => (line: number): void => {
    if (++calls > PATIENCE) throw new Error(`${PATIENCE} operations for ${size} bytes: does the loop end?`)
    note(done, name, line)
  }
  maintain(
    { lineSize: LINE, clean: op('clean'), invalidate: op('invalidate'), flush: op('flush') },
    pa,
    size,
    direction,
  )
  return done
}

const told = (done: Done): string =>
  [...done]
    .sort(([a], [b]) => a - b)
    .map(([line, op]) => `${op} 0x${line.toString(16)}`)
    .join(', ') || 'nothing'

function compare(
  step: Step,
  name: string,
  direction: DmaDirection,
  pa: number,
  size: number,
  expected: Done,
  got: Done,
): Finding | null {
  if (told(expected) === told(got)) return null
  const evidence = [`${step}(0x${pa.toString(16)}, ${size}, ${name})`, `did: ${told(got)}`]
  const lines = [...expected.keys()].sort((a, b) => a - b)
  const say = (rule: string, text: string, read = READ.steps): Finding => finding(rule, text, evidence, read)
  const ops = [...got.values()].join()
  if (expected.size === 0) return say('ex-needless', 'the device has only read: nothing is stale, and maintenance is time lost')
  if (got.size === 0 && step === 'forDevice')
    return say('ex-nothing-cleaned', 'what the processor wrote stays in its cache, where this device does not look')
  if (got.size === 0) return say('ex-nothing-invalidated', 'lines that the processor fetched meanwhile stay, and they are stale')
  if (step === 'forDevice' && direction === DMA_FROM_DEVICE && ops.includes('invalidate'))
    return say('ex-invalidated-for-device', 'the lines are forgotten, and with them what the processor wrote where the device will not; 6.12 cleans here')
  if (!got.has(lines[0]!)) return say('ex-first-line-missed', 'the first line begins before the buffer and has bytes of it', READ.edges)
  if (!got.has(lines.at(-1)!)) return say('ex-last-line-missed', 'the last line that has bytes of the buffer is left as it is', READ.edges)
  const edge = lines.find((line) => expected.get(line) === 'flush' && got.get(line) === 'invalidate')
  if (edge !== undefined)
    return say('ex-edge-forgotten', `the line at 0x${edge.toString(16)} has bytes of a neighbour, and they are thrown away if they are dirty`, READ.edges)
  const inside = lines.find((line) => expected.get(line) === 'invalidate' && got.get(line) === 'flush')
  if (inside !== undefined)
    return say('ex-whole-line-flushed', `the line at 0x${inside.toString(16)} is the buffer’s alone: if it is dirty, to write it back is to overwrite what the device wrote`, READ.edges)
  return say('ex-other-operations', 'that is not what the model does to these lines')
}
