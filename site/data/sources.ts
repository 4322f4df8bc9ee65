// SPDX-License-Identifier: MIT
//
// A page for each woven file: its lines in colour, and beside each run of lines the chapter section that tells it.
import type { Highlight } from '../highlight/highlight.ts'
import { pathHtml } from '../markdown/listing.ts'
import { apiUrl, sourceUrl } from '../paths.ts'
import type { Place, SourceFile, Weave } from '../weave/types.ts'

interface Row {
  /** The line, highlighted. */
  readonly html: string
  /** How many lines the cell beside it stands for; 0 where an earlier one still does. */
  readonly span: number
  readonly place: { url: string; region: string; title: string; number: number | null } | null
  /** The id of the cell beside the line, where a region that is told begins; empty elsewhere. */
  readonly anchor: string
}

export interface SourcePage {
  readonly file: string
  readonly url: string
  readonly nameHtml: string
  readonly api: string | null
  /** True while the ledger promises it to a chapter that is not written. */
  readonly promised: boolean
  readonly promisedTitle: string
  /** The words at its head, for the page's description. */
  readonly about: string
  readonly rows: readonly Row[]
}

function rowsOf(source: SourceFile, places: ReadonlyMap<number, Place>, highlight: Highlight): Row[] {
  const lines = highlight.lines(source.lines.join('\n'), source.lang)
  const regionAt = (line: number): string => places.get(line)?.region ?? ''
  const begun = new Set<string>()
  return lines.map((html, index) => {
    const line = index + 1
    if (index > 0 && regionAt(line) === regionAt(line - 1)) return { html, span: 0, place: null, anchor: '' }
    let span = 1
    while (line + span <= lines.length && regionAt(line + span) === regionAt(line)) span += 1
    const place = places.get(line)
    // A region goes on behind one that is nested in it: its place is where it begins.
    const begins = place !== undefined && !begun.has(place.region)
    if (begins) begun.add(place.region)
    return {
      html,
      span,
      anchor: begins ? `region-${place.region}` : '',
      place: place
        ? {
            url: `${place.chapter.url}#${place.anchor}`,
            region: place.region,
            title: place.chapter.title,
            number: place.chapter.number,
          }
        : null,
    }
  })
}

/** The first sentence of a file's head comment. */
function aboutOf(source: SourceFile): string {
  const head = source.lines
    .slice(0, 14)
    .map((line) => line.replace(/^\s*(\/\/|\/?\*+\/?|#)\s?/, '').replace(/\*\/\s*$/, ''))
    .filter((line) => !line.includes('SPDX') && !line.startsWith('region '))
  const sentence = /\S[\s\S]*?[.:](?=\s|$)/.exec(head.join(' ').replace(/\s+/g, ' '))?.[0]
  return `${source.file}. ${sentence ?? ''}`.trim().slice(0, 200)
}

export function sourcePages(weave: Weave, highlight: Highlight): SourcePage[] {
  return weave.files.map((source) => {
    const slug = weave.ledger.files[source.file]
    return {
      file: source.file,
      url: sourceUrl(source.file),
      nameHtml: pathHtml(source.file),
      api: apiUrl(source.file),
      promised: slug !== undefined,
      promisedTitle: weave.chapters.find((chapter) => chapter.slug === slug)?.title ?? '',
      about: aboutOf(source),
      rows: rowsOf(source, weave.placesOf(source.file), highlight),
    }
  })
}
