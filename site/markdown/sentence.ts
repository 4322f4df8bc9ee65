// SPDX-License-Identifier: MIT
//
// A sentence that stands outside Markdown, on a card or in a footnote: its text is text, and what is code by its looks is
// set as code.
import { escapeHtml } from '../html.ts'

/** What is set as code: `what is quoted`, names called() or with_an_underscore, files, /proc/paths. */
const CODE =
  /`([^`]+)`|(?<=^|\s)\/\w(?:[\w/<>.-]*[\w/>])?|\b(?:[\w/-]+\.(?:[ch]|ts|dtso?)\b|\w+_\w*(?:\(\))?|[A-Za-z]\w*\(\))/g

export function sentenceHtml(sentence: string): string {
  let html = ''
  let end = 0
  for (const match of sentence.matchAll(CODE)) {
    html += `${escapeHtml(sentence.slice(end, match.index))}<code>${escapeHtml(match[1] ?? match[0])}</code>`
    end = match.index + match[0].length
  }
  return html + escapeHtml(sentence.slice(end))
}
