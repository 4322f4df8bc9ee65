// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels and looks at what became of the decoder's region.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { MiB } from 'contiguous/lib/units'
import { bootMachine, type Machine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode, property, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const READ = 'Or in the device tree'
const BASE = 0x5000_0000
const NEEDED = MiB(39)
const SMALLEST = MiB(40)

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const machines = KERNELS.map((kernel) => bootMachine({ tree, kernel, arch: 'arm64' }))
  for (const machine of machines) {
    const found = judge(machine, tree)
    if (found) return { findings: [found] }
  }
  return { findings: [], shown: linesOf(machines[0]!) }
}

const linesOf = (machine: Machine): string[] =>
  machine.log.filter((line) => /Reserved memory|reserved mem|^cma/.test(line))

function finding(rule: string, at: DtNode | null, text: string, evidence: readonly string[]): Finding {
  const { line = 0, column = 0 } = at?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

function judge(machine: Machine, tree: DeviceTree): Finding | null {
  const log = linesOf(machine)
  const says = (part: string): boolean => log.some((line) => line.includes(part))
  const region = findNode(tree, '/reserved-memory')?.children[0] ?? null
  if (machine.cmdline !== 'cma=16M')
    return finding('ex-board-changed', null, `the command line is ${machine.cmdline}; expected cma=16M`, [])
  if (!region) return finding('ex-no-region', null, '/reserved-memory has no region', log)
  if (says('bypass')) {
    const text = 'the node wants to be the default area, and cma= has spoken for that: it is bypassed'
    return finding('ex-area-bypassed', region, text, log)
  }
  const has = (name: string): boolean => property(region, name) !== null
  if (has('no-map') && has('reusable')) {
    const text = 'no-map and reusable exclude each other: what is not mapped cannot be lent'
    return finding('ex-area-not-mapped', region, text, log)
  }
  if (says('created DMA memory pool')) {
    const text = 'the region became a pool, which only the decoder can use; an area is reusable'
    return finding('ex-pool-instead-of-area', region, text, log)
  }
  if (says('incorrect alignment')) {
    const text = 'an end of the region is no multiple of a pageblock, 2 MiB; here nothing is rounded'
    return finding('ex-area-misaligned', region, text, log)
  }
  return judgeArea(machine, region, log)
}

function judgeArea(machine: Machine, region: DtNode, log: readonly string[]): Finding | null {
  const own = machine.cma.areas.find(({ name }) => name !== 'reserved')
  if (!own) return finding('ex-no-area', region, `${machine.kernel} makes no area of the region`, log)
  if (own.base !== BASE)
    return finding('ex-area-elsewhere', region, `the area begins at 0x${own.base.toString(16)}`, log)
  const mib = own.size / MiB(1)
  if (own.size < NEEDED)
    return finding('ex-area-too-small', region, `the area has ${mib} MiB, and the decoder needs 39`, log)
  if (own.size > SMALLEST)
    return finding('ex-area-too-large', region, `the area has ${mib} MiB; a smaller one would do`, log)
  const device = createDevice('video video', findNode(machine.tree, '/video'))
  const ret = of_reserved_mem_device_init(machine.reserved_mem, device)
  if (ret === 0 && device.cma_area) return null
  return finding('ex-area-not-attached', region, `the decoder cannot attach the area: ${ret}`, log)
}
