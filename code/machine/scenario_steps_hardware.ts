// SPDX-License-Identifier: MIT
//
// Steps of the hardware: the CPU loads and stores through whichever mapping a result has, the device through RAM or, if it
// is coherent, past the caches; and the cache does what it does by itself.
//
//     - write: { in: packet, bytes: hello }               the kernel's address of pages, of a buffer; a program's of an area
//     - deviceRead: { in: sent, size: 5 }                 what the device sees
//         gives: { text: hello }
//     - prefetch: { in: packet }                          lines come in that nobody asked for
//
// A read gives `bytes`, `text` (UTF-8) and `byte`, the value of all bytes when they are equal.

// #region scenario-steps-hardware
import { deviceRead, deviceWrite } from '../arch/cpu.ts'
import { evict, prefetch } from '../arch/cache.ts'
import { kernelRead, kernelWrite, translate, __va } from '../arch/kernel_map.ts'
import { dma_to_phys } from '../dma/dma_address.ts'
import { userRead, userWrite } from '../mm/uaccess.ts'
import type { Bytes, PhysAddr, VirtAddr } from '../lib/units.ts'
import type { MmStruct } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import { Fault, held, heldAny, type Doers, type Field, type Fields, type Run } from './scenario_context.ts'
import { mappedPfn, pagesIn, userAddress } from './scenario_user.ts'

// Where the CPU goes: an address of the kernel, or of a process.
interface CpuPlace {
  readonly mm: MmStruct | null
  readonly va: VirtAddr
  readonly size: Bytes
}

function cpuPlace(run: Run, name: string, by?: string): CpuPlace {
  const { kernelMap, pgdat, vm } = run.system
  const { kind } = heldAny(run, name)
  if (kind === 'area') {
    const area = held(run, name, 'area')
    const mm = by === undefined ? area.mm : held(run, by, 'process')
    return { mm, va: userAddress(vm, area, 0), size: pagesIn(vm, area) * pgdat.pageSize }
  }
  if (kind === 'buffer') {
    const { cpu_addr, size } = held(run, name, 'buffer')
    return { mm: null, va: cpu_addr, size }
  }
  const { pfn, pages } = pagesOf(run, name)
  return { mm: null, va: __va(kernelMap, pfn * pgdat.pageSize), size: pages * pgdat.pageSize }
}

/** The pages of a result that has such in a row. */
export function pagesOf(run: Run, name: string): { pfn: number; pages: number } {
  if (heldAny(run, name).kind === 'range') {
    const { pfn, count } = held(run, name, 'range')
    return { pfn, pages: count }
  }
  const { pfn, order } = held(run, name, 'pages')
  return { pfn, pages: 2 ** order }
}

// `size` bytes from `offset` on; without a size, to the end. @throws Fault behind it
function within(run: Run, name: string, all: Bytes, offset: Bytes, size: Bytes | undefined): Bytes {
  const wanted = size ?? all - offset
  if (offset + wanted <= all && wanted > 0) return wanted
  throw new Fault({
    ...{ rule: 'scenario-outside', key: 'offset' },
    text: `${run.verb}: bytes ${offset} to ${offset + wanted - 1} of ${name}, expected inside 0 to ${all - 1}`,
  })
}

// What a read gives.
function given(bytes: Uint8Array): Fields {
  const first = bytes[0] ?? null
  const text = new TextDecoder().decode(bytes).replace(/\0+$/, '')
  return { bytes: [...bytes], text, byte: bytes.every((each) => each === first) ? first : null }
}

// At most so many bytes are shown of a read that did not say how many.
const UNSAID = 64

// Where a device goes with the address that it was given.
interface DevicePlace {
  readonly dev: Device
  readonly pa: PhysAddr
  readonly size: Bytes
}

function devicePlace(run: Run, name: string, entry: number): DevicePlace {
  const { kernel } = run.system.machine
  const { kind } = heldAny(run, name)
  if (kind === 'sgmap') return sgPlace(run, name, entry)
  const { dev, handle, size } = kind === 'buffer' ? held(run, name, 'buffer') : held(run, name, 'map')
  return { dev, pa: dma_to_phys(kernel, dev, handle), size }
}

