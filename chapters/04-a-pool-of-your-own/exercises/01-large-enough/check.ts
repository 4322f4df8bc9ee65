// SPDX-License-Identifier: MIT
//
// Attaches the reader's pool to the display and allocates what its driver allocates.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { get_order, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { cellsOf, findNode, property, type DeviceTree } from 'contiguous/of/tree'

const FILE = 'board.dts'
const READ = 'A bitmap with a rule'
const BASE = 0x50000000
const PAGE = 4096
const FRAME = 800 * 480 * 4
const REQUESTS = [FRAME, FRAME, FRAME, MiB(20)]

const blockOf = (size: number): number => PAGE * 2 ** get_order(size, PAGE)
const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0)
const hex = (value: number): string => `0x${value.toString(16)}`

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const region = findNode(tree, '/reserved-memory/pool@50000000')
  const [, base, , size = 0] = cellsOf((region && property(region, 'reg')?.value) ?? new Uint8Array())
  if (base !== BASE) {
    const text = 'the pool is not at 0x50000000 any more; only its size is to change'
    return { findings: [finding('ex-board-changed', tree, text, [])] }
  }
  return judge(tree, size)
}

function finding(rule: string, tree: DeviceTree, text: string, evidence: readonly string[]): Finding {
  const { line = 0, column = 0 } = findNode(tree, '/reserved-memory/pool@50000000')?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

function judge(tree: DeviceTree, size: number): CheckResult {
  const system = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const display = createDevice('display', findNode(tree, '/display'))
  const ret = of_reserved_mem_device_init(system.machine.reserved_mem, display)
  if (ret !== 0 || !display.dma_mem) {
    const text = `the pool cannot be attached: ${ret}`
    return { findings: [finding('ex-not-attached', tree, text, system.machine.log.slice(-3))] }
  }
  const shown: string[] = []
  let end = 0
  for (const bytes of REQUESTS) {
    const buffer = dma_alloc_coherent(system.dma, display, bytes, GFP_KERNEL)
    shown.push(`${bytes} bytes: ${buffer ? hex(buffer.dma_handle) : 'NULL'}`)
    if (!buffer) return { findings: [tooSmall(tree, size, shown)] }
    end = Math.max(end, buffer.dma_handle - BASE + blockOf(bytes))
  }
  if (end === size)
    return {
      findings: [],
      shown: [...shown, `the last block ends where the pool does, at ${hex(BASE + end)}`],
    }
  const text = `all four succeed, and ${(size - end) / PAGE} pages behind the last block serve nobody`
  return { findings: [finding('ex-pool-too-large', tree, text, shown)] }
}

// Which way of reckoning gives this size.
function tooSmall(tree: DeviceTree, size: number, shown: readonly string[]): Finding {
  const pages = sumOf(REQUESTS.map((bytes) => Math.ceil(bytes / PAGE) * PAGE))
  const say: [number, string, string][] = [
    [
      pages,
      'ex-sum-of-sizes',
      'the pool has what the buffers ask for; each of them takes a power of two of pages',
    ],
    [
      sumOf(REQUESTS.map(blockOf)),
      'ex-sum-of-blocks',
      'the blocks would fit end to end; each begins at a multiple of its own size',
    ],
    [
      MiB(32) + MiB(20),
      'ex-last-block-cut',
      'the last block begins in the right place and is cut off; it has to be there whole',
    ],
  ]
  const [, rule, text] = say.find(([sum]) => sum === size) ?? [
    0,
    'ex-pool-too-small',
    'the pool has no place for all four',
  ]
  return finding(rule, tree, `${text}: ${shown.at(-1)}`, shown)
}
