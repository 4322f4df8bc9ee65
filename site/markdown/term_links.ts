// SPDX-License-Identifier: MIT
//
// A term in running text as a link: what finds it is in term_finder.ts.
import type MarkdownIt from 'markdown-it'
import { glossaryOf } from '../data/glossary.ts'
import { chapterUrl, fromRoot } from '../paths.ts'
import type { Chapter } from '../weave/types.ts'
import { type TermFinder, termFinder } from './term_finder.ts'
import { boldTerms, termKey } from './terms.ts'

type State = Parameters<Parameters<MarkdownIt['core']['ruler']['push']>[1]>[0]
type Token = State['tokens'][number]

/** Splits the running text of a paragraph at the mentions of terms, and makes these links. */
function linkTerms(state: State, children: readonly Token[], finder: TermFinder): Token[] {
  let inside = 0
  return children.flatMap((token) => {
    inside += token.nesting
    if (token.type !== 'text' || inside > 0) return [token]
    const pieces: Token[] = []
    const text = (content: string): void => {
      const piece = new state.Token('text', '', 0)
      piece.content = content
      if (content !== '') pieces.push(piece)
    }
    let end = 0
    for (const { index, length, anchor } of finder.firstIn(token.content)) {
      text(token.content.slice(end, index))
      const open = new state.Token('link_open', 'a', 1)
      open.attrSet('href', `${chapterUrl('glossary')}#${anchor}`)
      pieces.push(open)
      end = index + length
      text(token.content.slice(index, end))
      pieces.push(new state.Token('link_close', 'a', -1))
    }
    text(token.content.slice(end))
    return pieces
  })
}

/** In running text alone: a heading, a table, a source has links and purposes of its own. */
export function useTermLinks(markdown: MarkdownIt, book: (env: unknown) => readonly Chapter[]): void {
  markdown.core.ruler.push('term-links', (state) => {
    const { page } = state.env as { page?: { inputPath: string } }
    const file = page ? fromRoot(page.inputPath) : ''
    const chapters = book(state.env)
    const chapter = chapters.find((each) => each.file === file)
    if (!chapter || chapter.slug === 'glossary') return
    const here = new Set(boldTerms(file, chapter.markdown).map(({ term }) => termKey(term)))
    const finder = termFinder(glossaryOf(chapters), ({ names }) =>
      names.some((name) => here.has(termKey(name))),
    )
    const sourcesAt = state.tokens.findIndex(({ type }) => type === 'footnote_block_open')
    const told = sourcesAt < 0 ? state.tokens : state.tokens.slice(0, sourcesAt)
    for (const [index, token] of told.entries()) {
      if (token.children && told[index - 1]?.type === 'paragraph_open')
        token.children = linkTerms(state, token.children, finder)
    }
  })
}
