// SPDX-License-Identifier: MIT
//
// Machines for the tests of streaming DMA: with pages to lend, devices that come and go by themselves, and a bounce buffer
// of a known place and size.
import { deviceRead, deviceWrite } from '../../code/arch/cpu.ts'
import { kernelRead, kernelWrite, __va } from '../../code/arch/kernel_map.ts'
import { dma_to_phys } from '../../code/dma/dma_address.ts'
import { sg_set_page, type Scatterlist } from '../../code/dma/scatterlist.ts'
import { INVALID_PHYS_ADDR, IO_TLB_SIZE, swiotlb_init_io_tlb_pool } from '../../code/dma/swiotlb_pool.ts'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import type { Bytes, DmaAddr, PhysAddr, VirtAddr } from '../../code/lib/units.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import type { System } from '../../code/machine/system.ts'
import type { Device } from '../../code/of/reserved_mem.ts'
import { PAGE, start, type Wish } from './dma_system.ts'

/** Every kernel of the models, on every architecture that it has in them. */
export const KERNELS: readonly { kernel: KernelVersion; arch: Arch }[] = [
  { kernel: '3.5', arch: 'arm' },
  { kernel: '3.9', arch: 'arm' },
  { kernel: '4.6', arch: 'arm' },
  { kernel: '4.6', arch: 'arm64' },
  { kernel: '4.12.4', arch: 'arm' },
  { kernel: '4.12.4', arch: 'arm64' },
  { kernel: '6.1.192', arch: 'arm' },
  { kernel: '6.1.192', arch: 'arm64' },
  { kernel: '6.12.117', arch: 'arm' },
  { kernel: '6.12.117', arch: 'arm64' },
]

/** Those that can bounce: arm64, and arm of 6.x with LPAE. */
export const BOUNCING = KERNELS.filter(({ kernel, arch }) => arch === 'arm64' || kernel.startsWith('6'))

/** Where the bounce buffer of these tests lies. What is below 0x48000000 besides, nobody gets. */
export const POOL: PhysAddr = 0x4400_0000

/** A machine with 1 GiB of RAM from 0x40000000 and a bounce buffer of `slots` slots at POOL; none at all for 0. */
export function withBounce(slots: number, wish: Wish = {}, areas = 1): System {
  const late = [{ op: 'reserve', base: 0x4000_0000, size: 0x800_0000 } as const]
  const system = start({ own: { late: slots ? late : [] }, ...wish })
  const { swiotlb } = system.dma
  Object.assign(swiotlb, { defpool: null, force_bounce: false, noForce: false, io_tlb_overflow_buffer: 0 })
  if (slots) {
    swiotlb.defpool = swiotlb_init_io_tlb_pool(POOL, slots, areas)
    swiotlb.io_tlb_overflow_buffer = POOL + slots * IO_TLB_SIZE
  }
  return system
}

/** 2^order pages that nobody else has: where they are, and what the kernel calls them. */
export function pages({ pgdat, kernelMap }: System, order = 0): { pa: PhysAddr; va: VirtAddr; pfn: number } {
  const pfn = __alloc_pages(pgdat, GFP_KERNEL, order)
  if (pfn === null) throw new Error('no pages')
  return { pfn, pa: pfn * PAGE, va: __va(kernelMap, pfn * PAGE) }
}

/** As the CPU sees and leaves them. */
export const cpuSees = ({ kernelMap }: System, va: VirtAddr, size: Bytes = 1) => [
  ...kernelRead(kernelMap, va, size),
]
export function cpuPuts({ kernelMap }: System, va: VirtAddr, bytes: readonly number[]): void {
  kernelWrite(kernelMap, va, Uint8Array.from(bytes))
}

/** As the device does, at the address that it was given. */
export function deviceSees({ dma, vm }: System, dev: Device, addr: DmaAddr, size: Bytes = 1): number[] {
  return [...deviceRead(vm.cpu, dma_to_phys(dma.kernel, dev, addr), size, dev.dma_coherent)]
}
export function devicePuts({ dma, vm }: System, dev: Device, addr: DmaAddr, bytes: readonly number[]): void {
  deviceWrite(vm.cpu, dma_to_phys(dma.kernel, dev, addr), Uint8Array.from(bytes), dev.dma_coherent)
}

/** A list of pieces. */
export function list(
  ...pieces: readonly (readonly [page: number, length: number, offset: number])[]
): Scatterlist[] {
  return pieces.map(([page, length, offset]) => {
    const sg = { page: 0, offset: 0, length: 0, dma_address: 0, dma_length: 0 }
    sg_set_page(sg, page, length, offset)
    return sg
  })
}

/** The slots of the bounce buffer: `.` free, `#` taken, in runs of 128. */
export function slotsDrawn({ dma }: System): string {
  const { list: free } = dma.swiotlb.defpool!
  return [...free].map((count) => (count > 0 ? '.' : '#')).join('')
}

/** What is wrong with the books of the slots; nothing. */
export function slotFaults({ dma }: System): string[] {
  const pool = dma.swiotlb.defpool!
  const faults: string[] = []
  for (let i = pool.nslabs - 1; i >= 0; i--) {
    const next = (i + 1) % 128 === 0 || i + 1 === pool.nslabs ? 0 : pool.list[i + 1]!
    const taken = pool.list[i] === 0
    if (!taken && pool.list[i] !== next + 1) faults.push(`slot ${i} counts ${pool.list[i]} before ${next}`)
    if (taken === (pool.orig_addr[i] === INVALID_PHYS_ADDR)) faults.push(`slot ${i} and its origin disagree`)
  }
  const used = [...pool.list].filter((count) => count === 0).length
  const counted = pool.areas.reduce((sum, area) => sum + area.used, 0)
  if (used !== counted) faults.push(`${used} slots taken, ${counted} counted`)
  return faults
}
