// SPDX-License-Identifier: MIT
//
// How a span of page frames lies in rows, and where a range of it is drawn. A row is 256 page frames, the step by which a
// large request goes on when a place is busy, or a larger power of two where that would be too many rows.
import type { Span } from './runs.ts'

export interface Rows {
  /** First page frame of the first row; a multiple of `pages`. */
  readonly start: number
  /** Page frames in a row. */
  readonly pages: number
  readonly count: number
}

/** A piece of a range that is one rectangle. Units: columns of `COLUMNS`, rows. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export const COLUMNS = 256
const MOST_ROWS = 34

export function rowsOf(span: Span): Rows {
  let pages = COLUMNS
  const rowsWith = (size: number): number => Math.ceil(span.end / size) - Math.floor(span.start / size)
  while (rowsWith(pages) > MOST_ROWS) pages *= 2
  return { start: Math.floor(span.start / pages) * pages, pages, count: Math.max(1, rowsWith(pages)) }
}

/** The rectangles of a range: its head, the whole rows, its tail. A range too thin to be seen is widened to `least`. */
export function boxesOf(rows: Rows, { start, end }: Span, least = 0): Box[] {
  const column = rows.pages / COLUMNS
  const [from, to] = [start - rows.start, end - rows.start]
  const [first, last] = [Math.floor(from / rows.pages), Math.ceil(to / rows.pages) - 1]
  const box = (y: number, height: number, left: number, right: number): Box => {
    const width = Math.max(least, (right - left) / column)
    return { x: Math.min(left / column, COLUMNS - width), y, width, height }
  }
  const left = from - first * rows.pages
  const right = to - last * rows.pages
  if (first === last) return [box(first, 1, left, right)]
  const whole = { from: left === 0 ? first : first + 1, to: right === rows.pages ? last : last - 1 }
  return [
    ...(left === 0 ? [] : [box(first, 1, left, rows.pages)]),
    ...(whole.to >= whole.from ? [box(whole.from, whole.to - whole.from + 1, 0, rows.pages)] : []),
    ...(right === rows.pages ? [] : [box(last, 1, 0, right)]),
  ]
}
