// SPDX-License-Identifier: MIT
//
// Text into HTML.

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text made safe between tags and inside double-quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]!)
}

/** HTML without its tags, entities as they stand. */
export function withoutTags(html: string): string {
  return html.replace(/<[^>]*>/g, '')
}
