// SPDX-License-Identifier: MIT
//
// Where the parts of the kernel's address space begin and end. On arm64 that is a matter of the version and of the page
// size, on arm of how much lowmem there is.
//
//     arm64 6.x   ffff000000000000 PAGE_OFFSET ── linear ──▶ ffff800000000000 ── modules ── vmalloc ──▶ vmemmap
//     arm64 4.x   ffff000000000000 ── modules ── vmalloc ── vmemmap ──▶ ffff800000000000 PAGE_OFFSET ── linear ──▶
//     arm         c0000000 PAGE_OFFSET ── lowmem ──▶ high_memory, 8 MiB of nothing, ── vmalloc ──▶ ff800000
//
// 5.4 turned the halves of arm64 round. Addresses of arm64 are held without their top twelve ones (units.ts,
// `VirtAddr`).
// Leaves out: KASAN, 52-bit addresses, randomised placement, other splits of arm than 3 GiB for programs.

// #region kernel-layout-imports
import type { Arch, KernelVersion } from '../lib/kernel_version.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes, VirtAddr } from '../lib/units.ts'
import { GiB, KiB, MiB, round_down } from '../lib/units.ts'
// #endregion kernel-layout-imports

// #region kernel-layout-types
/** Ranges of the kernel's address space, each behind its last address at the end. */
export interface KernelLayout {
  /** PAGE_OFFSET: the linear map's start. */
  readonly pageOffset: VirtAddr
  readonly linearEnd: VirtAddr
  readonly vmallocStart: VirtAddr
  readonly vmallocEnd: VirtAddr
}

/** What a layout depends on. */
export interface LayoutOptions {
  readonly arch: Arch
  readonly pageSize: Bytes
  /** 6.12.117 unless said otherwise. */
  readonly kernel?: KernelVersion
  /** arm64: bits of an address; 48, or 47 with pages of 16 KiB, unless said otherwise. */
  readonly vaBits?: number
  /** arm: behind the last lowmem address; unless said otherwise, as much as leaves 240 MiB for vmalloc. */
  readonly high_memory?: VirtAddr
}
// #endregion kernel-layout-types

// #region kernel-layout-arm64
/** An address begins with twelve ones; without them, addresses end here. */
const TOP = 2 ** 52

/**
 * @kernel arch/arm64/include/asm/memory.h PAGE_OFFSET, MODULES_END, VMEMMAP_START v6.12
 * @kernel arch/arm64/include/asm/pgtable.h VMALLOC_START, VMALLOC_END v6.12
 */
function layoutArm64(kernel: KernelVersion, pageSize: Bytes, vaBits: number): KernelLayout {
  const bottom = TOP - 2 ** vaBits
  const middle = TOP - 2 ** (vaBits - 1)
  // A struct page of 64 bytes for each page of the linear map.
  const vmemmap = (2 ** (vaBits - 1) / pageSize) * 64
  const linearBelow = { pageOffset: bottom, linearEnd: middle }
  if (kernelAtLeast(kernel, '6.12.117'))
    return {
      ...linearBelow,
      vmallocStart: middle + GiB(2),
      vmallocEnd: TOP - GiB(1) - vmemmap - MiB(8),
    }
  if (kernelAtLeast(kernel, '6.1.192'))
    return { ...linearBelow, vmallocStart: middle + MiB(128), vmallocEnd: TOP - 2 * vmemmap - MiB(256) }
  const pudSize = pageSize * (pageSize / 8) ** 2
  const vmallocEnd = middle - pudSize - vmemmap - KiB(64)
  return { pageOffset: middle, linearEnd: TOP, vmallocStart: bottom + MiB(128), vmallocEnd }
}
// #endregion kernel-layout-arm64

// #region kernel-layout-arm
/** @kernel arch/arm/include/asm/pgtable.h VMALLOC_START, VMALLOC_END v6.12 */
function layoutArm(kernel: KernelVersion, high_memory?: VirtAddr): KernelLayout {
  const vmallocEnd = kernelAtLeast(kernel, '4.6') ? 0xff80_0000 : 0xff00_0000
  const linearEnd = high_memory ?? vmallocEnd - MiB(240) - MiB(8)
  const vmallocStart = round_down(linearEnd + MiB(8), MiB(8))
  return { pageOffset: 0xc000_0000, linearEnd, vmallocStart, vmallocEnd }
}

/** The layout of a kernel. */
export function kernelLayout(options: LayoutOptions): KernelLayout {
  const { arch, pageSize, kernel = '6.12.117', vaBits = pageSize === 16384 ? 47 : 48 } = options
  return arch === 'arm' ? layoutArm(kernel, options.high_memory) : layoutArm64(kernel, pageSize, vaBits)
}

/** A kernel address as `%px` prints it: 16 digits on arm64, 8 on arm. */
export function formatVa(arch: Arch, va: VirtAddr): string {
  return arch === 'arm64' ? `fff${va.toString(16).padStart(13, '0')}` : va.toString(16).padStart(8, '0')
}
// #endregion kernel-layout-arm
