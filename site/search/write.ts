// SPDX-License-Identifier: MIT
//
// The two files that finding fetches when a reader first asks, each named by its language: the index of search, and the
// glossary for its pop-ups. Their names hold no hash, because pages are rendered before they can be written.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GlossaryEntry } from '../data/glossary.ts'
import { buildIndex } from './engine.ts'
import type { SearchDocument } from './documents.ts'

/** What a pop-up shows, by the id of the entry's row: names, Chinese, meaning, address of the definition, its chapter. */
export type GlossaryData = Readonly<Record<string, readonly [string, string, string, string, string]>>

function put(outDir: string, name: string, json: string): void {
  mkdirSync(join(outDir, 'data'), { recursive: true })
  writeFileSync(join(outDir, 'data', name), json)
}

/** Writes `data/search.<lang>.json`. */
export function writeSearch(outDir: string, lang: string, documents: readonly SearchDocument[]): void {
  put(outDir, `search.${lang}.json`, buildIndex(documents))
}

/** Writes `data/glossary.<lang>.json`. `chapterAt` names the chapter whose page is at an address. */
export function writeGlossary(
  outDir: string,
  lang: string,
  glossary: readonly GlossaryEntry[],
  chapterAt: (address: string) => string,
): void {
  const data: GlossaryData = Object.fromEntries(
    glossary.map(({ anchor, names, chinese, meaning, defined }) => [
      anchor,
      [names.join(', '), chinese, meaning, defined.slice(1), chapterAt(defined)],
    ]),
  )
  put(outDir, `glossary.${lang}.json`, JSON.stringify(data))
}
