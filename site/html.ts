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

/** Entities back into text. */
export function unescapeHtml(html: string): string {
  const named = Object.entries({ ...ENTITIES, "'": '&#39;', '\u00a0': '&nbsp;' })
  return html.replace(/&(?:#x([\da-f]+)|#(\d+)|\w+);/gi, (entity, hex?: string, decimal?: string) => {
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal ?? Number.NaN)
    return Number.isNaN(code)
      ? (named.find(([, name]) => name === entity)?.[0] ?? entity)
      : String.fromCodePoint(code)
  })
}
