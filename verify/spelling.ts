// SPDX-License-Identifier: MIT
//
// Spelling, British, of all prose: chapters, the texts of exercises, the sentences of claims and folded listings, and the
// project's own documents. Words of the kernel and of this house are in words.txt beside this file, a word a line.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { readClaims } from '../site/claims/claims.ts'
import { proseLines } from '../site/markdown/prose_lines.ts'
import { readChapters } from '../site/weave/chapters.ts'
import { type CheckContext, type CheckReport, error } from './report.ts'

export const WORDS = 'verify/words.txt'
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']

/** A text, and where it stands. Blanked parts keep its lines and columns. */
export interface Prose {
  readonly file: string
  readonly text: string
  /** Line of the file on which the text begins, 1-based. */
  readonly line: number
}

/** Markdown as prose: links lose their addresses, footnotes their ids, HTML its tags, fences all but a fold's sentence. */
export function proseOf(markdown: string): string {
  const folds = markdown.split('\n').map((line) => /^\s*[`~]{3,}.*\bfold="([^"]*)"/.exec(line))
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ')
  return proseLines(markdown)
    .map((line, index) => {
      const fold = folds[index]
      if (fold) return ' '.repeat(fold[0].length - fold[1]!.length - 1) + fold[1]
      return (
        line
          .replace(/\]\([^)]*\)|\[\^[^\]]+\]:?|<[^>]*>|https?:\S+/g, blank)
          // What looks like code without being set as such: names_with_underscores, paths, options, hex.
          .replace(/(?<=^|[\s(“"])(?:\S*[_/\\=#@]\S*|--?\w[\w-]*|0x[\da-fA-F_]+|\w+\(\))/g, blank)
      )
    })
    .join('\n')
}

/** Everything that is spelt. */
export function proseOfBook(root: string): Prose[] {
  const { chapters } = readChapters(root)
  const written = chapters.filter(({ planned }) => !planned)
  const exercises = chapters.flatMap(({ slug }) => {
    const folder = `chapters/${slug}/exercises`
    if (!existsSync(join(root, folder))) return []
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .sort()
      .map((file) => `${folder}/${file}`)
  })
  const files = [...written.map(({ file }) => file), ...exercises, ...DOCUMENTS]
  const texts = files
    .filter((file) => existsSync(join(root, file)))
    .map((file) => ({ file, text: proseOf(readFileSync(join(root, file), 'utf8')), line: 1 }))
  const claims = [...readClaims(root, chapters).byId.values()].map(({ claim, file, line }) => ({
    ...{ file, line: line + 1, text: proseOf(claim.says.replace(/\s+/g, ' ')) },
  }))
  return [...texts, ...claims]
}

/** The words of the house. Lines that begin with # say what follows. */
export const houseWords = (root: string): string[] =>
  readFileSync(join(root, WORDS), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

/**
 * Rule `spelling`: a word that neither the dictionary nor words.txt has. All texts go to the checker as one: to make its
 * dictionaries ready takes longer than to read a chapter.
 */
export async function checkSpelling(
  texts: readonly Prose[],
  words: readonly string[],
): Promise<Diagnostic[]> {
  const { spellCheckDocument } = await import('cspell-lib')
  const lines = texts.flatMap(({ file, text, line }) =>
    text.split('\n').map((each, index) => ({ file, text: each, line: line + index })),
  )
  const starts: number[] = []
  let length = 0
  for (const { text } of lines) {
    starts.push(length)
    length += text.length + 1
  }
  const text = lines.map((line) => line.text).join('\n')
  const document = { uri: 'file:///book.txt', text, languageId: 'plaintext', locale: 'en-GB' }
  const options = { noConfigSearch: true, generateSuggestions: true, numSuggestions: 1 }
  // Its limits are made for an editor: 100 findings in all, 5 of a word.
  const many = { maxNumberOfProblems: 10_000, maxDuplicateProblems: 10_000 }
  const { issues } = await spellCheckDocument(document, options, {
    language: 'en-GB',
    words: [...words],
    ...many,
  })
  return issues.map((issue) => {
    const at = starts.findLastIndex((start) => start <= issue.offset)
    const { file, line } = lines[at]!
    const near = issue.suggestions?.[0]
    const note = near ? `Is it ${near}? If not, ${WORDS} takes it.` : `If it is a word, ${WORDS} takes it.`
    return error('spelling', file, line, issue.offset - starts[at]! + 1, issue.text, note)
  })
}

export async function spellingReport({ root, progress }: CheckContext): Promise<CheckReport> {
  const texts = proseOfBook(root)
  const words = houseWords(root)
  progress(`spelling of ${texts.length} texts`)
  const diagnostics = await checkSpelling(texts, words)
  const count = texts.reduce((sum, { text }) => sum + (text.match(/\p{L}+/gu)?.length ?? 0), 0)
  return { diagnostics, counts: { texts: texts.length, words: count, 'words of ours': words.length } }
}
