// SPDX-License-Identifier: MIT
//
// A folder as static hosts serve it to a browser: compressed, which `contig read` is too near to its reader to do.
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

export interface CompressingHost {
  /** With a slash at its end. */
  readonly url: string
  close(): void
}

/** Serves `folder` on a free port. `sent` is told the type and the bytes on the wire of each answer. */
export async function compressingHost(
  folder: string,
  sent: (type: string, bytes: number) => void = () => undefined,
): Promise<CompressingHost> {
  const server = createServer((request, response) => {
    const asked = join(folder, decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname))
    const file = existsSync(asked) && statSync(asked).isDirectory() ? join(asked, 'index.html') : asked
    if (!existsSync(file)) return void response.writeHead(404).end()
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    // Fonts are compressed by themselves.
    const packed = type.startsWith('font/') ? readFileSync(file) : gzipSync(readFileSync(file))
    sent(type, packed.length)
    const coding = type.startsWith('font/') ? {} : { 'Content-Encoding': 'gzip' }
    response.writeHead(200, { 'Content-Type': type, ...coding }).end(packed)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
