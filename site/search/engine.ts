// SPDX-License-Identifier: MIT
//
// The index and what comes first in an answer. MiniSearch keeps the words and weighs them; what it cannot know is added
// here: that a kernel name typed whole is looked for as it stands, and which kind of place a reader rather wants.
import MiniSearch, { type Options, type SearchResult } from 'minisearch'
import type { Found, Kind, SearchDocument } from './documents.ts'
import { indexWords, queryWords } from './tokens.ts'

const OPTIONS: Options<SearchDocument & { id: number }> = {
  fields: ['title', 'text', 'code'],
  storeFields: ['kind', 'address', 'title', 'context', 'text'],
  // A line of code is shown, and found by the name that it defines alone.
  extractField: (document, field) =>
    field === 'text' && document.kind === 'symbol' ? '' : document[field as keyof typeof document],
  tokenize: indexWords,
  processTerm: (term) => term,
  searchOptions: {
    tokenize: queryWords,
    boost: { title: 5, code: 0.5 },
    // The last word is still being typed, and of a name one types as much as one remembers.
    prefix: (term, at, terms) => at === terms.length - 1 || term.includes('_'),
  },
}

export type Index = MiniSearch<SearchDocument & { id: number }>

/** How much each kind counts: when its very name was typed, when that holds the query, when only its words do. */
const WEIGHT: Record<Kind, { named: number; holds: number; words: number }> = {
  section: { named: 4, holds: 2, words: 1 },
  term: { named: 8, holds: 2, words: 0.8 },
  symbol: { named: 4, holds: 0.6, words: 0.3 },
  file: { named: 3, holds: 0.6, words: 0.3 },
}

/** As many as anybody reads through. */
export const LIMIT = 40

export function buildIndex(documents: readonly SearchDocument[]): string {
  const index: Index = new MiniSearch(OPTIONS)
  index.addAll(documents.map((document, id) => ({ ...document, id })))
  return JSON.stringify(index)
}

export function loadIndex(json: string): Index {
  return MiniSearch.loadJSON(json, OPTIONS)
}

/** The same in steps, between which a page can answer its reader. */
export function loadIndexSlowly(json: string): Promise<Index> {
  return MiniSearch.loadJSONAsync(json, OPTIONS)
}

/** A name of its own: `buddy`, `buddies`, `伙伴块` of one entry, `bootMachine`, `cma.ts`. */
function isNamed({ kind, title, context }: Found, query: string): boolean {
  if (kind === 'file') return title === query || title.endsWith(`/${query}`)
  const names = kind === 'term' ? `${title},${context.replace(/[（）、，]/g, ',')}`.split(',') : [title]
  return names.some((name) => name.trim().toLowerCase().replace(/\(\)$/, '') === query)
}

function weigh(result: SearchResult & Found, query: string): number {
  const { named, holds, words } = WEIGHT[result.kind]
  if (isNamed(result, query)) return result.score * named
  if (result.title.toLowerCase().includes(query)) return result.score * holds
  return result.score * words * (result.text.toLowerCase().includes(query) ? 1.4 : 1)
}

/** What answers `query`, the best first. All words have to be there; failing that, most of them, or nearly. */
export function search(index: Index, query: string): Found[] {
  const looked = query.trim().toLowerCase().replace(/\(\)$/, '')
  if (queryWords(looked).length === 0) return []
  let results = index.search(looked, { combineWith: 'AND' })
  if (results.length === 0) {
    results = index.search(looked, { combineWith: 'OR', fuzzy: (term) => (term.length > 4 ? 0.2 : false) })
  }
  return results
    .map((result) => result as SearchResult & Found)
    .map((result) => ({ result, score: weigh(result, looked) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, LIMIT)
    .map(({ result }) => result)
}
