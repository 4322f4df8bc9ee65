// SPDX-License-Identifier: MIT
//
// What may happen to DMA buffers in the laws: they are got and freed, the kernel, the device and processes write to them.
import { deviceRead, deviceWrite } from '../../code/arch/cpu.ts'
import { kernelRead, kernelWrite } from '../../code/arch/kernel_map.ts'
import { aliasMismatch, dma_mmap_attrs } from '../../code/dma/dma_mmap.ts'
import { DMA_ATTR_WRITE_COMBINE } from '../../code/dma/dma_state.ts'
import { dma_alloc_attrs, dma_free_attrs } from '../../code/dma/mapping.ts'
import { ENOMEM } from '../../code/lib/errno.ts'
import { createDeviceNode, fput, openFile } from '../../code/mm/file.ts'
import * as gfp from '../../code/mm/gfp.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap } from '../../code/mm/mmap_unmap.ts'
import type { FileOperations, VmOperations } from '../../code/mm/vm.ts'
import { PAGE } from './laws_machines.ts'
import {
  deviceOf,
  ENDS,
  happened,
  law,
  physOf,
  processOf,
  stamp,
  stamped,
  vaOf,
  WINDOW,
  type Buffer,
  type World,
} from './laws_world.ts'

/** A buffer of any device; it is zero, unless it is of arm's atomic pool. */
export function dmaAlloc(world: World, a: number, b: number): void {
  const { dma } = world.system
  if (world.buffers.length >= 12) return
  const device = a % world.devices.length
  const { dev } = world.devices[device]!
  const pages = b % 6 === 0 ? 1 + ((a >> 2) % 200) : 1 + ((a >> 2) % 10)
  const attrs = (b >> 4) % 2 ? DMA_ATTR_WRITE_COMBINE : 0
  const atomic = (b >> 5) % 5 === 0
  const flags = (atomic ? gfp.GFP_ATOMIC : gfp.GFP_KERNEL) | gfp.__GFP_NOWARN
  const got = dma_alloc_attrs(dma, dev, pages * PAGE, flags, attrs)
  if (!got) return happened(world, 'dma_alloc fails')
  happened(world, 'dma_alloc succeeds')
  const cells = Array.from({ length: pages }, () => ({ value: 0 }))
  const buffer: Buffer = { device, pages, attrs, buffer: got, cells, vmas: 0 }
  world.buffers.push(buffer)
  // The atomic pool of arm gives what the last owner left.
  if (dma.arch === 'arm' && atomic) for (let page = 0; page < pages; page++) dmaWrite(world, buffer, page)
  for (let page = 0; page < pages; page++) dmaRead(world, buffer, page)
}

/** The kernel writes the next number. */
export function dmaWrite(world: World, buffer: Buffer, page: number): void {
  const value = world.nextValue++
  for (const at of ENDS)
    kernelWrite(world.system.dma.kernelMap, buffer.buffer.cpu_addr + page * PAGE + at, stamp(value))
  buffer.cells[page]!.value = value
}

/** The kernel and the device find the same. */
export function dmaRead(world: World, buffer: Buffer, page: number): void {
  const { dma, vm } = world.system
  const { value } = buffer.cells[page]!
  for (const at of ENDS) {
    const kernel = stamped(kernelRead(dma.kernelMap, buffer.buffer.cpu_addr + page * PAGE + at, 8))
    const device = stamped(
      deviceRead(vm.cpu, physOf(world, buffer, page) + at, 8, deviceOf(world, buffer).coherent),
    )
    law(kernel === value && device === value, () => {
      const { dev } = deviceOf(world, buffer)
      return `buffer of ${dev.name}, page ${page}+${at}: kernel ${kernel}, device ${device}, expected ${value}`
    })
  }
}

/** The device writes the next number. */
export function deviceWrites(world: World, buffer: Buffer, page: number): void {
  const value = world.nextValue++
  const { coherent } = deviceOf(world, buffer)
  for (const at of ENDS)
    deviceWrite(world.system.vm.cpu, physOf(world, buffer, page) + at, stamp(value), coherent)
  buffer.cells[page]!.value = value
}

