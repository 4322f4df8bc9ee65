// SPDX-License-Identifier: MIT
//
// What a fence of a chapter becomes. ARCHITECTURE.md has the list for authors:
//
//   ts weave=region {2-3}   a region of a real file           ts recall=region   the same, told elsewhere
//   ts weave=region fold="…"  a card in its place: what it holds, how long it is, where it lies
//   ts run id=name          a cell; the `output` fence that follows is what it prints
//   console  [title="…"]    a transcript of a terminal        output [title="…"] what a program printed
//   text boot=name          what a program printed in that boot; `console boot=name` for a kernel's own words
//   mermaid id=name         a diagram, from site/diagrams/    memory-map         a figure of physical memory
//   widget kind=… id=name   a film of the models, YAML inside: site/widgets/fence.ts
//   exercises               the exercises of the chapter
//   any other language      plain code, title="…" if it has a name
import type { Cell, CellAssets } from '../cells/types.ts'
import { inlineDiagram } from '../diagrams/inline.ts'
import { exercisesFence } from '../figures/exercises_fence.ts'
import { memoryMapFence } from '../figures/memory_map_fence.ts'
import type { Highlight } from '../highlight/highlight.ts'
import { fill } from '../client/fill.ts'
import { escapeHtml } from '../html.ts'
import type { SiteText } from '../languages.ts'
import { root } from '../paths.ts'
import type { Weave } from '../weave/types.ts'
import { readWidget, widgetHtml } from '../widgets/fence.ts'
import { failAt, fenceWords, type FenceWords, type Where } from './fence_info.ts'
import { codeBlock, foldedHtml, listingHtml } from './listing.ts'

/** What the fences of a book are rendered from, in one language. */
export interface FenceSources {
  readonly text: SiteText
  readonly highlight: Highlight
  readonly weave: Weave
  readonly cellAssets: CellAssets
  /** The cells of a chapter's file. */
  readonly cellsOf: (file: string) => readonly Cell[]
}

interface Fence {
  readonly info: FenceWords
  readonly content: string
  readonly where: Where
  readonly chapterSlug: string
}

function woven(fence: Fence, sources: FenceSources, name: string, recall: boolean): string {
  const { text, weave, highlight } = sources
  if (!weave.regions.has(name)) {
    failAt(fence.where, 'weave-unknown', `region '${name}' is in no file of code/ or kernel/`)
  }
  const fold = fence.info.words.get('fold')
  if (fold !== undefined) return foldedHtml(weave.listing(name), fold, text)
  return listingHtml(weave.listing(name), {
    text,
    highlight,
    nested: (inner) => weave.listing(inner),
    chapterSlug: fence.chapterSlug,
    recall,
    marked: fence.info.marked,
  })
}

function cell(fence: Fence, sources: FenceSources): string {
  const found = sources.cellsOf(fence.where.file).find((other) => other.line === fence.where.line)
  if (!found)
    failAt(fence.where, 'cell-unknown', 'this `run` fence is not a cell; has it an id and an output block?')
  const lines = sources.highlight.lines(found.code, 'ts')
  const pre = codeBlock(lines, {
    lang: 'ts',
    marked: fence.info.marked,
    label: fill(sources.text.cell, { id: found.id }),
  })
  return sources.cellAssets.html(found, sources.text, pre)
}

/** Output and transcripts look unlike code: they are what a machine said. */
function said(fence: Fence, sources: FenceSources, kind: 'output' | 'console'): string {
  const title = fence.info.title ?? (kind === 'output' ? sources.text.output : sources.text.transcript)
  const lines = sources.highlight.lines(fence.content, kind)
  const block = codeBlock(lines, { lang: kind, marked: fence.info.marked, label: title })
  return `<figure class="said ${kind}"><figcaption>${escapeHtml(title)}</figcaption>${block}</figure>\n`
}

function plain(fence: Fence, sources: FenceSources): string {
  const { info, where } = fence
  if (!sources.highlight.knows(info.lang)) {
    failAt(where, 'fence-language', `no grammar for '${info.lang}'; site/highlight/highlight.ts lists them`)
  }
  const { title } = info
  const lines = sources.highlight.lines(fence.content, info.lang)
  const block = codeBlock(lines, {
    lang: info.lang,
    marked: info.marked,
    label: title ?? fill(sources.text.code, { lang: info.lang }),
  })
  const caption = title ? `<figcaption>${escapeHtml(title)}</figcaption>` : ''
  return `<figure class="listing plain">${caption}${block}</figure>\n`
}

/** The HTML of a fence. `follows` is true for an `output` fence right below a cell, which the cell shows itself. */
export function fenceHtml(
  info: string,
  content: string,
  place: Where & { chapterSlug: string; follows: boolean },
  sources: FenceSources,
): string {
  const parsed = fenceWords(info)
  const where = { file: place.file, line: place.line }
  const fence: Fence = { info: parsed, content, where, chapterSlug: place.chapterSlug }
  const weave = parsed.words.get('weave')
  const recall = parsed.words.get('recall')
  if (weave !== undefined) return woven(fence, sources, weave, false)
  if (recall !== undefined) return woven(fence, sources, recall, true)
  if (parsed.words.has('run')) return cell(fence, sources)
  if (parsed.lang === 'output') return place.follows ? '' : said(fence, sources, 'output')
  if (parsed.lang === 'console') return said(fence, sources, 'console')
  if (parsed.lang === 'text' && parsed.words.has('boot')) return said(fence, sources, 'output')
  if (parsed.lang === 'mermaid') return inlineDiagram(content, parsed, where)
  if (parsed.lang === 'memory-map')
    return memoryMapFence(content, parsed.words.get('id') ?? '', where, sources.text)
  if (parsed.lang === 'widget') return widgetHtml(readWidget(parsed, content, where), where)
  if (parsed.lang === 'exercises') return exercisesFence(root, place.chapterSlug, where, sources.text)
  return plain(fence, sources)
}
