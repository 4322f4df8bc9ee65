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
  // Yours. What is usable, what has to stay, and is there a block?
  return zone.free >= 2 ** request.order
}
