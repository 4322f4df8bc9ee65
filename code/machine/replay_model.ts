// SPDX-License-Identifier: MIT
//
// Makes the calls of replay_steps.ts on a model: what kernel/replay and kernel/user/replay_run.c do on a kernel, with the
// same files, the same lifetimes and the same words for what came of it.
//
//     const replay = startReplay(system)
//     makeCall(replay, { call: 'alloc', buffer: 0, device: 'replay-area', size: 4096, flags: 0 })
//     → { errno: 0, values: { address: '50000000' }, events: ['cma_alloc_start: name=area@50000000 count=1 align=0', …], log: [] }
//
// A buffer is an open file's: it is freed after the last close and the last munmap. Workers run when `wait` says so.

// #region replay-model-imports
import { DMA_BIT_MASK, dma_to_phys } from '../dma/dma_address.ts'
import { dma_mmap_attrs } from '../dma/dma_mmap.ts'
import {
  DMA_ATTR_NO_KERNEL_MAPPING,
  DMA_ATTR_NO_WARN,
  DMA_ATTR_WRITE_COMBINE,
  type DmaBuffer,
} from '../dma/dma_state.ts'
import { dma_alloc_attrs, dma_free_attrs } from '../dma/mapping.ts'
import { dma_set_coherent_mask, dma_set_mask_and_coherent } from '../dma/mask.ts'
import { atomic_pool_work_fn } from '../dma/pool.ts'
import { EBADF, EBUSY, EINVAL, ENOENT, ENOMEM, ENOSPC } from '../lib/errno.ts'
import { KiB, type Bytes, type Pfn, type VirtAddr } from '../lib/units.ts'
import { createDeviceNode, fput, openFile } from '../mm/file.ts'
import { GFP_ATOMIC, GFP_KERNEL } from '../mm/gfp.ts'

import { do_madvise, MADV_DONTNEED } from '../mm/madvise.ts'
import { NR_FREE_CMA_PAGES, PG_reserved } from '../mm/mmzone.ts'
import { __free_pages } from '../mm/page_alloc.ts'
import { mlock } from '../mm/mlock.ts'
import { do_mmap } from '../mm/mmap.ts'
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../mm/mmap_flags.ts'
import { do_munmap } from '../mm/mmap_unmap.ts'
import { createProcess, vma_lookup } from '../mm/mm_struct.ts'
import { mremap, MREMAP_MAYMOVE } from '../mm/mremap.ts'
import { show_smap_vma_flags } from '../mm/smaps.ts'
import { userRead, userWrite } from '../mm/uaccess.ts'
import type { File, MmStruct, VmArea } from '../mm/vm.ts'
import { of_dma_configure } from '../of/device.ts'
import { createDevice, type Device } from '../of/reserved_mem.ts'
import {
  of_reserved_mem_device_init_by_idx,
  of_reserved_mem_device_release,
} from '../of/reserved_mem_device.ts'
import type { DtNode } from '../of/tree.ts'
import { eventLines, type Answer } from './replay_answers.ts'
import { REPLAY_ATOMIC, REPLAY_NO_MAPPING, REPLAY_NO_WARN, REPLAY_WRITE_COMBINE } from './replay_steps.ts'
import type { ReplayStep } from './replay_steps.ts'
import type { System } from './system.ts'

// An open file and the one buffer that it may hold; `vma` as the last mmap left it.
interface OpenBuffer {
  readonly device: ReplayDevice
  readonly file: File
  readonly size: Bytes
  readonly attrs: number
  buffer: DmaBuffer | null
  vma: VmArea | null
}

interface ReplayDevice {
  readonly dev: Device
  buffers: number
  /** Pages with a reference of its own, the oldest first. */
  readonly held: Pfn[]
}

interface Mapping {
  readonly va: VirtAddr
  readonly bytes: Bytes
}

/** A machine that makes calls. */
export interface Replay {
  readonly system: System
  readonly mm: MmStruct
  readonly devices: Map<string, ReplayDevice>
  readonly buffers: Map<number, OpenBuffer>
  readonly mappings: Map<number, Mapping>
}

