// SPDX-License-Identifier: MIT
//
// The kernel's sort(): a heapsort in place. It is not stable, and that shows: the dynamic nodes of /reserved-memory all
// compare equal when the kernel sorts them, so what this algorithm makes of equals is the order in which they are placed.
//
//     a heap: the biggest on top      the top goes behind the heap, the heap is one shorter, and its new top sinks
//          [0]                        [7 5 6 1 2]   →   [6 5 2 1] 7   →   [5 1 2] 6 7   →   …
//        [1] [2]
//       [3][4] …                      the children of i are 2i+1 and 2i+2
//
// Since v5.2 Linux lets a new top sink to a leaf and climb back, which saves comparisons and ends at the same place.

// #region sort
/** Negative, zero or positive: `a` before, equal to, behind `b`. */
export type CompareFn<T> = (a: T, b: T) => number

/**
 * Sorts `array` in place and leaves equal elements where Linux's heapsort leaves them.
 * @kernel lib/sort.c sort() v6.1
 * @omits 6.12 takes two elements off the heap at a time; its only user here compares nothing equal
 * @cost O(n log n) comparisons
 */
export function sort<T>(array: T[], cmp_func: CompareFn<T>): void {
  for (let top = Math.floor(array.length / 2) - 1; top >= 0; top--) sink(array, cmp_func, top, array.length)
  for (let heap = array.length - 1; heap > 0; heap--) {
    swap(array, 0, heap)
    sink(array, cmp_func, 0, heap)
  }
}
// #endregion sort

// #region sort-sink
// Lets array[top] sink within the first `heap` elements while a child is bigger; of equal children the left one rises.
function sink<T>(array: T[], cmp: CompareFn<T>, top: number, heap: number): void {
  let at = top
  for (let child = 2 * at + 1; child < heap; child = 2 * at + 1) {
    if (child + 1 < heap && cmp(array[child]!, array[child + 1]!) < 0) child++
    if (cmp(array[at]!, array[child]!) >= 0) return
    swap(array, at, child)
    at = child
  }
}

function swap<T>(array: T[], i: number, j: number): void {
  const held = array[i]!
  array[i] = array[j]!
  array[j] = held
}
// #endregion sort-sink
