// SPDX-License-Identifier: MIT
//
// The kernel's own mappings: the linear map, where memory lies in one piece and cacheable, and the vmalloc area, where
// single pages are put side by side, under a memory type of their own.
//
//     __va(map, pa)              an address of the linear map: no mapping is made
//     vmap(map, pfns, type)      an address of the vmalloc area, with an unmapped guard page behind it
//     kernelRead/kernelWrite     through a mapping: its memory type decides whether the caches are asked
//
// A page with both has two addresses; when their types differ, they may show different bytes.
// Areas are taken first-fit. Leaves out: the kernel's page tables (a list of areas stands for them), lazily freed
// areas, highmem's kmap, huge mappings.

// #region kernel-map-imports
import type { Bytes, Pfn, PhysAddr, VirtAddr } from '../lib/units.ts'
import type { Cpu } from './cpu.ts'
import { cpuReadInto, cpuWrite } from './cpu.ts'
import type { KernelLayout, LayoutOptions } from './kernel_layout.ts'
import { formatVa, kernelLayout } from './kernel_layout.ts'
import type { MemoryType } from './memory_type.ts'
// #endregion kernel-map-imports

// #region kernel-map-state
/** An area of the vmalloc area. */
export interface VmallocArea {
  readonly va: VirtAddr
  readonly pfns: readonly Pfn[]
  readonly type: MemoryType
}

/** What is mapped in the kernel. */
export interface KernelMap extends Required<Pick<LayoutOptions, 'arch' | 'pageSize'>> {
  readonly layout: KernelLayout
  readonly cpu: Cpu
  /** Physical address at PAGE_OFFSET: PHYS_OFFSET, `memstart_addr`. */
  readonly phys_offset: PhysAddr
  /** Whether the linear map has the page of `pa`: RAM, not NOMAP, on arm not highmem. */
  readonly linear: (pa: PhysAddr) => boolean
  /** Pages of the linear map that are not 'normal'. */
  readonly linearTypes: Map<Pfn, MemoryType>
  /** By address. */
  readonly areas: VmallocArea[]
}
// #endregion kernel-map-state

// #region kernel-map-create
/** What a kernel maps at boot. `phys_offset` is the first RAM, on arm64 rounded down to 1 GiB. */
export function createKernelMap(
  options: LayoutOptions & Pick<KernelMap, 'cpu' | 'linear' | 'phys_offset'>,
): KernelMap {
  const { arch, pageSize, cpu, linear, phys_offset } = options
  const layout = kernelLayout(options)
  return { arch, pageSize, layout, cpu, phys_offset, linear, linearTypes: new Map(), areas: [] }
}
// #endregion kernel-map-create

// #region kernel-map-linear
/**
 * The linear address of `pa`. As in Linux it is arithmetic: nothing says that there is a mapping.
 * @kernel arch/arm64/include/asm/memory.h __va() v6.12
 */
export function __va({ layout, phys_offset }: KernelMap, pa: PhysAddr): VirtAddr {
  return pa - phys_offset + layout.pageOffset
}

/**
 * The physical address behind a linear address. Throws for another one, of which Linux makes nonsense: of a vmalloc
 * address, `vmalloc_to_page()` knows more.
 * @kernel arch/arm64/include/asm/memory.h __pa() v6.12
 */
export function __pa(map: KernelMap, va: VirtAddr): PhysAddr {
  const { pageOffset, linearEnd } = map.layout
  if (va >= pageOffset && va < linearEnd) return va - pageOffset + map.phys_offset
  throw new Error(
    `__pa: got 0x${formatVa(map.arch, va)}, expected a linear address in 0x${formatVa(map.arch, pageOffset)}..` +
      `0x${formatVa(map.arch, linearEnd - 1)}; for a vmalloc address call vmalloc_to_page()`,
  )
}
// #endregion kernel-map-linear

// #region kernel-map-kinds
/** Whether `va` lies in the vmalloc area, mapped or not. @kernel mm/vmalloc.c is_vmalloc_addr() v6.12 */
export function is_vmalloc_addr({ layout }: KernelMap, va: VirtAddr): boolean {
  return va >= layout.vmallocStart && va < layout.vmallocEnd
}

/**
 * Changes the memory type of `count` pages of the linear map: what arm does to a CMA buffer in lowmem.
 * @kernel arch/arm/mm/dma-mapping.c __dma_remap() v6.12
 */
export function setLinearType({ linearTypes }: KernelMap, pfn: Pfn, count: number, type: MemoryType): void {
  for (let i = 0; i < count; i++)
    if (type === 'normal') linearTypes.delete(pfn + i)
    else linearTypes.set(pfn + i, type)
}
// #endregion kernel-map-kinds

// #region kernel-map-areas
// How many areas begin at or below `va`.
function areasUpTo(areas: readonly VmallocArea[], va: VirtAddr): number {
  let low = 0
  let high = areas.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (areas[middle]!.va <= va) low = middle + 1
    else high = middle
  }
  return low
}

function areaSize({ pageSize }: KernelMap, { pfns }: VmallocArea): Bytes {
  return pfns.length * pageSize
}

// The area that has `va`, its guard page not included.
function areaAt(map: KernelMap, va: VirtAddr): VmallocArea | null {
  const area = map.areas[areasUpTo(map.areas, va) - 1]
  return area && va < area.va + areaSize(map, area) ? area : null
}
// #endregion kernel-map-areas

