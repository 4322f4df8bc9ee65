// SPDX-License-Identifier: MIT
//
// Steps of drivers: a device, its coherent buffers, and those buffers in a program.
//
//     - device: { mask: 32, node: /display }              with its first memory-region attached
//         as: display
//     - dma_alloc_coherent: { device: display, size: 1536000 }
//         as: frame
//         gives: { handle: 0x50000000, type: normal-nc, from: pool }
//     - dma_mmap_coherent: { process: viewer, buffer: frame }
//
// `from` says who gave the buffer: pool (the device's own), the name of a CMA area, or buddy.

// #region scenario-steps-dma
import { translate } from '../arch/kernel_map.ts'
import { pgprot_writecombine, memoryTypeOf, PAGE_SHARED } from '../arch/pgtable_prot.ts'
import type { DmaCoherentMem } from '../dma/coherent.ts'
import { DMA_BIT_MASK, dma_to_phys } from '../dma/dma_address.ts'
import { dma_mmap_coherent, dma_mmap_wc } from '../dma/dma_mmap.ts'
import { dma_alloc_coherent, dma_alloc_wc, dma_free_coherent, dma_free_wc } from '../dma/mapping.ts'
import { walk } from '../arch/pgtable.ts'
import type { Bytes } from '../lib/units.ts'
import { createDeviceNode, openFile } from '../mm/file.ts'
import { remap_pfn_range } from '../mm/memory_remap.ts'
import { do_mmap } from '../mm/mmap.ts'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../mm/mmap_flags.ts'
import type { MmStruct, Vm, VmArea } from '../mm/vm.ts'
import { createDevice, type Device } from '../of/reserved_mem.ts'
import { of_reserved_mem_device_init } from '../of/reserved_mem_device.ts'
import { findNode, property } from '../of/tree.ts'
import { bury, Fault, held, type Doers, type HeldKinds, type Outcome, type Run } from './scenario_context.ts'
import { areaOf, pageOf } from './scenario_steps_pages.ts'

interface DeviceWish {
  readonly mask: number
  readonly coherent: boolean
  readonly offset: number
  readonly busLimit: number
  readonly node?: string | undefined
}

function makeDevice(run: Run, { mask, coherent, offset, busLimit, node: path }: DeviceWish): Outcome {
  const { machine } = run.system
  const node = path === undefined ? null : findNode(machine.tree, path)
  if (path !== undefined && !node) {
    const text = `device: there is no node ${path} in the board's device tree`
    throw new Fault({
      rule: 'scenario-unknown-node',
      key: 'node',
      text,
      note: 'board.nodes adds nodes to the root',
    })
  }
  const dev = createDevice(
    run.scenario.steps[run.index]?.as ?? 'device',
    node,
    mask === 0 ? 0 : DMA_BIT_MASK(mask),
  )
  dev.dma_coherent = dev.dma_coherent || coherent
  dev.bus_dma_limit = busLimit
  if (offset !== 0) moveBus(dev, offset)
  const wants = node !== null && property(node, 'memory-region') !== null
  return { fields: { errno: wants ? of_reserved_mem_device_init(machine.reserved_mem, dev) : 0 }, made: dev }
}

// All of memory, moved by `offset` on the device's bus.
function moveBus(dev: Device, offset: number): void {
  const [cpu_start, dma_start] = offset > 0 ? [0, offset] : [-offset, 0]
  dev.dma_range_map = [{ cpu_start, dma_start, size: 2 ** 48 }]
}

