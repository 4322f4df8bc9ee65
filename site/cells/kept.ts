// SPDX-License-Identifier: MIT
//
// A reader's edit, kept in the browser under `contiguous:cell:<chapter>/<cell>` as { code, of }: the code, and the print of
// the book's code that it was made from, so that a change of the book is noticed. Storage may be refused or full, and what
// lies there may be anybody's: neither breaks a page.

/** An edit, and the print of the code that it was made from. */
export interface Edit {
  readonly code: string
  readonly of: string
}

/** Nothing longer is kept: other cells want room too. */
const LONGEST = 64 * 1024

/** A short print of a text, the same everywhere; two texts have the same by chance only (cyrb53, by bryc). */
export function printOf(text: string): string {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return (4294967296 * (2097151 & b) + (a < 0 ? a + 4294967296 : a)).toString(36)
}

const keyOf = (cell: string): string => `contiguous:cell:${cell}`

/** The edit of a cell, named `<chapter>/<cell>`; null when there is none that can be read. */
export function keptEdit(cell: string): Edit | null {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(cell)) ?? 'null') as Partial<Edit> | null
    if (typeof found?.code !== 'string' || typeof found.of !== 'string') return null
    return found.code.length <= LONGEST ? { code: found.code, of: found.of } : null
  } catch {
    return null
  }
}

/** Keeps an edit, or forgets it when it is null. False when the browser would not. */
export function keepEdit(cell: string, edit: Edit | null): boolean {
  try {
    if (edit === null) localStorage.removeItem(keyOf(cell))
    else if (edit.code.length <= LONGEST) localStorage.setItem(keyOf(cell), JSON.stringify(edit))
    else return false
    return true
  } catch {
    return edit === null
  }
}