/** Frees one that nobody maps, if there is one. */
export function dmaFree(world: World, a: number): void {
  const free = world.buffers.filter(({ vmas }) => vmas === 0)
  const buffer = free[a % Math.max(1, free.length)]
  if (buffer) freeBuffer(world, buffer)
}

/** Frees a buffer that nobody maps. */
export function freeBuffer(world: World, buffer: Buffer): void {
  for (let page = 0; page < buffer.pages; page++) dmaRead(world, buffer, page)
  const { cpu_addr, dma_handle } = buffer.buffer
  const { dev } = deviceOf(world, buffer)
  dma_free_attrs(world.system.dma, dev, buffer.pages * PAGE, cpu_addr, dma_handle, buffer.attrs)
  world.buffers.splice(world.buffers.indexOf(buffer), 1)
}

// A driver's file: what it maps is the buffer in private_data.
const bufferVmOperations: VmOperations = {
  open: (_vm, vma) => void (vma.vm_private_data as Buffer).vmas++,
  close: (_vm, vma) => void (vma.vm_private_data as Buffer).vmas--,
}

interface Mapping {
  readonly world: World
  readonly buffer: Buffer
  deaf: boolean
}

const bufferFileOperations: FileOperations = {
  mmap: (_vm, file, vma) => {
    const mapping = file.private_data as Mapping
    const { world, buffer } = mapping
    const { cpu_addr, dma_handle } = buffer.buffer
    const { dev } = deviceOf(world, buffer)
    const size = buffer.pages * PAGE
    const rc = dma_mmap_attrs(world.system.dma, dev, vma, cpu_addr, dma_handle, size, buffer.attrs)
    if (rc !== 0) return rc
    mapping.deaf = aliasMismatch(world.system.dma, vma, cpu_addr) !== null
    vma.vm_ops = bufferVmOperations
    vma.vm_private_data = buffer
    buffer.vmas++
    return 0
  },
}

/** A process maps up to 12 pages of a buffer. */
export function dmaMap(world: World, a: number, b: number): void {
  const { vm } = world.system
  const buffer = world.buffers[b % Math.max(1, world.buffers.length)]
  if (!buffer) return
  const { mm, seen } = processOf(world, a)
  const pages = Math.min(buffer.pages, 12)
  const first = (a >> 4) % (WINDOW - pages + 1)
  const pgoff = (b >> 8) % (buffer.pages - pages + 1)
  // Room is made first: what is left of the old when the driver refuses, depends on the version.
  do_munmap(vm, mm, vaOf(first), pages * PAGE)
  for (let i = 0; i < pages; i++) seen.delete(first + i)
  const file = openFile(vm, createDeviceNode('dev/law', bufferFileOperations))
  const mapping: Mapping = { world, buffer, deaf: false }
  file.private_data = mapping
  const prot = flag.PROT_READ | flag.PROT_WRITE
  const flags = flag.MAP_FIXED | flag.MAP_SHARED
  const at = do_mmap(vm, mm, { len: pages * PAGE, prot, flags, addr: vaOf(first), pgoff, file })
  fput(vm, file)
  if (at < 0) {
    // Not even the page tables.
    law(at === -ENOMEM, () => `dma_mmap returned ${at} for ${pages} pages from ${pgoff} of ${buffer.pages}`)
    return happened(world, 'dma_mmap without memory')
  }
  happened(world, mapping.deaf ? 'dma_mmap with two memory types' : 'dma_mmap')
  for (let i = 0; i < pages; i++)
    seen.set(first + i, { cell: buffer.cells[pgoff + i]!, private: false, ofFile: false, deaf: mapping.deaf })
}

/** Does something to a page of a buffer. */
export function withBuffer(world: World, a: number, b: number, act: typeof dmaWrite): void {
  const buffer = world.buffers[a % Math.max(1, world.buffers.length)]
  if (buffer) act(world, buffer, b % buffer.pages)
}