type Values = Record<string, string>
type Gives = { readonly errno: number; readonly values?: Values }
// #endregion replay-model-imports

// #region replay-model-start
/** The devices of the tree that are `contiguous,replay`, probed; and the process that will call. */
export function startReplay(system: System): Replay {
  const devices = new Map<string, ReplayDevice>()
  const visit = (node: DtNode, path: readonly string[]): void => {
    const here = node.parent ? [...path, node.name] : path
    if (compatibleWith(node, 'contiguous,replay')) {
      // As the platform bus names a device without a place: its node behind those above it.
      const dev = createDevice(here.join(':'), node)
      of_dma_configure(system.machine.kernel, dev)
      dma_set_mask_and_coherent(system.dma, dev, DMA_BIT_MASK(32))
      devices.set(node.name, { dev, buffers: 0, held: [] })
    }
    for (const child of node.children) visit(child, here)
  }
  visit(system.machine.tree.root, [])
  system.trace.enabled = true
  const mm = createProcess(system.vm, 'replay_run')
  return { system, mm, devices, buffers: new Map(), mappings: new Map() }
}

function compatibleWith(node: DtNode, name: string): boolean {
  const value = node.properties.find((each) => each.name === 'compatible')?.value
  return value !== undefined && new TextDecoder().decode(value).split('\0').includes(name)
}

// A buffer or mapping that there is not, because it could not be had.
const NONE: Gives = { errno: -EBADF }

function deviceOf({ devices }: Replay, name: string): ReplayDevice {
  const device = devices.get(name)
  if (device) return device
  const all = [...devices.keys()].join(', ') || 'none'
  throw new Error(`makeCall: there is no device ${name} in the tree, only ${all}`)
}

function attrsOf(flags: number): number {
  return (
    (flags & REPLAY_WRITE_COMBINE ? DMA_ATTR_WRITE_COMBINE : 0) |
    (flags & REPLAY_NO_MAPPING ? DMA_ATTR_NO_KERNEL_MAPPING : 0) |
    (flags & REPLAY_NO_WARN ? DMA_ATTR_NO_WARN : 0)
  )
}

type AllocStep = Extract<ReplayStep, { call: 'alloc' }>

function alloc(replay: Replay, { buffer: number, device: name, size, flags }: AllocStep): Gives {
  const { dma, vm } = replay.system
  const device = deviceOf(replay, name)
  if (replay.buffers.has(number)) return { errno: -EBUSY }
  const attrs = attrsOf(flags)
  const buffer = dma_alloc_attrs(
    dma,
    device.dev,
    size,
    flags & REPLAY_ATOMIC ? GFP_ATOMIC : GFP_KERNEL,
    attrs,
  )
  if (!buffer) return { errno: -ENOMEM }
  const mmap = (_vm: unknown, _file: unknown, vma: VmArea): number => {
    open.vma = vma
    return dma_mmap_attrs(dma, device.dev, vma, buffer.cpu_addr, buffer.dma_handle, size, attrs)
  }
  const file = openFile(vm, createDeviceNode(name, { mmap, release: () => release(replay, open) }))
  const open: OpenBuffer = { device, file, size, attrs, buffer, vma: null }
  device.buffers++
  replay.buffers.set(number, open)
  return { errno: 0, values: { address: buffer.dma_handle.toString(16) } }
}

function release({ system }: Replay, open: OpenBuffer): void {
  const { buffer, device, size, attrs } = open
  if (!buffer) return
  dma_free_attrs(system.dma, device.dev, size, buffer.cpu_addr, buffer.dma_handle, attrs)
  device.buffers--
  open.buffer = null
}

function free(replay: Replay, number: number): Gives {
  const open = replay.buffers.get(number)
  if (!open) return NONE
  replay.buffers.delete(number)
  fput(replay.system.vm, open.file)
  return { errno: 0 }
}

type MapStep = Extract<ReplayStep, { call: 'map' }>

