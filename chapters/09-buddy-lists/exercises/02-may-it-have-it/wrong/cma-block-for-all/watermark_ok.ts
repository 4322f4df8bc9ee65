// SPDX-License-Identifier: MIT
//
// Whether a zone can spare some pages.

/** What a zone has. Unit: pages, but for `blocks`. */
export interface ZoneNow {
  /** All free pages, those of CMA among them. */
  readonly free: number
  /** Free pages of CMA. */
  readonly freeCma: number
  /** The watermark: min, low or high. */
  readonly mark: number
  /** What the zone keeps from this request, which could have gone to a higher one. */
  readonly reserve: number
  /** Free blocks by list and order. */
  readonly blocks: Readonly<Record<'U' | 'M' | 'R' | 'C', readonly number[]>>
}

/** What is asked for. */
export interface Request {
  readonly order: number
  readonly movable: boolean
  readonly atomic: boolean
}

/** Whether the zone gives 2^order pages to this request. */
export function watermarkOk(zone: ZoneNow, request: Request): boolean {
  const { order, movable, atomic } = request
  const usable = zone.free - (2 ** order - 1) - (movable ? 0 : zone.freeCma)
  let mark = zone.mark
  if (atomic) {
    mark -= Math.floor(mark / 2)
    mark -= Math.floor(mark / 4)
  }
  if (usable <= mark + zone.reserve) return false
  return order === 0 || hasBlock(zone, order)
}

// One block that is large enough, on a list that the request may use.
function hasBlock({ blocks }: ZoneNow, order: number): boolean {
  const lists = [blocks.U, blocks.M, blocks.R, blocks.C]
  return lists.some((list) => list.slice(order).some((count) => count > 0))
}
