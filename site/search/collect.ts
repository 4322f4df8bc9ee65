// SPDX-License-Identifier: MIT
//
// Everything that can be found in one build, from the pages as they were rendered, the glossary and the sources.
import type { Book, Entry } from '../data/book.ts'
import type { GlossaryEntry } from '../data/glossary.ts'
import { sourceUrl } from '../paths.ts'
import type { SiteText } from '../text/en.ts'
import type { SourceFile } from '../weave/types.ts'
import { type SearchDocument, sectionsOf } from './documents.ts'
import { definitionsIn } from './symbols.ts'

/** A page that Eleventy wrote. */
export interface RenderedPage {
  readonly url: string
  readonly content: string
}

const GLOSSARY = 'glossary'

function ofEntry(entry: Entry, pages: readonly RenderedPage[], text: SiteText): SearchDocument[] {
  const page = pages.find(({ url }) => url === entry.url)
  const html = /<article class="prose">([\s\S]*)<\/article>/.exec(page?.content ?? '')?.[1]
  if (!page || html === undefined) return []
  const name = entry.number === null ? entry.title : `${text.chapter} ${entry.number}, ${entry.title}`
  const sections = sectionsOf({ url: page.url, name, title: entry.title, html })
  // Below the headings of the glossary are its tables, and each row is found by itself.
  return entry.slug === GLOSSARY ? sections.slice(0, 1) : sections
}

function ofTerm(entry: GlossaryEntry): SearchDocument {
  return {
    kind: 'term',
    address: `${GLOSSARY}/#${entry.anchor}`,
    title: entry.names.join(', '),
    context: entry.chinese,
    text: entry.meaning.replaceAll('`', ''),
    code: entry.chinese,
  }
}

function ofSource(source: SourceFile): SearchDocument[] {
  const addressOf = (line?: number): string => sourceUrl(source.file, line).slice(1)
  return [
    { kind: 'file', address: addressOf(), title: source.file, context: '', text: '', code: '' },
    ...definitionsIn(source).map(({ name, line, text }) => ({
      kind: 'symbol' as const,
      address: addressOf(line),
      title: name,
      context: source.file,
      text,
      code: '',
    })),
  ]
}

export function collect(
  pages: readonly RenderedPage[],
  from: {
    book: Book
    glossary: readonly GlossaryEntry[]
    files: readonly SourceFile[]
    text: SiteText
  },
): SearchDocument[] {
  return [
    ...from.book.entries.flatMap((entry) => ofEntry(entry, pages, from.text)),
    ...from.glossary.map(ofTerm),
    ...from.files.flatMap(ofSource),
  ]
}
