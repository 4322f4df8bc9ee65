// SPDX-License-Identifier: MIT
//
// Addresses, sizes and page frame numbers, as types that do not mix.
//
// An address is a plain `number`, exact up to 2^53, and above that when it is a multiple of 2 KiB, as every page is. It
// never meets `>>`, `<<` or `&`: those cut it to 32 bits (0x8_0000_0000 >> 12 is 0 in JavaScript). Use the helpers here.

// #region units-types
declare const unit: unique symbol

/** A physical address, as the CPU drives it onto the bus (`phys_addr_t`). Unit: bytes from zero. */
export type PhysAddr = number & { readonly [unit]?: 'PhysAddr' }
/** A page frame number: a physical address divided by the page size. */
export type Pfn = number & { readonly [unit]?: 'Pfn' }
/** An address as a device drives it (`dma_addr_t`): the physical address moved by the offset of its bus. */
export type DmaAddr = number & { readonly [unit]?: 'DmaAddr' }
/**
 * A virtual address. A kernel address of arm64 begins with twelve bits that are all ones; they are left out, so that it
 * is exact: 0xffff_0000_4000_0000 is held as 0xf_0000_4000_0000.
 */
export type VirtAddr = number & { readonly [unit]?: 'VirtAddr' }
/** A size in bytes. */
export type Bytes = number & { readonly [unit]?: 'Bytes' }
// #endregion units-types

// #region units-sizes
export const KiB = (n: number): Bytes => n * 1024
export const MiB = (n: number): Bytes => n * 1024 * 1024
export const GiB = (n: number): Bytes => n * 1024 * 1024 * 1024
// #endregion units-sizes

// #region units-rounding
const isPowerOfTwo = (n: number) =>
  n < 2 ** 31 ? n > 0 && (n & (n - 1)) === 0 : 2 ** Math.round(Math.log2(n)) === n

/**
 * The largest multiple of `align` that is not above `value`. Linux clears the bits of `align - 1`, so another `align`
 * than a power of two gives no multiple of it; here too.
 * @kernel include/linux/math.h round_down() v6.12
 */
export function round_down(value: number, align: number): number {
  if (isPowerOfTwo(align)) return value - (value % align)
  return Number(BigInt.asUintN(64, BigInt(value) & ~(BigInt(align) - 1n)))
}

/** The smallest multiple of `align` that is not below `value`; `align` as above. @kernel include/linux/math.h round_up() v6.12 */
export function round_up(value: number, align: number): number {
  if (isPowerOfTwo(align)) return value % align ? round_down(value, align) + align : value
  return Number(BigInt.asUintN(64, ((BigInt(value) - 1n) | (BigInt(align) - 1n)) + 1n))
}

/** Whether `value` is a multiple of `align`; `align` as above. @kernel include/linux/align.h IS_ALIGNED() v6.12 */
export function IS_ALIGNED(value: number, align: number): boolean {
  return isPowerOfTwo(align) ? value % align === 0 : (BigInt(value) & (BigInt(align) - 1n)) === 0n
}
// #endregion units-rounding

// #region units-limits
/** `addr` as a `phys_addr_t` of `bits` bits holds it: the bits above are lost, so a sum may come out small. */
export function wrapPa(addr: number, bits: 32 | 64): PhysAddr {
  return addr % 2 ** bits
}

/** The smaller limit, where 0 is "no limit"; 0 when neither is one. @kernel include/linux/minmax.h min_not_zero() v6.12 */
export function minNotZero(a: number, b: number): number {
  return a && b ? Math.min(a, b) : a || b
}
// #endregion units-limits

// #region units-pages
/** The power of two of pages that `size` bytes need. @kernel include/asm-generic/getorder.h get_order() v6.12 */
export function get_order(size: Bytes, pageSize: Bytes = 4096): number {
  const pages = Math.ceil(size / pageSize)
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1)
}
// #endregion units-pages

// #region units-printing
/**
 * A physical address as printk's `%pa` prints it: `0x` and every digit of `phys_addr_t`, wrapped like one.
 * `bits` is the width of `phys_addr_t`: 64 gives 18 characters, 32 gives 10 (MC-5.8).
 * A last address, which is one less than a multiple of a page, may be too long for a number: hence the `bigint`.
 * @kernel lib/vsprintf.c address_val() v6.12
 */
export function formatPa(addr: PhysAddr | bigint, bits: 32 | 64): string {
  const digits = BigInt.asUintN(bits, BigInt(addr)).toString(16)
  return '0x' + digits.padStart(bits / 4, '0')
}

/** The last address of a range, for `formatPa()`. */
export function lastPa(base: PhysAddr, size: Bytes): bigint {
  return BigInt(base) + BigInt(size) - 1n
}

/** Whole mebibytes, truncated, as `size / SZ_1M` gives them in the kernel's log lines (MC-5.6). */
export function truncatedMiB(size: Bytes): number {
  return Math.floor(size / MiB(1))
}
// #endregion units-printing
