// SPDX-License-Identifier: MIT
//
// The texts of exercises, from Markdown: task, hints, why, and the text of a question. The last is also rendered in the
// page, when a reader asks for other numbers: there without highlighting, and so also when the site is built.
import MarkdownIt from 'markdown-it'
import { escapeHtml } from '../html.ts'

/** The HTML of a fence: the code, and the word behind its backticks. */
export type Fence = (code: string, language: string) => string

/** A fence without colors. */
export const plainFence: Fence = (code) =>
  `<pre class="code" tabindex="0"><code>${escapeHtml(code.replace(/\n$/, ''))}</code></pre>\n`

/** Gives HTML without any of the text's own. */
export function createTexts(fence: Fence = plainFence): (markdown: string) => string {
  const markdown = new MarkdownIt({ html: false })
  const { rules } = markdown.renderer
  rules['fence'] = (tokens, index) => {
    const { info, content } = tokens[index]!
    return fence(content, /^\w*/.exec(info.trim())?.[0] ?? '')
  }
  rules['table_open'] = () => '<div class="table" tabindex="0"><table>\n'
  rules['table_close'] = () => '</table></div>\n'
  return (text) => markdown.render(text)
}
