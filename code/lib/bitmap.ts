// SPDX-License-Identifier: MIT
//
// Bitmaps: a bit for each page (or for each 2^order_per_bit pages) of a CMA area or of a device's pool.
//
//     bit      0       8       16      24      32
//              ████████░░░░░░░░████░░░░░░░░░░░░        █ taken
//     bitmap_find_next_zero_area_off()   first fit from `start`, aligned: CMA
//     bitmap_find_free_region()          a power of two at a multiple of itself: the pool of a device
//
// Words have 32 bits, as on arm; which word a bit is in shows nowhere.
// `Math.clz32` finds the lowest bit: a search goes by words, as the kernel's does.

// #region bitmap-type
/** `nbits` bits, all clear at first. */
export interface Bitmap {
  readonly nbits: number
  /** Uint32Array[ceil(nbits / 32)], bit 0 in the lowest bit of word 0. */
  readonly words: Uint32Array
}

/** All bits clear. @kernel lib/bitmap.c bitmap_zalloc() v6.12 */
export function bitmap_zalloc(nbits: number): Bitmap {
  return { nbits, words: new Uint32Array(Math.ceil(nbits / 32)) }
}

/** Whether bit `nr` is set. @kernel include/asm-generic/bitops/non-atomic.h test_bit() v6.12 */
export function test_bit(nr: number, { words }: Bitmap): boolean {
  return ((words[nr >>> 5]! >>> (nr & 31)) & 1) === 1
}
// #endregion bitmap-type

// #region bitmap-set
// The bits of word `word` that lie in [start, end).
function maskIn(word: number, start: number, end: number): number {
  const first = word << 5
  const low = start > first ? start - first : 0
  const high = end - first
  const below = high >= 32 ? 0xffff_ffff : (1 << high) - 1
  return below & (0xffff_ffff << low)
}

/** Sets `nbits` bits from `start`. @kernel include/linux/bitmap.h bitmap_set() v6.12 */
export function bitmap_set({ words }: Bitmap, start: number, nbits: number): void {
  const end = start + nbits
  for (let word = start >>> 5; word << 5 < end; word++) words[word]! |= maskIn(word, start, end)
}

/** Clears `nbits` bits from `start`. @kernel include/linux/bitmap.h bitmap_clear() v6.12 */
export function bitmap_clear({ words }: Bitmap, start: number, nbits: number): void {
  const end = start + nbits
  for (let word = start >>> 5; word << 5 < end; word++) words[word]! &= ~maskIn(word, start, end)
}

/** How many of the first `nbits` bits are set. @kernel include/linux/bitmap.h bitmap_weight() v6.12 */
export function bitmap_weight({ words }: Bitmap, nbits: number): number {
  let weight = 0
  for (let word = 0; word << 5 < nbits; word++) {
    for (let bits = words[word]! & maskIn(word, 0, nbits); bits !== 0; bits &= bits - 1) weight++
  }
  return weight
}
// #endregion bitmap-set

// #region bitmap-find-next
// The first bit at or after `start` and below `size` that is set in `word ^ flip`; `size` if there is none.
function findNext({ words }: Bitmap, size: number, start: number, flip: number): number {
  if (start >= size) return size
  let word = start >>> 5
  let bits = (words[word]! ^ flip) & (0xffff_ffff << (start & 31))
  while (bits === 0) {
    word++
    if (word << 5 >= size) return size
    bits = words[word]! ^ flip
  }
  const found = (word << 5) + 31 - Math.clz32(bits & -bits)
  return found < size ? found : size
}

/** The first set bit in `[start, size)`, or `size`. @kernel include/linux/find.h find_next_bit() v6.12 */
export function find_next_bit(map: Bitmap, size: number, start: number): number {
  return findNext(map, size, start, 0)
}

/** The first clear bit in `[start, size)`, or `size`. @kernel include/linux/find.h find_next_zero_bit() v6.12 */
export function find_next_zero_bit(map: Bitmap, size: number, start: number): number {
  return findNext(map, size, start, 0xffff_ffff)
}
// #endregion bitmap-find-next

// #region bitmap-find-area
/**
 * The lowest `nr` clear bits in a row at or after `start`, such that `index + align_offset` is a multiple of
 * `align_mask + 1`. What it returns is no such place when it is above `size - nr`; callers compare it with `size`.
 * @kernel lib/bitmap.c bitmap_find_next_zero_area_off() v6.12
 */
export function bitmap_find_next_zero_area_off(
  map: Bitmap,
  size: number,
  start: number,
  nr: number,
  align_mask: number,
  align_offset: number,
): number {
  for (;;) {
    const clear = find_next_zero_bit(map, size, start)
    const index = ((clear + align_offset + align_mask) & ~align_mask) - align_offset
    const end = index + nr
    if (end > size) return end
    const taken = find_next_bit(map, end, index)
    if (taken >= end) return index
    start = taken + 1
  }
}
// #endregion bitmap-find-area

// #region bitmap-find-region
/**
 * Takes the lowest `2^order` clear bits that begin at a multiple of `2^order`: the first bit, or -1 (Linux: -ENOMEM).
 * A rest of the map that is shorter than `2^order` is of no use for that order (MC-7.1).
 * @kernel lib/bitmap.c bitmap_find_free_region() v6.12
 */
export function bitmap_find_free_region(map: Bitmap, bits: number, order: number): number {
  const nr = 2 ** order
  for (let pos = 0; pos + nr <= bits; pos += nr) {
    if (find_next_bit(map, pos + nr, pos) < pos + nr) continue
    bitmap_set(map, pos, nr)
    return pos
  }
  return -1
}

/** Clears the `2^order` bits from `pos`, whoever took them. @kernel lib/bitmap.c bitmap_release_region() v6.12 */
export function bitmap_release_region(map: Bitmap, pos: number, order: number): void {
  bitmap_clear(map, pos, 2 ** order)
}
// #endregion bitmap-find-region