function allocate(run: Run, device: string, size: Bytes, gfp: number, wc: boolean): Outcome {
  const { dma } = run.system
  const dev = held(run, device, 'device')
  const buffer = (wc ? dma_alloc_wc : dma_alloc_coherent)(dma, dev, size, gfp)
  if (!buffer) return { fields: { handle: null, pfn: null, cpu: null, type: null, from: null } }
  const { cpu_addr, dma_handle: handle } = buffer
  const phys = dma_to_phys(dma.kernel, dev, handle)
  const pfn = Math.floor(phys / dma.pageSize)
  const { type } = translate(dma.kernelMap, cpu_addr)
  const pool = (dev.dma_mem as DmaCoherentMem | null)?.mapping
  const pooled = pool !== undefined && phys >= pool.phys && phys < pool.phys + pool.size
  const from = pooled ? 'pool' : (areaOf(run, pfn)?.name ?? 'buddy')
  return { fields: { handle, pfn, cpu: cpu_addr, type, from }, made: { dev, cpu_addr, handle, size, wc } }
}

type Buffer = HeldKinds['buffer']

// A driver's mmap() under a program's: opens the device, maps, and says what came of it.
function mapThrough(
  run: Run,
  mm: MmStruct,
  size: Bytes,
  pgoff: number,
  mmap: (vm: Vm, vma: VmArea) => number,
): Outcome {
  const { vm, pgdat } = run.system
  const node = createDeviceNode('driver', { mmap: (each, _file, vma) => mmap(each, vma) })
  const file = openFile(vm, node)
  const request = { len: size, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED, file, pgoff }
  const va = do_mmap(vm, mm, request)
  if (va < 0) return { fields: { errno: va, type: null } }
  const pte = walk(mm.pgd, va)?.pte ?? 0n
  const length = Math.ceil(size / pgdat.pageSize) * pgdat.pageSize
  return {
    fields: { errno: 0, type: memoryTypeOf(pgdat.arch, pte) },
    made: { mm, va, size: length, pages: null },
  }
}

// Seed 002's way: the pages of the buffer, with the protection that the driver picks.
function remap(
  run: Run,
  name: string,
  mm: MmStruct,
  buffer: Buffer,
  how: 'PAGE_SHARED' | 'vm_page_prot' | 'writecombine',
) {
  const pfn = pageOf(run, name, 0)!
  const { arch } = run.system.pgdat
  return mapThrough(run, mm, buffer.size, 0, (vm, vma) => {
    const own = { vm_page_prot: vma.vm_page_prot, writecombine: pgprot_writecombine(arch, vma.vm_page_prot) }
    const prot = how === 'PAGE_SHARED' ? PAGE_SHARED(arch) : own[how]
    return remap_pfn_range(vm, vma, vma.vm_start, pfn, vma.vm_end - vma.vm_start, prot)
  })
}

export const dmaDoers: Doers<
  | 'device'
  | 'dma_alloc_coherent'
  | 'dma_alloc_wc'
  | 'dma_free_coherent'
  | 'dma_mmap_coherent'
  | 'remap_pfn_range'
> = {
  device: makeDevice,
  dma_alloc_coherent: (run, { device, size, gfp }) => allocate(run, device, size, gfp, false),
  dma_alloc_wc: (run, { device, size, gfp }) => allocate(run, device, size, gfp, true),
  dma_free_coherent: (run, { buffer: name, size }) => {
    const { dev, cpu_addr, handle, size: own, wc } = held(run, name, 'buffer')
    bury(run, name)
    ;(wc ? dma_free_wc : dma_free_coherent)(run.system.dma, dev, size ?? own, cpu_addr, handle)
    return {}
  },
  dma_mmap_coherent: (run, { process, buffer: name, size, pgoff }) => {
    const { dev, cpu_addr, handle, size: own, wc } = held(run, name, 'buffer')
    const map = wc ? dma_mmap_wc : dma_mmap_coherent
    return mapThrough(run, held(run, process, 'process'), size ?? own, pgoff, (_vm, vma) =>
      map(run.system.dma, dev, vma, cpu_addr, handle, own),
    )
  },
  remap_pfn_range: (run, { process, buffer, prot }) =>
    remap(run, buffer, held(run, process, 'process'), held(run, buffer, 'buffer'), prot),
}
// #endregion scenario-steps-dma
