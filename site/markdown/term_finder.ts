// SPDX-License-Identifier: MIT
//
// The first mention of a term in a chapter that does not define it leads to the glossary, where a pop-up may meet the reader
// half-way (site/client/term_popup.ts). One link a chapter and term: more would be noise, and weight.
import type { GlossaryEntry } from '../data/glossary.ts'

/** Terms that are everyday words too: they are linked where an author writes the link. */
const EVERYDAY = new Set(
  (
    'attribute barrier block claim clean coherent dirty dynamic frame line managed map mask node order pool present ' +
    'reference reserve reserved resource slot spanned stable static sync walk alias scenario bank'
  ).split(' '),
)

export interface Mention {
  readonly index: number
  readonly length: number
  readonly anchor: string
}

export interface TermFinder {
  /** The mentions in a piece of running text that are the first of their term, in order. */
  firstIn(text: string): Mention[]
}

/** `page fault` also finds `Page faults`; a name in capitals is found as it stands. */
function patternOf(name: string): string {
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  if (/^[A-Z]{2}/.test(name)) return `${quoted}s?`
  const first = quoted[0]!
  return `[${first.toLowerCase()}${first.toUpperCase()}]${quoted.slice(1)}(?:s|es)?`
}

/** A finder for one page. `skip` says which entries the page defines itself. */
export function termFinder(
  glossary: readonly GlossaryEntry[],
  skip: (entry: GlossaryEntry) => boolean,
): TermFinder {
  const names = glossary
    .filter((entry) => !skip(entry))
    .flatMap(({ anchor, names: all }) =>
      all.filter((name) => !EVERYDAY.has(name)).map((name) => ({ name, anchor })),
    )
    .sort((a, b) => b.name.length - a.name.length)
  if (names.length === 0) return { firstIn: () => [] }
  const any = new RegExp(
    `(?<![\\w-])(?:${names.map(({ name }) => `(${patternOf(name)})`).join('|')})(?![\\w-])`,
    'g',
  )
  const seen = new Set<string>()
  return {
    firstIn(text) {
      return [...text.matchAll(any)].flatMap((match) => {
        const anchor = names[match.slice(1).findIndex((part) => part !== undefined)]!.anchor
        if (seen.has(anchor)) return []
        seen.add(anchor)
        return [{ index: match.index, length: match[0].length, anchor }]
      })
    },
  }
}
