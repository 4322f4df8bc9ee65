// SPDX-License-Identifier: MIT
//
// A listing: a region of a real file as the reader sees it, with where it lives, its nested regions as ⟨links⟩, and a
// number on each line that is the line of the file.
import type { Highlight } from '../highlight/highlight.ts'
import { escapeHtml } from '../html.ts'
import type { SiteText } from '../languages.ts'
import { apiUrl, regionUrl, sourceUrl } from '../paths.ts'
import type { Listing } from '../weave/types.ts'
import { sentenceHtml } from './sentence.ts'

/**
 * Code between the tags of a block: `number` gives the number printed beside a line, null for none. A line that is
 * neither numbered nor marked has no element of its own: a chapter has thousands.
 */
export function codeBlock(
  lines: readonly string[],
  options: {
    lang: string
    marked?: ReadonlySet<number>
    number?: (line: number) => number | null
    label: string
  },
): string {
  const body = lines
    .map((html, index) => {
      const marked = options.marked?.has(index + 1) ?? false
      const number = options.number?.(index + 1) ?? null
      if (!marked && number === null) return html
      const data = number === null ? '' : ` data-n="${number}"`
      return `<span class="line${marked ? ' marked' : ''}"${data}>${html}</span>`
    })
    .join('\n')
  const label = escapeHtml(options.label)
  return `<pre class="code lang-${options.lang}" tabindex="0" role="group" aria-label="${label}"><code>${body}</code></pre>`
}

/** `code/mm/memblock.ts` with its folders set back and a chance to break after each slash. */
export function pathHtml(file: string): string {
  const at = file.lastIndexOf('/') + 1
  const folders = escapeHtml(file.slice(0, at)).replaceAll('/', '/<wbr>')
  return `<span class="dir">${folders}</span><wbr><span class="file">${escapeHtml(file.slice(at))}</span>`
}

/** A nested region's line: its own indentation, then ⟨name⟩ as a link to the listing that shows it. */
function holeLine(line: string, name: string, href: string, text: SiteText): string {
  const indent = /^\s*/.exec(line)?.[0] ?? ''
  return `${indent}<a class="hole" href="${escapeHtml(href)}" title="${text.nested}">⟨${escapeHtml(name)}⟩</a>`
}

/** As in a printed book: the first line has its number, every fifth, and the line after a gap. */
function numberBeside(listing: Listing, line: number): number | null {
  const number = listing.sourceLines[line - 1]
  if (number === undefined || listing.holes.some((hole) => hole.line === line)) return null
  return number % 5 === 0 || listing.sourceLines[line - 2] !== number - 1 ? number : null
}

/**
 * The figure of a region. `nested` gives the listing of a nested region, to link to it on this page or another.
 * A recall has no id, links to where it is told, and says that it was seen before.
 */
export function listingHtml(
  listing: Listing,
  options: {
    text: SiteText
    highlight: Highlight
    nested: (name: string) => Listing
    chapterSlug: string
    recall: boolean
    marked: ReadonlySet<number>
  },
): string {
  const { text } = options
  const placeOf = (other: Listing): string =>
    other.chapter === null
      ? sourceUrl(other.file, other.startLine)
      : (other.chapter.slug === options.chapterSlug ? '' : other.chapter.url) + `#${other.anchor}`
  const source = listing.text.split('\n')
  const lines = [...options.highlight.lines(listing.text, listing.lang)]
  for (const hole of listing.holes) {
    lines[hole.line - 1] = holeLine(
      source[hole.line - 1] ?? '',
      hole.name,
      placeOf(options.nested(hole.name)),
      text,
    )
  }
  const api = apiUrl(listing.file)
  const range = `${text.lines} ${listing.startLine}–${listing.endLine}`
  const caption = [
    `<a class="path" href="${sourceUrl(listing.file, listing.startLine)}">${pathHtml(listing.file)}</a>`,
    `<span class="region">${escapeHtml(listing.region)}</span>`,
    ...(options.recall
      ? [`<a class="recall" href="${escapeHtml(placeOf(listing))}">${text.seenBefore}</a>`]
      : []),
    ...(api && listing.symbols.length > 0 && !options.recall
      ? [
          `<a class="api" href="${api}" aria-label="${text.docsOf}: ${escapeHtml(listing.file)}">${text.api}</a>`,
        ]
      : []),
  ].join('')
  const block = codeBlock(lines, {
    lang: listing.lang,
    marked: options.marked,
    number: (line) => numberBeside(listing, line),
    label: `${listing.file}, ${range}`,
  })
  const id = options.recall ? '' : ` id="${listing.anchor}"`
  const recall = options.recall ? ' recalled' : ''
  return `<figure class="listing${recall}"${id}><figcaption>${caption}</figcaption>${block}</figure>\n`
}

/** The card of a folded listing: what it holds, how long it is, and the way to its place in its file. */
export function foldedHtml(listing: Listing, sentence: string, text: SiteText): string {
  const count = listing.sourceLines.length
  const caption = [
    `<a class="path" href="${regionUrl(listing.file, listing.region)}">${pathHtml(listing.file)}</a>`,
    `<span>${count} ${count === 1 ? text.line : text.lines}</span>`,
  ].join('')
  return `<figure class="listing folded" id="${listing.anchor}"><p>${sentenceHtml(sentence)}</p><figcaption>${caption}</figcaption></figure>\n`
}