// #region kernel-map-vmap
/**
 * Maps pages side by side. null when the vmalloc area has no room for them and a guard page (on arm it is 240 MiB).
 * @kernel mm/vmalloc.c vmap() v6.12
 */
export function vmap(map: KernelMap, pfns: readonly Pfn[], type: MemoryType): VirtAddr | null {
  const { areas, layout, pageSize } = map
  if (pfns.length === 0) throw new Error('vmap: got 0 pages, expected at least 1; is the size rounded up?')
  const needed = (pfns.length + 1) * pageSize
  let va = layout.vmallocStart
  let i = 0
  for (; i < areas.length && areas[i]!.va - va < needed; i++)
    va = areas[i]!.va + areaSize(map, areas[i]!) + pageSize
  if (layout.vmallocEnd - va < needed) return null
  areas.splice(i, 0, { va, pfns: [...pfns], type })
  return va
}
// #endregion kernel-map-vmap

// #region kernel-map-vunmap
/** Takes away what `vmap()` gave; the pages stay. Throws for another address. @kernel mm/vmalloc.c vunmap() v6.12 */
export function vunmap(map: KernelMap, va: VirtAddr): void {
  const i = areasUpTo(map.areas, va) - 1
  if (map.areas[i]?.va !== va)
    throw new Error(
      `vunmap: got 0x${formatVa(map.arch, va)}, expected the start of one of ${map.areas.length} areas; ` +
        'was it unmapped before?',
    )
  map.areas.splice(i, 1)
}

/**
 * The page behind an address of the vmalloc area; null where nothing is mapped.
 * @kernel mm/vmalloc.c vmalloc_to_page() v6.12
 */
export function vmalloc_to_page(map: KernelMap, va: VirtAddr): Pfn | null {
  const area = areaAt(map, va)
  return area ? area.pfns[Math.floor((va - area.va) / map.pageSize)]! : null
}
// #endregion kernel-map-vunmap

// #region kernel-map-translate
/**
 * Where an address of the kernel leads, and through which memory type. Throws where nothing is mapped: Linux would
 * oops.
 */
export function translate(map: KernelMap, va: VirtAddr): { pa: PhysAddr; type: MemoryType } {
  const { layout, pageSize } = map
  const area = areaAt(map, va)
  if (area) {
    const offset = va - area.va
    const page = Math.floor(offset / pageSize)
    return { pa: area.pfns[page]! * pageSize + (offset % pageSize), type: area.type }
  }
  if (va >= layout.pageOffset && va < layout.linearEnd) {
    const pa = __pa(map, va)
    if (map.linear(pa)) return { pa, type: map.linearTypes.get(Math.floor(pa / pageSize)) ?? 'normal' }
  }
  throw new Error(
    `translate: got 0x${formatVa(map.arch, va)}, expected a mapped address of the kernel; ` +
      'is the region marked no-map, was it unmapped, or is it a guard page?',
  )
}
// #endregion kernel-map-translate

// #region kernel-map-access
// Calls `visit` for each page that [va, va + n) touches, with what is before it and how much of it.
function byPage(
  map: KernelMap,
  va: VirtAddr,
  n: Bytes,
  visit: (pa: PhysAddr, type: MemoryType, done: Bytes, part: Bytes) => void,
): void {
  for (let done = 0; done < n;) {
    const part = Math.min(map.pageSize - ((va + done) % map.pageSize), n - done)
    const { pa, type } = translate(map, va + done)
    visit(pa, type, done, part)
    done += part
  }
}
// #endregion kernel-map-access

// #region kernel-map-read-write
/** The kernel reads `n` bytes at `va`. Throws where nothing is mapped. */
export function kernelRead(map: KernelMap, va: VirtAddr, n: Bytes): Uint8Array {
  const into = new Uint8Array(n)
  byPage(map, va, n, (pa, type, done, part) => {
    cpuReadInto(map.cpu, pa, into.subarray(done, done + part), type)
  })
  return into
}

/** The kernel writes `bytes` at `va`. Throws where nothing is mapped; what came before is written. */
export function kernelWrite(map: KernelMap, va: VirtAddr, bytes: Uint8Array): void {
  byPage(map, va, bytes.length, (pa, type, done, part) => {
    cpuWrite(map.cpu, pa, bytes.subarray(done, done + part), type)
  })
}
// #endregion kernel-map-read-write

// #region kernel-map-snapshot
/** The mappings as plain data. */
export interface KernelMapSnapshot {
  readonly linearTypes: readonly (readonly [pfn: Pfn, type: MemoryType])[]
  readonly areas: readonly VmallocArea[]
}

export function snapshotKernelMap({ linearTypes, areas }: KernelMap): KernelMapSnapshot {
  return {
    linearTypes: [...linearTypes].sort(([a], [b]) => a - b),
    areas: areas.map(({ va, pfns, type }) => ({ va, pfns: [...pfns], type })),
  }
}

/** Makes the mappings what they were. */
export function restoreKernelMap(map: KernelMap, { linearTypes, areas }: KernelMapSnapshot): void {
  map.linearTypes.clear()
  for (const [pfn, type] of linearTypes) map.linearTypes.set(pfn, type)
  map.areas.splice(0, map.areas.length, ...areas.map((area) => ({ ...area, pfns: [...area.pfns] })))
}
// #endregion kernel-map-snapshot
