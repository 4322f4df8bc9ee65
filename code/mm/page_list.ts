// SPDX-License-Identifier: MIT
//
// Lists of pages, linked through the pages themselves: what `struct list_head lru` of struct page is for. A page is on
// one list at most, so one pair of links is enough for free lists, LRU lists and the list of a migration.
//
//     list.head → ◦ ⇄ ◦ ⇄ ◦ ← list.tail        links are those of `MemMap`, as pfn - start_pfn; -1 ends
//
// Linux's lists are rings that pass through their head, so that list_del() needs the entry alone; here it needs the list.

// #region page-list-imports
import type { Pfn } from '../lib/units.ts'
import type { MemMap } from './mmzone.ts'
// #endregion page-list-imports

// #region page-list-type
/** First and last page as pfn - start_pfn, -1 when empty, and how many there are. */
export interface PageList {
  head: number
  tail: number
  count: number
}

/** An empty list. */
export const createPageList = (): PageList => ({ head: -1, tail: -1, count: 0 })

/** Whether nothing is on it. @kernel include/linux/list.h list_empty() v6.12 */
export const list_empty = (list: PageList): boolean => list.head < 0

/** The pages from head to tail. For tests and pictures: it makes an array. @cost the length of the list */
export function pfnsOf(map: MemMap, list: PageList): Pfn[] {
  const pfns: Pfn[] = []
  for (let at = list.head; at >= 0; at = map.next[at]!) pfns.push(at + map.start_pfn)
  return pfns
}
// #endregion page-list-type

// #region page-list-add
/** Puts a page that is on no list first: a list filled and emptied this way is a stack. @kernel include/linux/list.h list_add() v6.12 */
export function list_add(map: MemMap, pfn: Pfn, list: PageList): void {
  const at = pfn - map.start_pfn
  map.next[at] = list.head
  map.prev[at] = -1
  if (list.head >= 0) map.prev[list.head] = at
  else list.tail = at
  list.head = at
  list.count++
}

/** Puts a page that is on no list last. @kernel include/linux/list.h list_add_tail() v6.12 */
export function list_add_tail(map: MemMap, pfn: Pfn, list: PageList): void {
  const at = pfn - map.start_pfn
  map.prev[at] = list.tail
  map.next[at] = -1
  if (list.tail >= 0) map.next[list.tail] = at
  else list.head = at
  list.tail = at
  list.count++
}
// #endregion page-list-add

// #region page-list-del
/** Takes a page out of the list that it is on. @kernel include/linux/list.h list_del() v6.12 */
export function list_del(map: MemMap, pfn: Pfn, list: PageList): void {
  const at = pfn - map.start_pfn
  const next = map.next[at]!
  const prev = map.prev[at]!
  if (prev >= 0) map.next[prev] = next
  else list.head = next
  if (next >= 0) map.prev[next] = prev
  else list.tail = prev
  list.count--
}

/** From one list to the end of another. @kernel include/linux/list.h list_move_tail() v6.12 */
export function list_move_tail(map: MemMap, pfn: Pfn, from: PageList, to: PageList): void {
  list_del(map, pfn, from)
  list_add_tail(map, pfn, to)
}
// #endregion page-list-del

// #region page-list-splice
/** Puts all of `from`, in order, before what is in `to`; `from` is empty then. @kernel include/linux/list.h list_splice_init() v6.12 */
export function list_splice_init(map: MemMap, from: PageList, to: PageList): void {
  if (from.head < 0) return
  if (to.head < 0) to.tail = from.tail
  else {
    map.next[from.tail] = to.head
    map.prev[to.head] = from.tail
  }
  to.head = from.head
  to.count += from.count
  emptyList(from)
}

/** Puts all of `from`, in order, behind what is in `to`; `from` is empty then. @kernel include/linux/list.h list_splice_tail_init() v6.12 */
export function list_splice_tail_init(map: MemMap, from: PageList, to: PageList): void {
  if (from.head < 0) return
  if (to.tail < 0) to.head = from.head
  else {
    map.prev[from.head] = to.tail
    map.next[to.tail] = from.head
  }
  to.tail = from.tail
  to.count += from.count
  emptyList(from)
}
// #endregion page-list-splice

// #region page-list-cut
function emptyList(list: PageList): void {
  list.head = list.tail = -1
  list.count = 0
}

/** The first `count` pages of `from`, in order, as a list of their own. @cost `count` */
export function cutFront(map: MemMap, from: PageList, count: number): PageList {
  const cut = createPageList()
  if (count >= from.count) {
    list_splice_init(map, from, cut)
    return cut
  }
  for (let i = 0; i < count; i++) {
    const pfn = from.head + map.start_pfn
    list_del(map, pfn, from)
    list_add_tail(map, pfn, cut)
  }
  return cut
}
// #endregion page-list-cut
