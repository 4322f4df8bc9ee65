// SPDX-License-Identifier: MIT
//
// A claim as a footnote: its sentence, then a line for each source. The footnotes of a chapter are written below its
// Markdown before it is parsed, so that markdown-it-footnote numbers and links them.
import { escapeHtml } from '../html.ts'
import { type SiteText, untranslated } from '../languages.ts'
import { sentenceHtml } from '../markdown/sentence.ts'
import type { Claims } from './claims.ts'
import { footnotesIn } from './references.ts'
import { type Claim, type ClaimLog, type ClaimSource, isFunction, listOf } from './schema.ts'

const code = (text: string): string => `<code>${escapeHtml(text)}</code>`

/** A function is printed with (); a macro, a type, a property and a variable as they are. */
function symbolText(symbol: string, path: string): string {
  return isFunction(symbol, path) ? `${symbol}()` : symbol
}

const versionText = (
  text: SiteText,
  versions: readonly string[] | undefined,
  release?: string | undefined,
): string => (versions ? versions.join(` ${text.and} `) : (release ?? ''))

/** One line: what it is, and what to look for there. */
function sourceHtml(source: ClaimSource, text: SiteText): string {
  const { path, commit, document } = source
  if (path !== undefined) {
    const names = [
      ...listOf(source.symbol).map((symbol) => symbolText(symbol, path)),
      ...listOf(source.name),
    ].map(code)
    const said = [...names, versionText(text, source.versions, source.release)].join(', ')
    return `<dt>${code(path)}</dt><dd>${said}</dd>`
  }
  if (commit !== undefined) {
    const said = [source.title ?? '', ...listOf(source.release)].map(escapeHtml).join(', ')
    return `<dt>${text.commit} ${code(commit.slice(0, 12))}</dt><dd>${said}</dd>`
  }
  return `<dt>${escapeHtml(document ?? '')}</dt><dd>${escapeHtml(source.section ?? '')}</dd>`
}

const logHtml = (log: ClaimLog, text: SiteText): string =>
  `<dt>${text.log}</dt><dd>${code(log.text)}, ${code(log.path)}, ${versionText(text, log.versions)}</dd>`

/** The text of the footnote, in one line of HTML each for the sentence and its sources. */
export function claimHtml(claim: Claim, text: SiteText): { says: string; sources: string } {
  const { says, sources, logs = [] } = claim
  const rows = [
    ...sources.map((source) => sourceHtml(source, text)),
    ...logs.map((log) => logHtml(log, text)),
  ]
  return {
    says: sentenceHtml(says.replace(/\s+/g, ' ').trim()),
    sources: `<dl>${rows.join('')}</dl>`,
  }
}

/** The definitions of the footnotes that `markdown` refers to and does not write out. */
export function footnoteDefinitions(markdown: string, { byId }: Claims, text: SiteText): string {
  const { references, definitions } = footnotesIn(markdown)
  const own = new Set(definitions.map(({ id }) => id))
  const ids = new Set(references.map(({ id }) => id).filter((id) => !own.has(id)))
  return [...ids]
    .flatMap((id) => {
      const placed = byId.get(id)
      if (!placed) return []
      const { says, sources } = claimHtml(placed.claim, text)
      // The sentence is a block of HTML: what Markdown would make of its underscores is not meant.
      return `\n[^${id}]: <div${untranslated(text)}>${says}\n    ${sources}</div>\n`
    })
    .join('')
}
