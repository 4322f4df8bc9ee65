// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels, lets the three devices allocate, and reads the names in the trace.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { DMA_BIT_MASK } from 'contiguous/dma/dma_address'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { MiB } from 'contiguous/lib/units'
import { startSystem, type System } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode, property, type DeviceTree } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const READ = 'What a cma_alloc says'
const DEVICES = ['camera', 'encoder', 'display'] as const
type Name = (typeof DEVICES)[number]

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  let shown: string[] = []
  for (const kernel of KERNELS) {
    const system = startSystem({ tree, kernel, arch: 'arm64', image: null })
    const names = Object.fromEntries(DEVICES.map((name) => [name, nameFor(system, tree, name)]))
    shown = DEVICES.map((name) => `${name}: ${names[name] ?? 'no event'}`)
    const found = judge(system, tree, names as Record<Name, string | null>, [`on ${kernel}`, ...shown])
    if (found) return { findings: [found] }
  }
  return { findings: [], shown }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// The name in the start event of what the device allocates; null when there is no such event.
function nameFor({ machine, dma, trace }: System, tree: DeviceTree, name: Name): string | null {
  const node = findNode(tree, `/${name}`)
  const device = createDevice(name, node)
  device.dma_mask = DMA_BIT_MASK(32)
  if (node && property(node, 'memory-region')) of_reserved_mem_device_init(machine.reserved_mem, device)
  const before = trace.records.length
  trace.enabled = true
  dma_alloc_coherent(dma, device, MiB(1), GFP_KERNEL)
  trace.enabled = false
  const start = trace.records.slice(before).find(({ event }) => event === 'cma_alloc_start')
  return start ? String(start.fields['name']) : null
}

function judge(
  { cma }: System,
  tree: DeviceTree,
  { camera, encoder, display }: Record<Name, string | null>,
  evidence: readonly string[],
): Finding | null {
  if (DEVICES.some((name) => !findNode(tree, `/${name}`)))
    return finding('ex-board-changed', 'the three devices are hardware: their nodes stay', evidence)
  if (display !== 'reserved') {
    const text = `the display allocates as ${display ?? 'nobody'}: a default area with a name serves all who have no area of their own`
    return finding('ex-everybody-is-somebody', text, evidence)
  }
  if (camera === null || encoder === null) {
    const text = 'what comes from a pool, and not from an area, has no event in the group cma'
    return finding('ex-not-in-the-trace', text, evidence)
  }
  if (camera === encoder)
    return finding('ex-one-name-for-two', `camera and encoder are both ${camera}: they share an area`, evidence)
  if (!camera.startsWith('camera@') || !encoder.startsWith('encoder@')) {
    const text = `the trace says ${camera} and ${encoder}: an area has the name of its node, and a label is no name`
    return finding('ex-label-is-no-name', text, evidence)
  }
  const wrong = [camera, encoder].map((name) => cma.find((area) => area.name === name)!).find(misplaced)
  if (!wrong) return null
  const text = `${wrong.name} has ${wrong.size / MiB(1)} MiB at 0x${wrong.base.toString(16)}, expected 8 in the memory that both share now`
  return finding('ex-board-changed', text, evidence)
}

const misplaced = ({ base, size }: { base: number; size: number }): boolean =>
  size !== MiB(8) || base < 0x5800_0000 || base + size > 0x5900_0000
