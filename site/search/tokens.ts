// SPDX-License-Identifier: MIT
//
// The words that search knows a text by. A kernel name is found whole, by its beginning, and by any part that begins behind
// an underscore: `__alloc_contig_range` is also `alloc_contig_range`, `contig_range` and `range`. Chinese has no blanks, so
// each pair of neighbouring characters is a word.

/** English words that every page has: they say nothing of where it is. */
const EVERYWHERE = new Set(
  (
    'a an and are as at be been but by can does for from had has have how if in into is it its may of on one or our ' +
    'so than that the their them then there these they this to was we were what when where which who why will with you'
  ).split(' '),
)
const WORD = /\p{Script=Han}+|[\p{L}\p{N}_]+/gu
const HAN = /^\p{Script=Han}/u

/** `拷贝页` → `拷贝`, `贝页`; a single character is a word itself. */
function pairs(han: string): string[] {
  const characters = [...han]
  if (characters.length < 2) return characters
  return characters.slice(1).map((character, index) => characters[index]! + character)
}

/** Han and other letters may touch: `CMA区域`. */
function* words(text: string): Generator<string> {
  for (const [run] of text.matchAll(WORD)) yield* run.match(/\p{Script=Han}+|[^\p{Script=Han}]+/gu) ?? []
}

/** What is compared: lower case, without the s of a plural. Names keep theirs. */
function plain(word: string): string {
  const lower = word.toLowerCase()
  return /^\p{L}{3,}[^s\P{L}]s$/u.test(lower) ? lower.slice(0, -1) : lower
}

/** `bootMachine` → `Machine`; `__alloc_contig_range` → `alloc_contig_range`, `contig_range`, `range`. */
function parts(word: string): string[] {
  const found = [...word.matchAll(/(?<=_)(?=[^_])|(?<=[\p{Ll}\d])(?=\p{Lu})/gu)].map(({ index }) =>
    word.slice(index),
  )
  return found.filter((part) => /\p{L}{2}/u.test(part))
}

/** The words under which a text stands in the index. */
export function indexWords(text: string): string[] {
  return [...words(text)].flatMap((word) => {
    if (HAN.test(word)) return pairs(word)
    if (word.length < 2 || EVERYWHERE.has(word.toLowerCase())) return []
    return [...new Set([word, ...parts(word)].map(plain))]
  })
}

/** The words of a query: names as they were typed, for their parts are in the index already. */
export function queryWords(query: string): string[] {
  const found = [...words(query)].flatMap((word) => (HAN.test(word) ? pairs(word) : [plain(word)]))
  return [...new Set(found)].filter((word) => (word.length > 1 && !EVERYWHERE.has(word)) || HAN.test(word))
}
