// SPDX-License-Identifier: MIT
//
// What a browser fetches to show a page: counted by the browser that fetches it, from a server that compresses as hosts do.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { CHROMIUM, CHROMIUM_ARGS } from '../../../site/diagrams/render.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/** Bytes by kind of a page of `folder` as they cross the wire, until the network has been quiet for half a second. */
export async function weigh(folder: string, page: string): Promise<{ all: number; script: number }> {
  const sent = { all: 0, script: 0 }
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').replace(/[?#].*$/, ''))
    const asked = join(folder, path)
    const file = existsSync(asked) && statSync(asked).isDirectory() ? join(asked, 'index.html') : asked
    if (!existsSync(file)) return void response.writeHead(404).end()
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    const packed = type.startsWith('font') ? readFileSync(file) : gzipSync(readFileSync(file))
    sent.all += packed.length
    if (type === 'text/javascript') sent.script += packed.length
    const coding = type.startsWith('font') ? {} : { 'Content-Encoding': 'gzip' }
    response.writeHead(200, { 'Content-Type': type, ...coding }).end(packed)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS, timeout: 60_000 })
  try {
    const tab = await browser.newPage()
    const { port } = server.address() as AddressInfo
    await tab.goto(`http://127.0.0.1:${port}/${page}`, { waitUntil: 'networkidle', timeout: 60_000 })
    return { ...sent }
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}
