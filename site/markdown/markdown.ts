// SPDX-License-Identifier: MIT
//
// Markdown, as the chapters use it: CommonMark with tables, HTML, footnotes as sources, anchors on headings, alerts
// (`> [!NOTE]`), and two containers (`::: aside`, a note in the margin, and `::: wide`).
import { alert } from '@mdit/plugin-alert'
import MarkdownIt from 'markdown-it'
import anchor from 'markdown-it-anchor'
import container from 'markdown-it-container'
import footnote from 'markdown-it-footnote'
import type { Claims } from '../claims/claims.ts'
import { footnoteDefinitions } from '../claims/footnotes.ts'
import { frontMatterLines } from '../data/front_matter.ts'
import { escapeHtml, withoutTags } from '../html.ts'
import { languageOf, type SiteText } from '../languages.ts'
import { fromRoot, readText } from '../paths.ts'
import type { Where } from './fence_info.ts'
import { fenceHtml, type FenceSources } from './fences.ts'
import { useNumbers } from './numbers.ts'
import { slugOf } from './slug.ts'
import { useTermLinks } from './term_links.ts'
import { boldTerms, definitions, termAnchor, termKey } from './terms.ts'

/** What Eleventy hands to markdown-it beside the text: the page's data. */
interface Env {
  readonly page?: { readonly inputPath: string; readonly fileSlug: string }
}

/** What the fences of a language are rendered from. */
export type SourcesIn = (text: SiteText) => FenceSources

/** The language of the page that is being rendered. */
const textOf = (env: Env): SiteText => languageOf(env.page?.inputPath ?? '')

/** Where a line of the Markdown, 0-based, stands in its file. */
function whereOf(env: Env, line: number): Where {
  const file = env.page ? fromRoot(env.page.inputPath) : 'markdown'
  const offset = env.page ? frontMatterLines(readText(file)) : 0
  return { file, line: offset + line + 1 }
}

function useFences(markdown: MarkdownIt, sources: SourcesIn): void {
  markdown.renderer.rules['fence'] = (tokens, index, _options, env: Env) => {
    const token = tokens[index]!
    const before = tokens[index - 1]
    const follows = before?.type === 'fence' && /\brun\b/.test(before.info)
    const place = {
      ...whereOf(env, token.map?.[0] ?? 0),
      chapterSlug: env.page?.fileSlug ?? '',
      follows,
    }
    return fenceHtml(token.info, token.content, place, sources(textOf(env)))
  }
}

function useFootnotes(markdown: MarkdownIt, claims: () => Claims): void {
  markdown.use(footnote)
  // Below the text, so that no line of it changes its number.
  markdown.core.ruler.after('normalize', 'claims', (state) => {
    state.src += footnoteDefinitions(state.src, claims(), textOf(state.env as Env))
  })
  const { rules } = markdown.renderer
  rules['footnote_block_open'] = (_tokens, _index, _options, env: Env) =>
    `<section class="sources" aria-labelledby="sources"><h2 id="sources">${textOf(env).sources}</h2><ol>\n`
  rules['footnote_block_close'] = () => '</ol></section>\n'
  const number = (
    index: number,
    tokens: readonly { meta: { id: number; subId: number } }[],
  ): [string, string] => {
    const { id, subId } = tokens[index]!.meta
    return [String(id + 1), subId > 0 ? `-${subId}` : '']
  }
  rules['footnote_ref'] = (tokens, index) => {
    const [n, sub] = number(index, tokens)
    return `<sup class="ref"><a href="#source-${n}" id="ref-${n}${sub}">${n}</a></sup>`
  }
  rules['footnote_open'] = (tokens, index) => `<li id="source-${number(index, tokens)[0]}">`
  rules['footnote_anchor'] = (tokens, index, _options, env: Env) => {
    const [n, sub] = number(index, tokens)
    return ` <a class="back" href="#ref-${n}${sub}" aria-label="${textOf(env).backToText} ${n}${sub}">↑</a>`
  }
}

/** What a cell heads: a column, or a row where the corner above the names of rows is empty, which heads nothing. */
function useHeads(markdown: MarkdownIt): void {
  markdown.core.ruler.push('heads', ({ tokens }) => {
    let hasRowNames = false
    for (const [index, token] of tokens.entries()) {
      const isFirst = tokens[index - 1]?.type === 'tr_open'
      const isEmpty = tokens[index + 1]?.content === ''
      if (token.type === 'th_open' && isFirst) hasRowNames = isEmpty
      const isName = token.type === 'td_open' && isFirst && hasRowNames
      if (token.type !== 'th_open' && !isName) continue
      token.tag = tokens[index + 2]!.tag = isEmpty ? 'td' : 'th'
      if (!isEmpty) token.attrSet('scope', isName ? 'row' : 'col')
    }
  })
}

