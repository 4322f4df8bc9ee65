// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels, lets a program map a buffer of each device, and says what is wrong:
// first the devices, then their regions, then the two views.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { translate } from 'contiguous/arch/kernel_map'
import { memoryTypeOf } from 'contiguous/arch/pgtable_prot'
import { aliasMismatch, dma_mmap_coherent } from 'contiguous/dma/dma_mmap'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { KiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { createDeviceNode, openFile } from 'contiguous/mm/file'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { of_dma_configure } from 'contiguous/of/device'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { cellsOf, findNode, property, type DeviceTree } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const PATHS = { camera: '/soc/camera@10010000', display: '/soc/display@10020000' } as const
const BASES = { camera: 0x5a000000, display: 0x58000000 } as const
const READ = 'Whose memory type'
const hex = (n: number): string => `0x${n.toString(16)}`

type Name = keyof typeof PATHS

/** A device on one kernel. */
interface Seen {
  readonly name: Name
  readonly snoops: boolean
  readonly base: number
  readonly pool: boolean
  readonly mismatch: boolean
  readonly line: string
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  if (boardChanged(tree)) {
    const text = 'the board itself was changed: its memory, or a device is another'
    return { findings: [finding('ex-board-changed', tree, '/', text, [])] }
  }
  const all = KERNELS.map((kernel) => look(tree, kernel))
  const lines = all.flatMap(({ lines }) => lines)
  for (const { seen, log } of all) {
    const wrong = judge(tree, seen, log, lines)
    if (wrong) return { findings: [wrong] }
  }
  return { findings: [], shown: lines }
}

function finding(
  rule: string,
  tree: DeviceTree,
  path: string,
  text: string,
  evidence: readonly string[],
): Finding {
  const { line = 0, column = 0 } = findNode(tree, path)?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

function boardChanged(tree: DeviceTree): boolean {
  const reg = findNode(tree, '/memory@40000000')
  const cells = cellsOf((reg && property(reg, 'reg')?.value) ?? new Uint8Array())
  const there = Object.values(PATHS).every((path) => findNode(tree, path) !== null)
  return cells.join() !== [0, 0x40000000, 0, 0x20000000].join() || !there
}

// What one kernel makes of the tree.
function look(tree: DeviceTree, kernel: KernelVersion): { seen: Seen[]; log: string[]; lines: string[] } {
  const system = startSystem({ tree, kernel, arch: 'arm64', cmdline: 'cma=16M@0x48000000' })
  const { vm, dma, kernelMap, machine } = system
  const seen = (['camera', 'display'] as const).map((name): Seen => {
    const dev = createDevice(name, findNode(tree, PATHS[name]))
    of_dma_configure(kernel, dev)
    of_reserved_mem_device_init(machine.reserved_mem, dev)
    const snoops = dev.dma_coherent
    const buffer = dma_alloc_coherent(dma, dev, KiB(64), GFP_KERNEL)
    if (!buffer) {
      const line = `[${kernel}] ${name}: no buffer`
      return { name, snoops, base: -1, pool: false, mismatch: false, line }
    }
    const { cpu_addr, dma_handle } = buffer
    const node = createDeviceNode(`/dev/${name}`, {
      mmap: (_vm, _file, vma) => dma_mmap_coherent(dma, dev, vma, cpu_addr, dma_handle, KiB(64)),
    })
    const mm = createProcess(vm, 'viewer')
    const prot = PROT_READ | PROT_WRITE
    do_mmap(vm, mm, { len: KiB(64), prot, flags: MAP_SHARED, file: openFile(vm, node) })
    const vma = mm.mmap[0]!
    const views = `kernel ${translate(kernelMap, cpu_addr).type}, program ${memoryTypeOf('arm64', vma.vm_page_prot)}`
    const asks = snoops ? 'asks the caches' : 'does not ask'
    const line = `[${kernel}] ${name}, ${asks}: ${hex(dma_handle)}, ${views}`
    const mismatch = aliasMismatch(dma, vma, cpu_addr) !== null
    return { name, snoops, base: dma_handle, pool: dev.dma_mem !== null, mismatch, line }
  })
  const log = machine.log.filter((line) => /reserved|Reserved/.test(line))
  return { seen, log, lines: seen.map(({ line }) => line) }
}

function judge(
  tree: DeviceTree,
  seen: readonly Seen[],
  log: readonly string[],
  lines: readonly string[],
): Finding | null {
  const [camera, display] = seen as [Seen, Seen]
  if (camera.snoops) {
    const text = 'the tree says that the camera asks the caches: dma-coherent stands at it or at a node above'
    return finding('ex-camera-coherent', tree, PATHS.camera, text, lines)
  }
  if (!display.snoops) {
    const text = 'nothing says that the display asks the caches'
    return finding('ex-display-not-coherent', tree, PATHS.display, text, lines)
  }
  const refused = log.filter((line) => line.includes('compatible matching fail'))
  if (refused.length > 0) {
    const text = 'a region is refused: one of its properties says pool, the other says CMA area'
    return finding('ex-region-refused', tree, '/reserved-memory', text, [...refused, ...lines])
  }
  for (const { name, base } of seen) {
    if (base >= BASES[name] && base < BASES[name] + 0x1000000) continue
    const text = `the ${name}'s buffer does not lie in its region, ${hex(BASES[name])} and 16 MiB up`
    return finding(`ex-${name}-elsewhere`, tree, PATHS[name], text, lines)
  }
  if (!camera.pool) {
    const text = 'the camera’s region is lent to programs; it has to be the camera’s alone'
    return finding('ex-camera-lent', tree, '/reserved-memory', text, lines)
  }
  const torn = seen.find(({ mismatch }) => mismatch)
  if (torn) {
    const text = `the kernel and the program see the ${torn.name}'s buffer through two memory types: a pool is mapped write-combined for every device`
    return finding('ex-two-views', tree, PATHS[torn.name], text, lines)
  }
  return null
}
