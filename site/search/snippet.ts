// SPDX-License-Identifier: MIT
//
// What a result shows of its text: the piece with most of the words, those marked.

/** A piece of a text; `mark` where a word of the query stands. */
export interface Piece {
  readonly text: string
  readonly mark: boolean
}

/** Characters of a snippet, about two lines at the dialog's width. */
const LENGTH = 170

/** Where words of the query stand; a word begins where the index lets one begin, at a capital or behind an underscore too. */
function matchesIn(text: string, words: readonly string[]): RegExpExecArray[] {
  if (words.length === 0) return []
  const any = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  const begins = ({ index, 0: word }: RegExpExecArray): boolean => {
    const before = text[index - 1] ?? ' '
    if (!/[\p{L}\p{N}]/u.test(before) || /\p{Script=Han}/u.test(before)) return true
    return /\p{Lu}/u.test(word[0]!) && !/\p{Lu}/u.test(before)
  }
  return [...text.matchAll(new RegExp(any, 'giu'))].filter(begins)
}

/** `text` in pieces, every word of the query marked that begins with one of `words`. */
export function marked(text: string, words: readonly string[]): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const match of matchesIn(text, words)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), mark: false })
    pieces.push({ text: match[0], mark: true })
    end = match.index + match[0].length
  }
  if (end < text.length) pieces.push({ text: text.slice(end), mark: false })
  return pieces
}

/** Where the window begins that has most different words; ties go to the first. */
function bestStart(text: string, words: readonly string[]): number {
  const found = matchesIn(text, words)
  let best = { start: 0, score: 0 }
  for (const { index } of found) {
    const inside = found.filter((other) => other.index >= index && other.index < index + LENGTH * 0.75)
    const score = new Set(inside.map(([word]) => word.toLowerCase())).size
    if (score > best.score) best = { start: index, score }
  }
  return best.start
}

/** A piece of about two lines around the words of the query, cut at blanks. */
export function snippet(text: string, words: readonly string[]): Piece[] {
  const wish = Math.max(0, Math.min(bestStart(text, words) - 40, text.length - LENGTH))
  const start = wish === 0 ? 0 : text.indexOf(' ', wish) + 1
  const stop = start + LENGTH >= text.length ? text.length : text.lastIndexOf(' ', start + LENGTH)
  const cut = text.slice(start, Math.max(stop, start + 1))
  return marked(`${start > 0 ? '… ' : ''}${cut}${stop < text.length ? ' …' : ''}`, words)
}
