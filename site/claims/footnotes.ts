// SPDX-License-Identifier: MIT
//
// A claim as a footnote: its sentence, then a line for each source. The footnotes of a chapter are written below its
// Markdown before it is parsed, so that markdown-it-footnote numbers and links them.
import { escapeHtml } from '../html.ts'
import { sentenceHtml } from '../markdown/sentence.ts'
import { en } from '../text/en.ts'
import type { Claims } from './claims.ts'
import { footnotesIn } from './references.ts'
import { type Claim, type ClaimLog, type ClaimSource, isFunction, listOf } from './schema.ts'

const code = (text: string): string => `<code>${escapeHtml(text)}</code>`

/** A function is printed with (); a macro, a type, a property and a variable as they are. */
function symbolText(symbol: string, path: string): string {
  return isFunction(symbol, path) ? `${symbol}()` : symbol
}

const versionText = (versions: readonly string[] | undefined, release: string | undefined): string =>
  versions ? versions.join(` ${en.and} `) : (release ?? '')

/** One line: what it is, and what to look for there. */
function sourceHtml(source: ClaimSource): string {
  const { path, commit, document } = source
  if (path !== undefined) {
    const names = [
      ...listOf(source.symbol).map((symbol) => symbolText(symbol, path)),
      ...listOf(source.name),
    ].map(code)
    const said = [...names, versionText(source.versions, source.release)].join(', ')
    return `<dt>${code(path)}</dt><dd>${said}</dd>`
  }
  if (commit !== undefined) {
    const said = [source.title ?? '', ...listOf(source.release)].map(escapeHtml).join(', ')
    return `<dt>${en.commit} ${code(commit.slice(0, 12))}</dt><dd>${said}</dd>`
  }
  return `<dt>${escapeHtml(document ?? '')}</dt><dd>${escapeHtml(source.section ?? '')}</dd>`
}

const logHtml = ({ text, path, versions }: ClaimLog): string =>
  `<dt>${en.log}</dt><dd>${code(text)}, ${code(path)}, ${versionText(versions, undefined)}</dd>`

/** The text of the footnote, in one line of HTML each for the sentence and its sources. */
export function claimHtml({ says, sources, logs = [] }: Claim): { says: string; sources: string } {
  return {
    says: sentenceHtml(says.replace(/\s+/g, ' ').trim()),
    sources: `<dl>${[...sources.map(sourceHtml), ...logs.map(logHtml)].join('')}</dl>`,
  }
}

/** The definitions of the footnotes that `markdown` refers to and does not write out. */
export function footnoteDefinitions(markdown: string, { byId }: Claims): string {
  const { references, definitions } = footnotesIn(markdown)
  const own = new Set(definitions.map(({ id }) => id))
  const ids = new Set(references.map(({ id }) => id).filter((id) => !own.has(id)))
  return [...ids]
    .flatMap((id) => {
      const placed = byId.get(id)
      if (!placed) return []
      const { says, sources } = claimHtml(placed.claim)
      // The sentence is a block of HTML: what Markdown would make of its underscores is not meant.
      return `\n[^${id}]: <div>${says}\n    ${sources}</div>\n`
    })
    .join('')
}
