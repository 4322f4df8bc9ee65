// SPDX-License-Identifier: MIT
//
// What becomes of memblock in /proc/iomem. The picture is not the same on every kernel:
//
//                                       arm64 6.x                      arm64 4.x, arm
//     ordinary RAM                      System RAM                     System RAM
//     no-map                            reserved, at the top level     a gap
//     reserved (a pool, CMA, the DTB)   reserved, inside System RAM    nothing
//
// On arm64 6.x it happens in two steps: setup_arch() enters the regions of memblock.memory; an initcall later enters
// memblock.reserved as children, by then with all that the kernel took for itself.

// #region iomem-imports
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import { round_down, round_up, type PhysAddr } from '../lib/units.ts'
import { memblock_is_nomap, memblock_is_region_reserved, regionEnd, type Memblock } from '../mm/memblock.ts'
import {
  insert_resource_conflict,
  IORESOURCE_BUSY,
  IORESOURCE_MEM,
  IORESOURCE_SYSTEM_RAM,
  makeResource,
  request_resource_conflict,
  reserve_region_with_split,
  type Resource,
} from './resource.ts'
// #endregion iomem-imports

// #region iomem-image
/** Where the kernel's image lies, by the symbols of its linker script. `end` is the first address behind it. */
export interface KernelImage {
  readonly _text: PhysAddr
  readonly _stext: PhysAddr
  readonly __init_begin: PhysAddr
  readonly _sdata: PhysAddr
  readonly _end: PhysAddr
}

/** The first byte of the image that is shown: 6.1 of arm64 leaves the image's head out. */
export function imageStart(kernel: KernelVersion, arch: Arch, image: KernelImage): PhysAddr {
  return kernel === '6.1.192' && arch === 'arm64' ? image._stext : image._text
}

function kernelResources(kernel: KernelVersion, arch: Arch, image: KernelImage | null): Resource[] {
  if (!image) return []
  const flags = IORESOURCE_SYSTEM_RAM + IORESOURCE_BUSY
  return [
    makeResource('Kernel code', imageStart(kernel, arch, image), image.__init_begin - 1, flags),
    makeResource('Kernel data', image._sdata, image._end - 1, flags),
  ]
}
// #endregion iomem-image

// #region iomem-standard
/**
 * Enters RAM and the kernel's image into `iomem`; the top-level entries, lowest first.
 * @kernel arch/arm64/kernel/setup.c, arch/arm/kernel/setup.c request_standard_resources() v6.12
 * @omits crash kernel, boot alias and video RAM of arm
 */
export function request_standard_resources(
  kernel: KernelVersion,
  arch: Arch,
  memblock: Memblock,
  image: KernelImage | null,
  iomem: Resource,
): Resource[] {
  const own = kernelResources(kernel, arch, image)
  const nests = arch === 'arm64' && kernelAtLeast(kernel, '6.1.192')
  if (nests) for (const resource of own) insert_resource_conflict(iomem, resource)
  const standard = standardResources(memblock, arch === 'arm64')
  for (const resource of standard) {
    if (nests) insert_resource_conflict(iomem, resource)
    else {
      request_resource_conflict(iomem, resource)
      for (const inner of own) if (!inner.parent) request_resource_conflict(resource, inner)
    }
  }
  return standard
}
// #endregion iomem-standard

// #region iomem-regions
// One resource a region of memblock.memory, in whole pages: RAM is rounded in, NOMAP is rounded out.
function standardResources({ memory, pageSize }: Memblock, showsNomap: boolean): Resource[] {
  return memory.regions.flatMap((region) => {
    if (!memblock_is_nomap(region)) {
      const [start, end] = [round_up(region.base, pageSize), round_down(regionEnd(region), pageSize)]
      return [makeResource('System RAM', start, end - 1, IORESOURCE_SYSTEM_RAM + IORESOURCE_BUSY)]
    }
    if (!showsNomap) return []
    const [start, end] = [round_down(region.base, pageSize), round_up(regionEnd(region), pageSize)]
    return [makeResource('reserved', start, end - 1, IORESOURCE_MEM)]
  })
}
// #endregion iomem-regions

// #region iomem-reserved
/**
 * arm64 6.x: enters what is reserved in memblock below the standard resources, rounded out to whole pages.
 * @kernel arch/arm64/kernel/setup.c reserve_memblock_reserved_regions() v6.12
 */
export function reserve_memblock_reserved_regions(memblock: Memblock, standard: readonly Resource[]): void {
  const { reserved, pageSize } = memblock
  for (const mem of standard) {
    if (!memblock_is_region_reserved(memblock, mem.start, mem.end - mem.start + 1)) continue
    for (const region of reserved.regions) {
      const start = Math.max(round_down(region.base, pageSize), mem.start)
      const end = Math.min(round_up(regionEnd(region), pageSize) - 1, mem.end)
      if (start > mem.end || end < mem.start) continue
      reserve_region_with_split(mem, start, end, 'reserved')
    }
  }
}
// #endregion iomem-reserved