function map(replay: Replay, step: MapStep): Gives {
  const { vm } = replay.system
  if (replay.mappings.has(step.mapping)) return { errno: -EBUSY }
  const open = replay.buffers.get(step.buffer)
  if (!open) return NONE
  const prot = PROT_READ | (step.write ? PROT_WRITE : 0)
  const flags = step.shared ? MAP_SHARED : MAP_PRIVATE
  const va = do_mmap(vm, replay.mm, { len: step.bytes, prot, flags, file: open.file, pgoff: step.pgoff })
  const vma = open.vma
  const values: Values = vma
    ? { flags: hex(vma.vm_flags), prot: hex(vma.vm_page_prot), pgoff: hex(vma.vm_pgoff) }
    : { flags: '0', prot: '0', pgoff: '0' }
  if (va < 0) return { errno: va, values }
  replay.mappings.set(step.mapping, { va, bytes: step.bytes })
  const words = show_smap_vma_flags(vm, vma_lookup(replay.mm, va)!).split(' ').slice(1)
  return { errno: 0, values: { ...values, vmflags: words.join(',') } }
}

const hex = (value: number | bigint): string => value.toString(16)

function unmap(replay: Replay, number: number, { va, bytes }: Mapping): Gives {
  replay.mappings.delete(number)
  return { errno: do_munmap(replay.system.vm, replay.mm, va, bytes) }
}

function grow(replay: Replay, number: number, { va, bytes }: Mapping): Gives {
  const { vm } = replay.system
  const more = bytes + vm.pgdat.pageSize
  const moved = mremap(vm, replay.mm, va, bytes, more, MREMAP_MAYMOVE)
  if (moved < 0) return { errno: moved }
  replay.mappings.set(number, { va: moved, bytes: more })
  return { errno: 0 }
}
// #endregion replay-model-start

// #region replay-model-contents
function fill(replay: Replay, { va, bytes }: Mapping, byte: number): Gives {
  const signal = userWrite(replay.system.vm, replay.mm, va, new Uint8Array(bytes).fill(byte))
  if (signal !== null) throw new Error(`makeCall: fill at 0x${hex(va)}: ${signal}; fill what is writable`)
  return { errno: 0 }
}

const FNV_PRIME = 0x0100_0193
const fnv = (hash: number, word: number): number => Math.imul(hash ^ word, FNV_PRIME)

// FNV-1a over the 32-bit words of all pages that are mapped.
function sum(replay: Replay, { va, bytes }: Mapping): Gives {
  const { vm } = replay.system
  const whole = Math.ceil(bytes / vm.pgdat.pageSize) * vm.pgdat.pageSize
  const read = userRead(vm, replay.mm, va, whole)
  if (typeof read === 'string') throw new Error(`makeCall: sum at 0x${hex(va)}: ${read}`)
  const words = new DataView(read.buffer, read.byteOffset, read.byteLength)
  let hash = 0x811c_9dc5
  for (let at = 0; at < whole; at += 4) hash = fnv(hash, words.getUint32(at, true))
  return { errno: 0, values: { sum: hex(hash < 0 ? hash + 2 ** 32 : hash) } }
}
// #endregion replay-model-contents

// #region replay-model-hold
const MOST_HELD = 8

// The first page of a block of the buddy allocator has a count, the others have none; those of a pool are not the kernel's.
function hold(replay: Replay, number: number, index: number): Gives {
  const { dma, vm, machine } = replay.system
  const open = replay.buffers.get(number)
  if (!open?.buffer) return NONE
  const { device, buffer, attrs, size } = open
  if (index >= Math.ceil(size / dma.pageSize)) return { errno: -EINVAL }
  if (device.held.length === MOST_HELD) return { errno: -ENOSPC }
  const pfn = Math.floor(dma_to_phys(machine.kernel, device.dev, buffer.dma_handle) / dma.pageSize) + index
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  const ours = (map.flags[at]! & PG_reserved) === 0 && map.refcount[at]! > 0
  if (attrs & DMA_ATTR_NO_KERNEL_MAPPING || !ours) return { errno: -EINVAL }
  map.refcount[at]!++
  device.held.push(pfn)
  return { errno: 0 }
}

