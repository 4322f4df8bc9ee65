// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels, gives each device its buffer, and looks at where it lies and at
// what is left for programs.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode, property, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const READ = 'The choice'
const hex = (n: number): string => `0x${n.toString(16)}`

interface Place {
  readonly name: string
  readonly base: number
  readonly size: number
}
const DECODER: Place = { name: 'decoder', base: 0x5800_0000, size: MiB(16) }
const RECORDER: Place = { name: 'recorder', base: 0x5000_0000, size: MiB(64) }
const DISPLAY: Place = { name: 'display', base: 0x4800_0000, size: MiB(32) }

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const found = changed(tree) ?? kinds(tree)
  if (found) return { findings: [found] }
  const seen = KERNELS.map((kernel) => buffers(tree, kernel))
  for (const each of seen) {
    const wrong = judge(tree, each)
    if (wrong) return { findings: [wrong] }
  }
  return { findings: [], shown: seen.flatMap(({ lines }) => lines) }
}

function finding(rule: string, at: DtNode | null, text: string, evidence: readonly string[] = []): Finding {
  const { line = 0, column = 0 } = at?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

const regionAt = (tree: DeviceTree, { base }: Place): DtNode | null =>
  findNode(tree, '/reserved-memory')?.children.find(({ name }) => name.endsWith(`@${base.toString(16)}`)) ?? null
const has = (node: DtNode | null, name: string): boolean => node !== null && property(node, name) !== null

function changed(tree: DeviceTree): Finding | null {
  const display = findNode(tree, '/display')
  if (!display || has(display, 'memory-region') || findNode(tree, '/chosen'))
    return finding('ex-board-changed', display, 'the display has no region of its own, and the command line says nothing')
  const lost = [DECODER, RECORDER, DISPLAY].find((place) => regionAt(tree, place) === null)
  return lost ? finding('ex-region-missing', null, `no region of /reserved-memory is at ${hex(lost.base)}`) : null
}

// What the tree says of each region, before anything is allocated.
function kinds(tree: DeviceTree): Finding | null {
  const [decoder, recorder, display] = [DECODER, RECORDER, DISPLAY].map((place) => regionAt(tree, place)) as [
    DtNode,
    DtNode,
    DtNode,
  ]
  if (has(decoder, 'reusable'))
    return finding('ex-decoder-lent', decoder, 'the decoder’s memory is lent to programs, and one page can refuse to move')
  if (has(recorder, 'no-map'))
    return finding('ex-recorder-pays', recorder, 'programs do without 64 MiB all day for a recorder that may try again')
  if (has(display, 'no-map'))
    return finding('ex-display-pays', display, 'the 32 MiB are nobody’s but the kernel’s, and no device takes from them')
  if (has(recorder, 'linux,cma-default'))
    return finding('ex-recorder-is-default', recorder, 'the recorder’s area is the default one, so the display takes from it')
  return has(display, 'linux,cma-default')
    ? null
    : finding('ex-no-default-area', display, 'the area at 0x48000000 is no device’s and not the default one either')
}

interface Seen {
  readonly at: Readonly<Record<string, number>>
  readonly lines: readonly string[]
}

function buffers(tree: DeviceTree, kernel: KernelVersion): Seen {
  const system = startSystem({ tree, kernel, arch: 'arm64', cmdline: '', image: null })
  const at: Record<string, number> = {}
  const wishes: [Place, number][] = [
    [DECODER, MiB(16)],
    [RECORDER, MiB(60)],
    [DISPLAY, MiB(4)],
  ]
  const lines = wishes.map(([{ name }, size]) => {
    const dev = createDevice(name, findNode(tree, `/${name}`))
    if (has(findNode(tree, `/${name}`), 'memory-region')) of_reserved_mem_device_init(system.machine.reserved_mem, dev)
    at[name] = dma_alloc_coherent(system.dma, dev, size, GFP_KERNEL)?.dma_handle ?? 0
    return `[${kernel}] ${name}: ${size / MiB(1)} MiB at ${at[name] ? hex(at[name]) : 'no place'}`
  })
  return { at, lines }
}

function judge(tree: DeviceTree, { at, lines }: Seen): Finding | null {
  const inside = ({ name, base, size }: Place): boolean => at[name]! >= base && at[name]! < base + size
  if (!at['decoder'])
    return finding('ex-pool-too-small', regionAt(tree, DECODER), 'the decoder’s 16 MiB do not fit into its pool', lines)
  if (!inside(RECORDER) && !has(findNode(tree, '/recorder'), 'memory-region')) {
    const text = 'the recorder says nothing of its area, so it is served as the display is'
    return finding('ex-recorder-shares', findNode(tree, '/recorder'), text, lines)
  }
  const lost = [DECODER, RECORDER, DISPLAY].find((place) => !inside(place))
  if (!lost) return null
  return finding('ex-other-place', findNode(tree, `/${lost.name}`), `the ${lost.name} is not served from its memory`, lines)
}
