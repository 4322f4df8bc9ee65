// SPDX-License-Identifier: MIT
//
// Sets the grabber up by the reader's tree, allocates from its pool, and looks at the DMA address.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { of_dma_configure } from 'contiguous/of/device'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { cellsOf, findNode, property, type DeviceTree } from 'contiguous/of/tree'

const FILE = 'board.dts'
const READ = 'Two addresses for one buffer'
const POOL = 0x52000000
const ADDED = 0x50000000
const LINES = 0x10000000

const hex = (value: number): string => `0x${value.toString(16)}`

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const changed = boardChanged(tree)
  if (changed) return { findings: [finding('ex-board-changed', tree, changed, [])] }
  const { handle, lines } = grab(tree)
  const evidence = [...lines, `pool at ${hex(POOL)}; the grabber is told ${hex(handle)}`]
  const wrong = judge(tree, handle)
  if (wrong) return { findings: [finding(wrong[0], tree, wrong[1], evidence)] }
  return { findings: [], shown: evidence }
}

function finding(rule: string, tree: DeviceTree, text: string, evidence: readonly string[]): Finding {
  const { line = 0, column = 0 } = findNode(tree, '/bus@a000000')?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

function boardChanged(tree: DeviceTree): string | null {
  const cells = (path: string, name: string) =>
    cellsOf(property(findNode(tree, path)!, name)?.value ?? new Uint8Array()).join()
  if (!findNode(tree, '/bus@a000000/grabber@0')) return 'there is no grabber on the bus any more'
  const same =
    cells('/bus@a000000', '#address-cells') === '1' &&
    cells('/bus@a000000', '#size-cells') === '1' &&
    cells('/reserved-memory/pool@52000000', 'reg') === [0, POOL, 0, MiB(16)].join()
  return same ? null : 'cells of the bus or the pool differ from the board; only dma-ranges is yours'
}

// What the driver does; the DMA address of its buffer.
function grab(tree: DeviceTree): { handle: number; lines: string[] } {
  const { machine, dma, printk } = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const grabber = createDevice('grabber', findNode(tree, '/bus@a000000/grabber@0'))
  of_dma_configure('6.12.117', grabber)
  const before = printk.lines.length
  of_reserved_mem_device_init(machine.reserved_mem, grabber)
  const handle = dma_alloc_coherent(dma, grabber, MiB(1), GFP_KERNEL)?.dma_handle ?? NaN
  return { handle, lines: printk.lines.slice(before) }
}

function judge(tree: DeviceTree, handle: number): [rule: string, text: string] | null {
  const bus = cellsOf(property(findNode(tree, '/bus@a000000')!, 'dma-ranges')?.value ?? new Uint8Array())
  if (property(findNode(tree, '/bus@a000000/grabber@0')!, 'dma-ranges')) {
    return [
      'ex-dma-ranges-at-the-device',
      'dma-ranges stands in the grabber’s node; it describes the bus, and is read there',
    ]
  }
  if (bus.length === 0)
    return ['ex-bus-counts-like-ram', `the bus counts like RAM, and ${hex(handle)} has more than 28 bits`]
  if (bus.length % 4 !== 0) {
    return [
      'ex-cells-of-the-root',
      `dma-ranges has ${bus.length} cells; an entry has four: one of the bus, two of its parent, one of the bus`,
    ]
  }
  const [dma = 0, high = 0, cpu = 0, size = 0] = bus
  if (dma === ADDED && high === 0 && cpu === 0) {
    return [
      'ex-sides-swapped',
      'the sides are swapped: first comes the address as the grabber counts, then as RAM does',
    ]
  }
  if (dma !== 0 || high !== 0 || cpu !== ADDED) {
    return ['ex-other-bridge', `the bridge adds ${hex(ADDED)}; yours adds ${hex(high * 2 ** 32 + cpu - dma)}`]
  }
  if (cpu + size <= POOL) {
    return ['ex-window-misses-the-pool', `the window ends at ${hex(cpu + size)}, before the pool begins`]
  }
  if (size !== LINES) {
    return [
      'ex-window-of-other-size',
      `28 address lines reach ${hex(LINES)} bytes; the window has ${hex(size)}`,
    ]
  }
  if (handle === POOL - ADDED) return null
  return ['ex-not-as-asked', `the grabber is told ${hex(handle)}; expected ${hex(POOL - ADDED)}`]
}
