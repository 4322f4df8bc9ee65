// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two 32-bit kernels, and then does what the driver of the chapter does: find the
// region, claim it, map it.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { bootMachine, type Machine } from 'contiguous/machine/boot'
import { MEMREMAP_WB } from 'contiguous/mm/memremap'
import { parseDts } from 'contiguous/of/dts_parser'
import {
  cellsOf,
  findByPhandle,
  findNode,
  property,
  stringsOf,
  type DeviceTree,
  type DtNode,
} from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const RAM_END = 0x40000000
const BASE = 0x38000000
const SIZE = 0x8000000

const READ = {
  story: 'A promise kept too well',
  hole: 'RAM without an address',
  find: 'Find, claim, map',
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree)
    return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ.story })) }
  const changed = boardChanged(tree)
  if (changed) return { findings: [changed] }
  const machines = KERNELS.map((kernel) => bootMachine({ tree, kernel, arch: 'arm', cmdline: 'cma=0' }))
  for (const machine of machines) {
    const wrong = judge(machine)
    if (wrong) return { findings: [wrong] }
  }
  return { findings: [], shown: [...iomemOf(machines[1]!), 'memremap() makes a new mapping, WB, of 128 MiB'] }
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

// What stands above the first comment is the hardware: it is as it is.
function boardChanged(tree: DeviceTree): Finding | null {
  const memory = findNode(tree, '/memory@0')
  const same =
    cells(tree.root, '#address-cells').join() === '1' &&
    cells(tree.root, '#size-cells').join() === '1' &&
    cells(memory, 'reg').join() === [0, RAM_END].join()
  if (same) return null
  const text = 'the root node or the memory node differs from the board: expected 1 and 1 cell, 1 GiB at 0'
  return finding('ex-board-changed', memory, text, [], READ.story)
}

// The first thing that is wrong, in the order in which kernel and driver would stumble over it.
function judge(machine: Machine): Finding | null {
  const { tree } = machine
  const parent = findNode(tree, '/reserved-memory')
  if (!parent) {
    const text = 'there is no node /reserved-memory: the name is what the kernel looks for'
    return finding('ex-no-reserved-memory', tree.root, text, iomemOf(machine), READ.story)
  }
  const ignored = linesWith(machine, 'unsupported node format')
  if (ignored.length > 0) {
    const counts = ['#address-cells', '#size-cells'].map((name) => cells(parent, name).join(' ') || 'missing')
    const text = `the kernel ignores /reserved-memory: its cell counts are ${counts.join(' and ')}, the root's are 1 and 1, and ranges has to be there`
    return finding('ex-cells-not-the-roots', parent, text, ignored, READ.story)
  }
  const region = parent.children.find((child) => cells(child, 'reg').includes(BASE)) ?? parent.children[0]
  if (!region)
    return finding('ex-no-region', parent, '/reserved-memory has no child: there is no region', [], READ.find)
  return wrongRange(machine, region) ?? wrongKind(machine, region) ?? driver(machine, region)
}

function wrongRange(machine: Machine, region: DtNode): Finding | null {
  const status = property(region, 'status')
  if (status && !['ok', 'okay'].includes(stringsOf(status.value)[0] ?? '')) {
    return finding(
      'ex-region-disabled',
      region,
      'the region is disabled: the kernel passes it over',
      [],
      READ.find,
    )
  }
  const reg = cells(region, 'reg')
  const hex = reg.map((cell) => `0x${cell.toString(16)}`).join(' ')
  if (reg.length !== 2) {
    const text = `reg = <${hex}> has ${reg.length} cells; expected 2, one for the address and one for the size`
    return finding('ex-reg-length', region, text, linesWith(machine, 'reg property'), READ.find)
  }
  const [base = 0, size = 0] = reg
  if (base + size > RAM_END) {
    const text = `reg = <${hex}> ends at 0x${(base + size).toString(16)}, and RAM at 0x${RAM_END.toString(16)}: no memory is behind the rest`
    return finding('ex-region-outside-ram', region, text, iomemOf(machine), READ.find)
  }
  if (base === BASE && size === SIZE) return null
  const text = `reg = <${hex}>; expected 128 MiB (0x8000000) at 0x38000000, where the FPGA writes`
  return finding('ex-region-elsewhere', region, text, iomemOf(machine), READ.find)
}

function wrongKind(machine: Machine, region: DtNode): Finding | null {
  const compatible = stringsOf(property(region, 'compatible')?.value ?? new Uint8Array())
  const made = linesWith(machine, 'Reserved memory:')
  if (made.length > 0) {
    const text = `compatible is ${compatible.join(', ')}, so a driver of the kernel takes the region; it was to be yours alone`
    return finding('ex-pool-made', region, text, made, READ.story)
  }
  return null
}

// What the driver does: memory-region, the claim, memremap().
function driver(machine: Machine, region: DtNode): Finding | null {
  const { tree } = machine
  const sampler = findNode(tree, '/sampler')
  const named = cells(sampler, 'memory-region')
  if (named.length === 0) {
    const text =
      'the sampler does not name its region: memory-region is missing, and the probe returns -ENODEV'
    return finding('ex-memory-region-missing', sampler, text, [], READ.find)
  }
  if (findByPhandle(tree, named[0] ?? 0) !== region) {
    const text = `memory-region of the sampler does not point to ${region.name}`
    return finding('ex-memory-region-elsewhere', sampler, text, [], READ.find)
  }
  const busy = machine.iomem.children.find((each) => each.end >= BASE && each.start < BASE + SIZE)
  if (busy) {
    const text = `the claim returns -EBUSY: ${busy.name} has the range, because the kernel was not told to leave it unmapped`
    return finding('ex-claimed-by-the-kernel', region, text, iomemOf(machine), READ.hole)
  }
  const mapping = machine.memremap(BASE, SIZE, MEMREMAP_WB)
  if (mapping?.kind === 'new') return null
  const text = `memremap() gives ${mapping ? 'the linear address' : 'null'}; expected a new mapping`
  return finding('ex-not-as-asked', region, text, [...machine.log, ...iomemOf(machine)], READ.find)
}

function linesWith(machine: Machine, text: string): string[] {
  return machine.log.filter((line) => line.includes(text)).map((line) => `[${machine.kernel}] ${line}`)
}

function iomemOf(machine: Machine): string[] {
  const lines = machine.procIomem().trimEnd().split('\n')
  return lines.map((line) => `[${machine.kernel}] /proc/iomem: ${line}`)
}
