// SPDX-License-Identifier: MIT
//
// The glossary as data, from its rows `| English | 中文 | A sentence. |`: for the pop-ups, for search, for links in prose.
import { definitions, GLOSSARY, termAnchor, termKey } from '../markdown/terms.ts'
import type { Chapter } from '../weave/types.ts'

export interface GlossaryEntry {
  /** The id of its row in the glossary. */
  readonly anchor: string
  /** Every name it goes by, the first one first. */
  readonly names: readonly string[]
  readonly chinese: string
  /** A sentence; what is code stands between backticks. */
  readonly meaning: string
  /** The address of the definition in a chapter; empty when there is none. */
  readonly defined: string
}

const ROW = /^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/

function read(chapters: readonly Chapter[]): GlossaryEntry[] {
  const markdown = chapters.find(({ file }) => file === GLOSSARY)?.markdown ?? ''
  const places = definitions(chapters)
  return markdown.split('\n').flatMap((line) => {
    const [, english = '', chinese = '', meaning = ''] = ROW.exec(line) ?? []
    const names = english.split(',').map((name) => name.trim())
    if (english === '' || english === 'English' || english.startsWith('---')) return []
    const defined = names.flatMap((name) => places.get(termKey(name)) ?? [])[0] ?? ''
    return [{ anchor: termAnchor(names[0]!), names, chinese, meaning, defined }]
  })
}

/** Every page asks, and a build has the same chapters throughout. */
const known = new WeakMap<readonly Chapter[], readonly GlossaryEntry[]>()

export function glossaryOf(chapters: readonly Chapter[]): readonly GlossaryEntry[] {
  const entries = known.get(chapters) ?? read(chapters)
  known.set(chapters, entries)
  return entries
}