function sgPlace(run: Run, name: string, entry: number): DevicePlace {
  const { dev, sg } = held(run, name, 'sgmap')
  const piece = sg[entry]
  if (piece && piece.dma_length > 0) {
    return { dev, pa: dma_to_phys(run.system.machine.kernel, dev, piece.dma_address), size: piece.dma_length }
  }
  const text = `${run.verb}: ${name} has no entry ${entry}, expected 0 to ${sg.length - 1}`
  throw new Fault({ rule: 'scenario-outside', key: 'entry', text })
}

// The physical pieces of what the CPU sees at a place: pages of a process lie anywhere.
function lines(
  run: Run,
  name: string,
  offset: Bytes,
  size: Bytes | undefined,
  act: (pa: PhysAddr) => void,
): void {
  const { kernelMap, pgdat, vm } = run.system
  const place = cpuPlace(run, name)
  const count = within(run, name, place.size, offset, size)
  const { lineSize } = vm.cpu.l1
  const from = place.va + offset
  for (let va = from - (from % lineSize); va < from + count; va += lineSize) {
    if (!place.mm) {
      act(translate(kernelMap, va).pa)
      continue
    }
    const page = va - (va % pgdat.pageSize)
    const pfn = mappedPfn(vm, place.mm, page)
    if (pfn !== null) act(pfn * pgdat.pageSize + (va - page))
  }
}

const cpuDoers: Doers<'write' | 'read'> = {
  write: (run, { in: name, offset, bytes, by }) => {
    const place = cpuPlace(run, name, by)
    within(run, name, place.size, offset, bytes.length)
    const data = Uint8Array.from(bytes)
    if (!place.mm) {
      kernelWrite(run.system.kernelMap, place.va + offset, data)
      return { fields: { signal: null } }
    }
    return { fields: { signal: userWrite(run.system.vm, place.mm, place.va + offset, data) } }
  },
  read: (run, { in: name, offset, size, by }) => {
    const place = cpuPlace(run, name, by)
    const count = within(run, name, place.size, offset, size ?? Math.min(UNSAID, place.size - offset))
    if (!place.mm)
      return {
        fields: { ...given(kernelRead(run.system.kernelMap, place.va + offset, count)), signal: null },
      }
    const got = userRead(run.system.vm, place.mm, place.va + offset, count)
    if (typeof got === 'string') return { fields: { ...NOTHING, signal: got } }
    return { fields: { ...given(got), signal: null } }
  },
}

const NOTHING: Readonly<Record<string, Field>> = { bytes: null, text: null, byte: null }

const deviceDoers: Doers<'deviceWrite' | 'deviceRead' | 'prefetch' | 'evict'> = {
  deviceWrite: (run, { in: name, entry, offset, bytes }) => {
    const { dev, pa, size } = devicePlace(run, name, entry)
    within(run, name, size, offset, bytes.length)
    deviceWrite(run.system.vm.cpu, pa + offset, Uint8Array.from(bytes), dev.dma_coherent)
    return {}
  },
  deviceRead: (run, { in: name, entry, offset, size }) => {
    const { dev, pa, size: all } = devicePlace(run, name, entry)
    const count = within(run, name, all, offset, size ?? Math.min(UNSAID, all - offset))
    return { fields: given(deviceRead(run.system.vm.cpu, pa + offset, count, dev.dma_coherent)) }
  },
  prefetch: (run, { in: name, offset, size }) => {
    lines(run, name, offset, size, (pa) => prefetch(run.system.vm.cpu.l1, pa))
    return {}
  },
  evict: (run, { in: name, offset, size }) => {
    lines(run, name, offset, size, (pa) => evict(run.system.vm.cpu.l1, pa))
    return {}
  },
}

export const hardwareDoers = { ...cpuDoers, ...deviceDoers }
// #endregion scenario-steps-hardware
