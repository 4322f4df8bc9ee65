// SPDX-License-Identifier: MIT
//
// Calls the reader's clearBuffer() on the model of two cache levels and watches the device: what it reads, and whether
// what it writes stays. The first difference is diagnosed by what was done, and in which order.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { clean, cleanAndInvalidate, evict, invalidate, type Cache, type CacheOp } from 'contiguous/arch/cache'
import { cpuWrite, createCpu, deviceRead, deviceWrite, logCacheOps, type Cpu } from 'contiguous/arch/cpu'
import { createRam, writeBytes } from 'contiguous/arch/ram'

const FILE = 'clear_buffer.ts'
const READ = 'Clearing, and the flag'
const PA = 0x50060000
const SIZE = 2 * 4096
const OLDEST = 0x11
const OLDER = 0x22
const OLD = 0x33
const FRAME = 0x77

type ClearBuffer = (memory: object, pa: number, size: number, coherent: boolean) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const clearBuffer = context.kind === 'typescript' ? context.module['clearBuffer'] : undefined
  if (typeof clearBuffer !== 'function')
    return { findings: [finding('ex-export-missing', 'clearBuffer is not an exported function', [])] }
  const alone = watch(clearBuffer as ClearBuffer, false)
  const asks = watch(clearBuffer as ClearBuffer, true)
  const wrong = notCleared(asks) ?? seesRam(alone) ?? seesCaches(asks)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [...told('a device that sees RAM', alone), ...told('a coherent device', asks)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

/** What was done, and what the device met. */
interface Watched {
  /** The calls in order: `zero`, `L1 flush`, `outer clean` … */
  readonly calls: readonly string[]
  /** Every byte value that the device read before it wrote, and after the caches had made room. */
  readonly before: readonly number[]
  readonly after: readonly number[]
}

function watch(clearBuffer: ClearBuffer, coherent: boolean): Watched {
  const ram = createRam()
  const cpu = createCpu({ ram, arch: 'arm', lineSize: 32, outer: true })
  leaveTraces(cpu)
  const log: CacheOp[] = logCacheOps(cpu)
  const calls: string[] = []
  const taken = (): void => {
    calls.push(...log.splice(0).map(({ level, op }) => `${level} ${op}`))
  }
  const level = (cache: Cache) => ({
    clean: (pa: number, size: number) => clean(cache, pa, size),
    invalidate: (pa: number, size: number) => invalidate(cache, pa, size),
    flush: (pa: number, size: number) => cleanAndInvalidate(cache, pa, size),
  })
  const zero = (pa: number, size: number): void => {
    taken()
    cpuWrite(cpu, pa, new Uint8Array(size), 'normal')
    calls.push('zero')
  }
  clearBuffer({ zero, l1: level(cpu.l1), outer: level(cpu.outer!) }, PA, SIZE, coherent)
  taken()
  const before = values(deviceRead(cpu, PA, SIZE, coherent))
  deviceWrite(cpu, PA, new Uint8Array(SIZE).fill(FRAME), coherent)
  evict(cpu.l1, PA, SIZE)
  evict(cpu.outer!, PA, SIZE)
  return { calls, before, after: values(deviceRead(cpu, PA, SIZE, coherent)) }
}

// What programs left: the oldest in RAM, newer bytes dirty in the outer cache, the newest dirty in L1.
function leaveTraces(cpu: Cpu): void {
  writeBytes(cpu.ram, PA, new Uint8Array(SIZE).fill(OLDEST))
  cpuWrite(cpu, PA, new Uint8Array(SIZE).fill(OLDER), 'normal')
  evict(cpu.l1, PA, SIZE)
  cpuWrite(cpu, PA, new Uint8Array(SIZE).fill(OLD), 'normal')
}

const values = (bytes: Uint8Array): number[] => [...new Set(bytes)]
const list = (bytes: readonly number[]): string => bytes.map((byte) => `0x${byte.toString(16)}`).join(', ')
const same = (bytes: readonly number[], value: number): boolean => bytes.length === 1 && bytes[0] === value

function told(who: string, { calls, before, after }: Watched): string[] {
  return [
    `${who}: ${calls.join(', ') || 'nothing is called'}`,
    `  reads ${list(before)}; writes 0x${FRAME.toString(16)}; when the caches have made room, reads ${list(after)}`,
  ]
}

function notCleared(asks: Watched): Finding | null {
  if (asks.calls.includes('zero') && same(asks.before, 0)) return null
  const text = 'nobody writes zeros: the device gets what a program left in these pages'
  return finding('ex-not-cleared', text, told('a coherent device', asks))
}

function seesRam(alone: Watched): Finding | null {
  if (same(alone.before, 0) && same(alone.after, FRAME)) return null
  const evidence = told('a device that sees RAM', alone)
  const { calls } = alone
  const zero = calls.lastIndexOf('zero')
  const writes = (level: string): number => Math.max(calls.lastIndexOf(`${level} flush`), calls.lastIndexOf(`${level} clean`))
  if (calls.length === 1 && zero === 0) {
    const text = 'the zeros stay in L1, where this device does not look'
    return finding('ex-never-flushed', text, evidence)
  }
  if (writes('L1') >= 0 && writes('L1') < zero) {
    const text = 'the caches are flushed before the zeros are written: the old bytes reach RAM and the zeros do not'
    return finding('ex-flushed-before-zeros', text, evidence)
  }
  if (calls.slice(zero + 1).includes('L1 invalidate') && writes('L1') < zero) {
    const text = 'to invalidate forgets dirty lines: the zeros are gone, and older bytes come to light'
    return finding('ex-zeros-thrown-away', text, evidence)
  }
  if (writes('L1') > zero && writes('outer') >= 0 && writes('outer') < writes('L1')) {
    const text = 'the outer cache is maintained before L1: what then leaves L1 stops in the outer cache'
    return finding('ex-outer-before-l1', text, evidence)
  }
  if (writes('L1') > zero && writes('outer') < 0) {
    const text = 'what leaves L1 lands in the outer cache, and nothing takes it on to RAM'
    return finding('ex-outer-forgotten', text, evidence)
  }
  const text = same(alone.before, 0)
    ? 'the device found zeros, and later something was written back over its frame'
    : 'the device does not find zeros in RAM'
  return finding('ex-other-order', text, evidence)
}

function seesCaches(asks: Watched): Finding | null {
  if (asks.calls.every((call) => call === 'zero') && same(asks.after, FRAME)) return null
  const text = 'the device asks the caches and would have found the zeros there: maintenance for it is time lost'
  return finding('ex-coherent-flushed', text, told('a coherent device', asks))
}
