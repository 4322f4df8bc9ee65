// SPDX-License-Identifier: MIT
//
// A cell in a link: `#cell=<id>&of=<print>&code=<code>`, the code deflated and in base64url. It stays in the fragment, which
// no server is told. What comes in by a link is a stranger's: it is measured before it is read, while it is inflated, and
// never run unasked. Loaded when a reader shares, or comes by such a link.
import type { Edit } from './kept.ts'

/** Of code, in bytes of UTF-8. */
export const LINK_LIMIT = 32 * 1024
/** What comes in is inflated in such pieces, so that a bomb is noticed while it is small. */
const PIECE = 1024

export type Opened =
  | { readonly cell: string; readonly edit: Edit }
  | { readonly cell: string; readonly mistake: 'broken' | 'tooBig' }

function base64url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Null when it inflates to more than `LINK_LIMIT`; rejects when it is not deflate. */
async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
  let at = 0
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, (at += PIECE)))
    },
  })
  const whole = new Uint8Array(LINK_LIMIT)
  let length = 0
  const reader = source.pipeThrough(new DecompressionStream('deflate-raw')).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return whole.subarray(0, length)
    if (length + value.length > LINK_LIMIT) {
      void reader.cancel().catch(() => undefined)
      return null
    }
    whole.set(value, length)
    length += value.length
  }
}

/** The fragment for an edit, or null when the code is longer than `LINK_LIMIT`. */
export async function fragmentOf(cell: string, { code, of }: Edit): Promise<string | null> {
  const bytes = new TextEncoder().encode(code)
  if (bytes.length > LINK_LIMIT) return null
  return `#${new URLSearchParams({ cell, of, code: base64url(await deflated(bytes)) }).toString()}`
}

/** What a fragment brings; null when it is none of these. Never rejects. */
export async function openFragment(fragment: string): Promise<Opened | null> {
  const cell = /^#cell=([\w-]*)/.exec(fragment)?.[1]
  if (cell === undefined) return null
  // Deflate makes nothing much longer than it was.
  if (fragment.length > LINK_LIMIT * 1.5) return { cell, mistake: 'tooBig' }
  const fields = new URLSearchParams(fragment.slice(1))
  const packed = fields.get('code') ?? ''
  try {
    const bytes = await inflated(fromBase64url(packed))
    if (!bytes) return { cell, mistake: 'tooBig' }
    const code = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { cell, edit: { code, of: fields.get('of') ?? '' } }
  } catch {
    return { cell, mistake: 'broken' }
  }
}
