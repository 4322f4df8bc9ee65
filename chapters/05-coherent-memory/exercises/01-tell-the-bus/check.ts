// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels, gives both devices a buffer, and says what is wrong: first what
// the bus says, then who is coherent, then what the kernel made of it.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { translate } from 'contiguous/arch/kernel_map'
import { dma_to_phys } from 'contiguous/dma/dma_address'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { KiB } from 'contiguous/lib/units'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { of_dma_configure } from 'contiguous/of/device'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { cellsOf, findNode, property, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const CAMERA = '/soc/camera@10010000'
const DISPLAY = '/soc/display@10020000'
const READ = { bus: 'Two addresses for one byte', coherent: 'What makes it coherent' }
const hex = (n: number): string => `0x${n.toString(16)}`

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree)
    return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ.bus })) }
  const wrong = boardChanged(tree) ?? busWrong(tree)
  if (wrong) return { findings: [wrong] }
  const seen = KERNELS.map((kernel) => look(tree, kernel))
  const finding = coherenceWrong(tree, seen) ?? notAsAsked(tree, seen)
  return finding ? { findings: [finding] } : { findings: [], shown: seen.flatMap(({ lines }) => lines) }
}

function finding(
  rule: string,
  at: DtNode | null,
  text: string,
  evidence: readonly string[],
  read: string,
): Finding {
  const { line = 0, column = 0 } = at?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read }
}

const cells = (node: DtNode | null, name: string): number[] =>
  cellsOf((node && property(node, name)?.value) ?? new Uint8Array())

function boardChanged(tree: DeviceTree): Finding | null {
  const soc = findNode(tree, '/soc')
  const same =
    cells(findNode(tree, '/memory@40000000'), 'reg').join() === [0, 0x40000000, 0, 0x20000000].join() &&
    cells(tree.root, '#address-cells').join() === '2' &&
    cells(soc, '#address-cells').join() === '1' &&
    cells(soc, '#size-cells').join() === '1' &&
    findNode(tree, CAMERA) !== null &&
    findNode(tree, DISPLAY) !== null
  if (same) return null
  const text = 'the board itself was changed: its memory, the cells of a bus, or a device is another'
  return finding('ex-board-changed', soc, text, [], READ.bus)
}

// What the bus says of memory, read as a reader of the tree would.
function busWrong(tree: DeviceTree): Finding | null {
  const soc = findNode(tree, '/soc')
  const atDevice = [CAMERA, DISPLAY]
    .map((path) => findNode(tree, path))
    .find((node) => node && property(node, 'dma-ranges'))
  const entry = soc && property(soc, 'dma-ranges')
  if (!entry && atDevice) {
    const text = `dma-ranges stands at ${atDevice.name}: it speaks of a bus below the device, and the kernel begins at its parent`
    return finding('ex-ranges-at-the-device', atDevice, text, evidenceOf(tree), READ.bus)
  }
  if (!entry) {
    const text = 'the bus does not say where it finds memory, so a handle is the processor’s address'
    return finding('ex-no-dma-ranges', soc, text, evidenceOf(tree), READ.bus)
  }
  const numbers = cells(soc, 'dma-ranges')
  if (numbers.length === 0) {
    const text = 'dma-ranges without a value says that the bus counts as the processor does, and reaches everything'
    return finding('ex-ranges-empty', soc, text, evidenceOf(tree), READ.bus)
  }
  if (numbers.length % 4 !== 0) {
    const text = `dma-ranges has ${numbers.length} cells; an entry has 4: one of the bus, two of its parent, one for the length`
    return finding('ex-ranges-cells', soc, text, evidenceOf(tree), READ.bus)
  }
  const [bus = 0, high = 0, low = 0, length = 0] = numbers
  if (bus === 0x40000000 && low !== 0x40000000) {
    const text = 'dma-ranges has its addresses the wrong way round: the bus’s own comes first'
    return finding('ex-ranges-swapped', soc, text, evidenceOf(tree), READ.bus)
  }
  if (length > 0x10000000) {
    const text = `dma-ranges is ${hex(length)} long; 28 address lines end at 0x0fffffff`
    return finding('ex-ranges-too-long', soc, text, evidenceOf(tree), READ.bus)
  }
  if (numbers.length === 4 && bus === 0 && high === 0 && low === 0x40000000 && length === 0x10000000) return null
  const shown = numbers.map(hex).join(' ')
  const text = `dma-ranges = <${shown}> is not: address 0 of the bus is 0x40000000 of the parent, for 256 MiB`
  return finding('ex-ranges-other', soc, text, evidenceOf(tree), READ.bus)
}

/** What one kernel made of the tree. */
interface Seen {
  readonly kernel: KernelVersion
  readonly lines: readonly string[]
  readonly devices: readonly { readonly type: string | null; readonly handle: number; readonly phys: number }[]
}

function look(tree: DeviceTree, kernel: KernelVersion): Seen {
  const { dma, kernelMap } = startSystem({ tree, kernel, arch: 'arm64', cmdline: 'cma=16M@0x48000000' })
  const lines: string[] = []
  const devices = [CAMERA, DISPLAY].map((path) => {
    const name = path.replace(/^.*\/|@.*$/g, '')
    const dev = createDevice(name, findNode(tree, path))
    of_dma_configure(kernel, dev)
    const buffer = dma_alloc_coherent(dma, dev, KiB(8), GFP_KERNEL)
    if (!buffer) {
      lines.push(`[${kernel}] ${name}: no buffer within its reach`)
      return { type: null, handle: 0, phys: 0 }
    }
    const phys = dma_to_phys(kernel, dev, buffer.dma_handle)
    const { type } = translate(kernelMap, buffer.cpu_addr)
    lines.push(`[${kernel}] ${name}: RAM ${hex(phys)}, DMA address ${hex(buffer.dma_handle)}, mapped ${type}`)
    return { type, handle: buffer.dma_handle, phys }
  })
  return { kernel, lines, devices }
}

const evidenceOf = (tree: DeviceTree): readonly string[] => look(tree, '6.12.117').lines

function coherenceWrong(tree: DeviceTree, seen: readonly Seen[]): Finding | null {
  for (const { lines, devices } of seen) {
    const [camera, display] = devices
    if (camera?.type === 'normal') {
      const text = 'the camera counts as coherent, and its buffer is cached: dma-coherent stands at it or at a node above'
      return finding('ex-camera-coherent', findNode(tree, '/soc'), text, lines, READ.coherent)
    }
    if (display?.type === 'normal-nc') {
      const text = 'the display asks the caches, and nothing says so: its buffer is mapped uncached'
      return finding('ex-display-not-coherent', findNode(tree, DISPLAY), text, lines, READ.coherent)
    }
  }
  return null
}

function notAsAsked(tree: DeviceTree, seen: readonly Seen[]): Finding | null {
  for (const { kernel, lines, devices } of seen) {
    const right = devices.every(
      ({ type, handle, phys }) => type !== null && handle === phys - 0x40000000 && phys < 0x50000000,
    )
    if (!right) {
      const text = `on ${kernel} the buffers are not where they were asked for`
      return finding('ex-not-as-asked', findNode(tree, '/soc'), text, lines, READ.bus)
    }
  }
  return null
}