function drop(replay: Replay, name: string): Gives {
  const pfn = deviceOf(replay, name).held.shift()
  if (pfn === undefined) return { errno: -ENOENT }
  __free_pages(replay.system.pgdat, pfn, 0)
  return { errno: 0 }
}
// #endregion replay-model-hold

// #region replay-model-device
function mask(replay: Replay, name: string, bits: number): Gives {
  return { errno: dma_set_coherent_mask(replay.system.dma, deviceOf(replay, name).dev, DMA_BIT_MASK(bits)) }
}

// kernel/replay lets regions come and go only while its device has no buffer.
function attach(replay: Replay, name: string, index: number): Gives {
  const { machine } = replay.system
  const { dev, buffers } = deviceOf(replay, name)
  if (buffers > 0) return { errno: -EBUSY }
  return { errno: of_reserved_mem_device_init_by_idx(machine.reserved_mem, dev, dev.of_node, index) }
}

function detach(replay: Replay, name: string): Gives {
  const { dev, buffers } = deviceOf(replay, name)
  if (buffers > 0) return { errno: -EBUSY }
  of_reserved_mem_device_release(replay.system.machine.reserved_mem, dev)
  return { errno: 0 }
}

// Pages that were freed are in the zone at once, for there are no lists of a CPU's own (MC-2.10).
function count({ system: { pgdat } }: Replay): Gives {
  const free = pgdat.zones.reduce((all, zone) => all + zone.vm_stat[NR_FREE_CMA_PAGES]!, 0)
  const { cma_alloc_success, cma_alloc_fail } = pgdat.vm_event
  return {
    errno: 0,
    values: {
      nr_free_cma: hex(free),
      cma_alloc_success: hex(cma_alloc_success),
      cma_alloc_fail: hex(cma_alloc_fail),
      // kB, as in /proc/meminfo.
      CmaTotal: hex((pgdat.totalcma_pages * pgdat.pageSize) / KiB(1)),
    },
  }
}

function gives(replay: Replay, step: ReplayStep): Gives {
  const { vm, dma } = replay.system
  switch (step.call) {
    case 'alloc':
      return alloc(replay, step)
    case 'free':
      return free(replay, step.buffer)
    case 'map':
      return map(replay, step)
    case 'hold':
      return hold(replay, step.buffer, step.page)
    case 'drop':
      return drop(replay, step.device)
    case 'mask':
      return mask(replay, step.device, step.bits)
    case 'attach':
      return attach(replay, step.device, step.index)
    case 'detach':
      return detach(replay, step.device)
    case 'count':
      return count(replay)
    case 'wait':
      if (dma.atomic.workPending) atomic_pool_work_fn(dma)
      return { errno: 0 }
    default:
      return givesMapped(replay, step, vm)
  }
}

type MappedStep = Exclude<Extract<ReplayStep, { mapping: number }>, { call: 'map' }>

function givesMapped(replay: Replay, step: MappedStep, vm: System['vm']): Gives {
  const mapping = replay.mappings.get(step.mapping)
  if (!mapping) return NONE
  const { va, bytes } = mapping
  switch (step.call) {
    case 'unmap':
      return unmap(replay, step.mapping, mapping)
    case 'grow':
      return grow(replay, step.mapping, mapping)
    case 'dontneed':
      return { errno: do_madvise(vm, replay.mm, va, bytes, MADV_DONTNEED) }
    case 'lock':
      return { errno: mlock(vm, replay.mm, va, bytes) }
    case 'fill':
      return fill(replay, mapping, step.byte)
    case 'sum':
      return sum(replay, mapping)
  }
}
// #endregion replay-model-device

// #region replay-model-make-call
/** Makes one call and says what came of it, with the events meanwhile. */
export function makeCall(replay: Replay, step: ReplayStep): Answer {
  const { trace, machine, printk } = replay.system
  trace.records.length = 0
  const said = printk.lines.length
  const { errno, values = {} } = gives(replay, step)
  return { errno, values, events: eventLines(trace.records, machine.kernel), log: printk.lines.slice(said) }
}
// #endregion replay-model-make-call