/** Tables scroll in a box of their own, so the page never does. */
function useTables(markdown: MarkdownIt): void {
  const { rules } = markdown.renderer
  rules['table_open'] = (_tokens, _index, _options, env: Env) =>
    `<div class="table" tabindex="0" role="group" aria-label="${textOf(env).scroll}"><table>\n`
  rules['table_close'] = () => '</table></div>\n'
  for (const cell of ['th_open', 'td_open']) {
    // markdown-it writes the alignment as a style attribute, which the page's policy refuses.
    rules[cell] = (tokens, index, options, _env, self) => {
      const token = tokens[index]!
      const align = /text-align:(\w+)/.exec(token.attrGet('style') ?? '')?.[1]
      const others = token.attrs?.filter(([name]) => name !== 'style') ?? []
      token.attrs = align ? [...others, ['class', `align-${align}`]] : others
      return self.renderToken(tokens, index, options)
    }
  }
}

/** A term has an id where it is defined, and a row of the glossary leads there by its first name that is defined. */
function useTerms(markdown: MarkdownIt, sources: SourcesIn): void {
  markdown.core.ruler.push('terms', (state) => {
    const { page } = state.env as Env
    const file = page ? fromRoot(page.inputPath) : ''
    const { chapters } = sources(textOf(state.env as Env)).weave
    const chapter = chapters.find((each) => each.file === file)
    if (!chapter) return
    const here = new Set(boldTerms(file, chapter.markdown).map(({ term }) => termKey(term)))
    const places = chapter.slug === 'glossary' ? definitions(chapters) : new Map<string, string>()
    for (const [index, token] of state.tokens.entries()) {
      const children = token.children ?? []
      for (const [at, child] of children.entries()) {
        const term = child.type === 'strong_open' ? (children[at + 1]?.content ?? '') : ''
        if (term !== '' && here.delete(termKey(term))) child.attrSet('id', termAnchor(term))
      }
      const isName =
        state.tokens[index - 1]?.type === 'td_open' && state.tokens[index - 2]?.type === 'tr_open'
      const place = isName && token.content.split(',').flatMap((name) => places.get(termKey(name)) ?? [])[0]
      if (isName && chapter.slug === 'glossary')
        state.tokens[index - 1]!.attrSet('id', termAnchor(token.content.split(',')[0]!.trim()))
      if (!place) continue
      const open = new state.Token('link_open', 'a', 1)
      open.attrSet('href', place)
      token.children = [open, ...children, new state.Token('link_close', 'a', -1)]
    }
  })
}

/** Chinese says that it is: for fonts, and for readers of screens. */
function useLanguages(markdown: MarkdownIt): void {
  markdown.renderer.rules['text'] = (tokens, index, _options, env: Env) => {
    const html = escapeHtml(tokens[index]!.content)
    if (textOf(env).lang.startsWith('zh')) return html
    return html.replace(
      /\p{Script=Han}[\p{Script=Han}\d ]*(?<=\p{Script=Han})/gu,
      (chinese) => `<span lang="zh-Hans">${chinese}</span>`,
    )
  }
}

export function createMarkdown(sources: SourcesIn, claims: () => Claims): MarkdownIt {
  const markdown = new MarkdownIt({ html: true, typographer: false })
  useFences(markdown, sources)
  useFootnotes(markdown, claims)
  useTables(markdown)
  useHeads(markdown)
  useLanguages(markdown)
  useTerms(markdown, sources)
  useTermLinks(markdown, (env) => sources(textOf(env as Env)).weave.chapters)
  useNumbers(
    markdown,
    (env, line) => whereOf(env as Env, line),
    (env) => textOf(env as Env),
  )
  markdown.use(anchor, {
    level: [2, 3, 4],
    slugify: slugOf,
    permalink: anchor.permalink.headerLink(),
    tabIndex: false,
  })
  markdown.use(alert, {
    openRender: (tokens: { markup: string }[], index: number) =>
      `<div class="alert ${tokens[index]!.markup}" role="note">\n`,
    titleRender: (tokens: { markup: string }[], index: number, _options: unknown, env: Env) => {
      const kind = tokens[index]!.markup as keyof SiteText['alerts']
      return `<p class="alert-title">${textOf(env).alerts[kind]}</p>\n`
    },
  })
  for (const name of ['aside', 'wide']) {
    markdown.use(container, name, {
      render: (tokens: { nesting: number }[], index: number) => {
        const tag = name === 'aside' ? 'aside' : 'div'
        const open = name === 'aside' ? `<${tag} class="margin">` : `<${tag} class="wide">`
        return tokens[index]!.nesting === 1 ? `${open}\n` : `</${tag}>\n`
      },
    })
  }
  return markdown
}

/** The headings of rendered HTML, for the list of contents. */
export function headingsOf(html: string): { level: number; id: string; html: string }[] {
  return [...html.matchAll(/<h([23]) id="([^"]+)"[^>]*>([\s\S]*?)<\/h\1>/g)].map((match) => ({
    level: Number(match[1]),
    id: match[2]!,
    html: match[3]!.replace(/<\/?a\b[^>]*>/g, ''),
  }))
}

/** Minutes to read: 200 words of prose a minute, 40 lines of code. */
export function minutesOf(html: string): number {
  const lines = [...html.matchAll(/<pre[\s\S]*?<\/pre>/g)].reduce(
    (sum, [pre]) => sum + pre.split('\n').length,
    0,
  )
  const prose = withoutTags(html.replace(/<(figure|contig-cell|section)\b[\s\S]*?<\/\1>/g, ' '))
  return Math.max(1, Math.round(prose.split(/\s+/).length / 200 + lines / 40))
}
