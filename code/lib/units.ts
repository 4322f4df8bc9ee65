// SPDX-License-Identifier: MIT
//
// Addresses, sizes and page frame numbers, as types that do not mix.
//
// An address is a plain `number`, exact up to 2^53, and never meets `>>`, `<<` or `&`: those cut it to 32 bits
// (0x8_0000_0000 >> 12 is 0 in JavaScript). Use the helpers here, which divide and multiply.

// #region units-types
declare const unit: unique symbol

/** A physical address, as the CPU drives it onto the bus (`phys_addr_t`). Unit: bytes from zero. */
export type PhysAddr = number & { readonly [unit]?: 'PhysAddr' }
/** A page frame number: a physical address divided by the page size. */
export type Pfn = number & { readonly [unit]: 'Pfn' }
/** A size in bytes. */
export type Bytes = number & { readonly [unit]?: 'Bytes' }
// #endregion units-types

// #region units-sizes
export const KiB = (n: number): Bytes => n * 1024
export const MiB = (n: number): Bytes => n * 1024 * 1024
export const GiB = (n: number): Bytes => n * 1024 * 1024 * 1024
// #endregion units-sizes

// #region units-rounding
/** The largest multiple of `align` that is not above `value`. @kernel include/linux/math.h round_down() v6.12 */
export function round_down(value: number, align: number): number {
  return value - (value % align)
}

/** The smallest multiple of `align` that is not below `value`. @kernel include/linux/math.h round_up() v6.12 */
export function round_up(value: number, align: number): number {
  return round_down(value + align - 1, align)
}

/** Whether `value` is a multiple of `align`. @kernel include/linux/align.h IS_ALIGNED() v6.12 */
export function IS_ALIGNED(value: number, align: number): boolean {
  return value % align === 0
}
// #endregion units-rounding

// #region units-printing
/**
 * A physical address as printk's `%pa` prints it: `0x` and every digit of `phys_addr_t`.
 * `bits` is the width of `phys_addr_t`: 64 gives 18 characters, 32 gives 10 (MC-5.8).
 * @kernel lib/vsprintf.c address_val() v6.12
 */
export function formatPa(addr: PhysAddr, bits: 32 | 64): string {
  return '0x' + addr.toString(16).padStart(bits / 4, '0')
}

/** Whole mebibytes, truncated, as `size / SZ_1M` gives them in the kernel's log lines (MC-5.6). */
export function truncatedMiB(size: Bytes): number {
  return Math.floor(size / MiB(1))
}
// #endregion units-printing
