// SPDX-License-Identifier: MIT
//
// The book in Markdown that any generator reads: woven listings and cells as ordinary fences with their text in them,
// footnotes with their definitions, our own fences left out. What highlighting costs, all pay for the same lines.
import { readClaims, type Claims } from '../../../site/claims/claims.ts'
import { readFences } from '../../../site/weave/fences.ts'
import type { Chapter, Weave } from '../../../site/weave/types.ts'
import { loadWeave } from '../../../site/weave/weave.ts'

export interface PlainPage {
  readonly slug: string
  readonly title: string
  /** Without front matter. */
  readonly markdown: string
}

/** Languages that are highlighted by all four; a device tree reads as C does. */
const LANGUAGES: Readonly<Record<string, string>> = {
  ts: 'ts',
  c: 'c',
  sh: 'sh',
  json: 'json',
  yaml: 'yaml',
  make: 'make',
  diff: 'diff',
  dts: 'c',
}

/** Fences that are pictures or lists of ours, drawn by nobody else. */
const OURS = new Set(['mermaid', 'memory-map', 'exercises', 'widget'])

function plainFence(weave: Weave, fence: ReturnType<typeof readFences>[number]): string[] {
  const { lang, words } = fence.info
  if (OURS.has(lang) || words.has('fold')) return []
  const woven = words.get('weave') ?? words.get('recall')
  const text = woven === undefined ? fence.content : weave.listing(woven).text
  const ticks = '`'.repeat(Math.max(3, ...[...text.matchAll(/`{3,}/g)].map(([run]) => run.length + 1)))
  return [`${ticks}${LANGUAGES[lang] ?? 'text'}`, ...text.replace(/\n$/, '').split('\n'), ticks]
}

/** The claims that a text refers to, each as a footnote of one line. */
function footnotes(text: string, { byId }: Claims): string {
  const ids = new Set([...text.matchAll(/\[\^([a-z0-9-]+)\](?!:)/g)].map(([, id = '']) => id))
  return [...ids]
    .flatMap((id) => {
      const said = byId.get(id)?.claim
      if (!said) return []
      const sources = said.sources.flatMap((source) => ('path' in source ? [`\`${source.path}\``] : []))
      const says = said.says.replace(/\s+/g, ' ').replaceAll('<', '\\<').trim()
      return [`[^${id}]: ${[says, ...sources].join(' ')}`]
    })
    .join('\n\n')
}

function plainPage(weave: Weave, claims: Claims, { slug, title, markdown }: Chapter): PlainPage {
  const lines = markdown.split('\n')
  for (const fence of readFences(markdown).toReversed())
    lines.splice(fence.line - 1, fence.endLine - fence.line + 1, ...plainFence(weave, fence))
  const text = lines.join('\n').replace(/^---\n[\s\S]*?\n---\n/, '')
  return { slug, title, markdown: `# ${title}\n\n${text}\n\n${footnotes(text, claims)}\n` }
}

/** Every chapter and appendix that is written. */
export function plainBook(root: string): PlainPage[] {
  const weave = loadWeave(root)
  const claims = readClaims(root, weave.chapters)
  return weave.chapters.filter(({ planned }) => !planned).map((chapter) => plainPage(weave, claims, chapter))
}
