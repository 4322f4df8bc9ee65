// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of four kernels, and looks for one CMA area that is the same on all of them.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { RESERVED_MEMORY_KERNELS } from 'contiguous/lib/kernel_version'
import { bootMachine, type Machine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { cellsOf, findNode, property, type DeviceTree } from 'contiguous/of/tree'

const FILE = 'board.dts'
const READ = 'One line, six times'
const MAILBOX_END = 0x7020_0000
const FIRMWARE = 0x7200_0000
const WANTED = 0x1c0_0000
const HARDWARE = {
  '/memory@40000000': [0, 0x4000_0000, 0, 0x4000_0000],
  '/reserved-memory/mailbox@70000000': [0, 0x7000_0000, 0, 0x20_0000],
  '/reserved-memory/firmware@72000000': [0, FIRMWARE, 0, 0x100_0000],
}

interface Area {
  readonly base: number
  readonly size: number
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const machines = RESERVED_MEMORY_KERNELS.map((kernel) =>
    bootMachine({ tree, kernel, arch: 'arm64', cmdline: 'cma=0' }),
  )
  const wrong = judge(tree, machines)
  return wrong ? { findings: [wrong] } : { findings: [], shown: created(machines, 'created CMA') }
}

function finding(rule: string, text: string, evidence: readonly string[] = []): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(tree: DeviceTree, machines: readonly Machine[]): Finding | null {
  for (const [path, cells] of Object.entries(HARDWARE)) {
    if (cellsOnly(tree, path) !== cells.join())
      return finding('ex-board-changed', `${path} is hardware, and differs from the board's`)
  }
  const static_ = placed(tree)
  if (static_ && static_.base < MAILBOX_END)
    return finding(
      'ex-over-the-mailbox',
      `the region begins at ${hex(static_.base)}; the mailbox ends at 0x70200000`,
    )
  if (static_ && static_.base + static_.size > FIRMWARE) {
    const end = hex(static_.base + static_.size)
    return finding('ex-into-the-firmware', `the region ends at ${end}; the firmware begins at 0x72000000`)
  }
  const pools = created(machines, 'created DMA')
  if (pools.length > 0)
    return finding(
      'ex-pool-instead-of-area',
      'without reusable the region is a DMA pool: programs never live in it',
      pools,
    )
  const areas = machines.map(areaOf)
  if (areas.some((area) => area === null)) {
    const not = machines.filter((_, i) => areas[i] === null).map(({ kernel }) => kernel)
    return finding('ex-area-refused', `no CMA area on ${not.join(', ')}`, created(machines, 'alignment'))
  }
  return judgeAreas(machines, areas as readonly Area[])
}

function judgeAreas(machines: readonly Machine[], areas: readonly Area[]): Finding | null {
  const lines = created(machines, 'created CMA')
  const [first] = areas
  if (areas.some(({ base }) => base !== first!.base))
    return finding('ex-area-moves', 'the area is not at the same place on all four', lines)
  if (areas.some(({ size }) => size < WANTED))
    return finding(
      'ex-area-too-small',
      `the area has ${first!.size / 2 ** 20} MiB; expected 28 at least`,
      lines,
    )
  if (first!.base < MAILBOX_END || first!.base + first!.size > FIRMWARE)
    return finding('ex-area-elsewhere', 'the area does not lie between mailbox and firmware', lines)
  const returned = machines.map(attach)
  if (returned.every((ret) => ret === 0)) return null
  return finding('ex-not-attached', `attaching returns ${returned.join(', ')} on the four; expected 0`)
}

function attach(machine: Machine): number {
  const encoder = findNode(machine.tree, '/encoder')
  return encoder ? of_reserved_mem_device_init(machine.reserved_mem, createDevice('encoder', encoder)) : -19
}

function areaOf({ cma }: Machine): Area | null {
  const [area] = cma.areas
  return area ? { base: area.base_pfn * 4096, size: area.count * 4096 } : null
}

// The region that has its address in the tree, and is none of the two.
function placed(tree: DeviceTree): Area | null {
  const nodes = findNode(tree, '/reserved-memory')?.children ?? []
  const frames = nodes.find(({ name }) => !name.startsWith('mailbox') && !name.startsWith('firmware'))
  const cells = frames ? cellsOf(property(frames, 'reg')?.value ?? new Uint8Array()) : []
  const [highBase = 0, base = 0, highSize = 0, size = 0] = cells
  return cells.length === 4 ? { base: highBase * 2 ** 32 + base, size: highSize * 2 ** 32 + size } : null
}

function cellsOnly(tree: DeviceTree, path: string): string {
  const node = findNode(tree, path)
  return node ? cellsOf(property(node, 'reg')?.value ?? new Uint8Array()).join() : ''
}

const hex = (value: number): string => `0x${value.toString(16)}`

function created(machines: readonly Machine[], text: string): string[] {
  return machines.flatMap(({ kernel, log }) =>
    log.filter((line) => line.includes(text)).map((line) => `[${kernel}] ${line}`),
  )
}
