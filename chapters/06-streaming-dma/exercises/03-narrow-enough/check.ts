// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels, sets the card's mask, and lends pages to both devices. First what
// the tree says, then what the kernels made of it.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { DMA_TO_DEVICE } from 'contiguous/arch/dma_direction'
import { DMA_BIT_MASK, dma_to_phys } from 'contiguous/dma/dma_address'
import { dma_map_page, dma_mapping_error } from 'contiguous/dma/map'
import { dma_set_mask_and_coherent } from 'contiguous/dma/mask'
import { swiotlb_find_pool } from 'contiguous/dma/swiotlb_pool'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { startSystem } from 'contiguous/machine/system'
import { of_dma_configure } from 'contiguous/of/device'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { cellsOf, findNode, property, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const CARD = '/slow/card@60010000'
const NETWORK = '/fast/network@50010000'
const READ = 'A device with too few lines'
const hex = (n: number): string => `0x${n.toString(16)}`

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const changed = boardChanged(tree)
  if (changed) return { findings: [changed] }
  const seen = KERNELS.map((kernel) => look(tree, kernel))
  const lines = seen.flatMap((each) => each.lines)
  const wrong = treeWrong(tree, lines) ?? notAsAsked(tree, seen)
  return wrong ? { findings: [wrong] } : { findings: [], shown: lines }
}

function finding(rule: string, at: DtNode | null, text: string, evidence: readonly string[]): Finding {
  const { line = 0, column = 0 } = at?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

const cells = (node: DtNode | null, name: string): number[] =>
  cellsOf((node && property(node, name)?.value) ?? new Uint8Array())

function boardChanged(tree: DeviceTree): Finding | null {
  const memory = findNode(tree, '/memory@0')
  const [, , , size = 0] = cells(memory, 'reg')
  if (memory && size < 0x40000000) {
    const text = `the memory node says ${size / 2 ** 20} MiB of 1024: what the card does not reach is given up for everybody`
    return finding('ex-memory-given-up', memory, text, [])
  }
  const same =
    cells(memory, 'reg').join() === [0, 0, 0, 0x40000000].join() &&
    ['/fast', '/slow'].every((path) => cells(findNode(tree, path), '#address-cells').join() === '1') &&
    findNode(tree, CARD) !== null &&
    findNode(tree, NETWORK) !== null
  if (same) return null
  return finding('ex-board-changed', memory, 'the board itself was changed: its memory, a bus or a device is another', [])
}

function treeWrong(tree: DeviceTree, lines: readonly string[]): Finding | null {
  const slow = findNode(tree, '/slow')
  const card = findNode(tree, CARD)
  const entry = slow && property(slow, 'dma-ranges')
  if (!entry && card && property(card, 'dma-ranges')) {
    const text = 'dma-ranges stands at the card: it speaks of a bus below it, and the kernel begins at its parent'
    return finding('ex-ranges-at-the-device', card, text, lines)
  }
  if (!entry && card && property(card, 'memory-region')) {
    const text = 'a region of its own is for dma_alloc_coherent(); pages that are lent lie where they are, and the mask is refused as before'
    return finding('ex-pool-does-not-lend', card, text, lines)
  }
  if (!entry) {
    const text = 'nothing in the tree says how far the slow bus reaches, so the DMA zone is all of RAM, and the mask does not cover it'
    return finding('ex-no-dma-ranges', slow, text, lines)
  }
  const numbers = cells(slow, 'dma-ranges')
  if (numbers.length === 0) {
    const text = 'dma-ranges without a value says that the bus counts as the processor does, and reaches everything'
    return finding('ex-ranges-empty', slow, text, lines)
  }
  if (numbers.length !== 4) {
    const text = `dma-ranges has ${numbers.length} cells; an entry has 4: one of the bus, two of its parent, one for the length`
    return finding('ex-ranges-cells', slow, text, lines)
  }
  const [bus = 0, high = 0, low = 0, length = 0] = numbers
  if (bus !== low || high !== 0) {
    const text = `address ${hex(bus)} of the bus is said to be ${hex(low)} of the processor; both count alike`
    return finding('ex-ranges-shifted', slow, text, lines)
  }
  if (bus + length > 0x10000000) {
    const text = `dma-ranges ends at ${hex(bus + length - 1)}; 28 address lines end at 0x0fffffff`
    return finding('ex-ranges-too-long', slow, text, lines)
  }
  return null
}

/** What one kernel made of the tree. */
interface Seen {
  readonly kernel: KernelVersion
  readonly lines: readonly string[]
  readonly mask: number
  readonly far: Lent
  readonly near: Lent
  readonly network: Lent
}

/** A page that was lent: the device's address, or null. */
interface Lent {
  readonly handle: number | null
  readonly copied: boolean
}

function look(tree: DeviceTree, kernel: KernelVersion): Seen {
  const { dma } = startSystem({ tree, kernel, arch: 'arm64', cmdline: 'cma=16M@0x30000000' })
  const lines: string[] = []
  const device = (path: string) => {
    const dev = createDevice(path.replace(/^.*\/|@.*$/g, ''), findNode(tree, path))
    of_dma_configure(kernel, dev)
    return dev
  }
  const lend = (dev: ReturnType<typeof device>, page: number): Lent => {
    const addr = dma_map_page(dma, dev, page, 0, 256, DMA_TO_DEVICE)
    const handle = dma_mapping_error(dma, dev, addr) === 0 ? addr : null
    const copied = handle !== null && swiotlb_find_pool(dma.swiotlb, dma_to_phys(kernel, dev, handle)) !== null
    const as = handle === null ? 'not lent' : `DMA address ${hex(handle)}${copied ? ', a copy' : ''}`
    lines.push(`[${kernel}] ${dev.name}: page at ${hex(page * 4096)}: ${as}`)
    return { handle, copied }
  }
  const card = device(CARD)
  const mask = dma_set_mask_and_coherent(dma, card, DMA_BIT_MASK(28))
  lines.push(`[${kernel}] card: mask of 28 bits: ${mask}`)
  const refused = { handle: null, copied: false }
  const far = mask === 0 ? lend(card, 0x20000) : refused
  const near = mask === 0 ? lend(card, 0x8000) : refused
  return { kernel, lines, mask, far, near, network: lend(device(NETWORK), 0x20000) }
}

function notAsAsked(tree: DeviceTree, seen: readonly Seen[]): Finding | null {
  for (const { kernel, lines, mask, far, near, network } of seen) {
    if (network.copied) {
      const text = 'the network controller gets a copy of a page that it reaches: its bus was made narrow, too'
      return finding('ex-network-bounces', findNode(tree, '/fast'), text, lines)
    }
    const right = mask === 0 && far.copied && near.handle === 0x8000000 && !near.copied && network.handle === 0x20000000
    if (!right) return finding('ex-not-as-asked', findNode(tree, '/slow'), `on ${kernel} a page is not lent as it was asked for`, lines)
  }
  return null
}
