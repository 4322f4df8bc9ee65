// SPDX-License-Identifier: MIT
//
// A frame of `calls-over-time`: time goes down, and each call has a row: who calls and what, what the driver answers, the
// mappings that it counts, how many pages are in use. Below stand the buffer's pages with the number of their mappings. A table,
// because it is one; rows that are still to come are empty.
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { CallsFrame, DrawnCall } from './calls_frames.ts'

type Words = (typeof enWidgets.kinds)['calls-over-time']

export function drawCalls({ calls, rows, pages }: CallsFrame, words: Words): string {
  const { labels } = words
  const heads = [labels.callers, labels.answer, labels.mappings, labels.used]
    .map((label) => `<th scope="col">${label}</th>`)
    .join('')
  const made = calls.map((call, at) => row(call, at === calls.length - 1, words))
  const open = Array.from({ length: rows - calls.length }, () => `<tr>${'<td></td>'.repeat(4)}</tr>`)
  const boxes = pages
    .map((count) => `<span class="ct-page${count > 0 ? ' ct-mapped' : ''}">${count}</span>`)
    .join(' ')
  return (
    `<div class="ct"><table><thead><tr>${heads}</tr></thead><tbody>${made.join('')}${open.join('')}</tbody></table>` +
    `<p class="ct-pages">${pages.length > 0 ? labels.pages : labels.none} ${boxes}</p></div>`
  )
}

function row({ who, call, answer, mappings, used }: DrawnCall, now: boolean, { labels }: Words): string {
  const refused = answer === 0 ? '' : ' class="ct-refused"'
  return (
    `<tr${now ? ' class="ct-now"' : ''}><td>${escapeHtml(who === 'program' ? call : `${labels[who]}: ${call}`)}</td>` +
    `<td${refused}>${answer}</td><td>${mappings ?? labels.gone}</td><td>${used}</td></tr>`
  )
}
