// SPDX-License-Identifier: MIT
//
// Lighthouse's four scores of each kind of page, the API's too, as a phone of the middle class on a slow network would have
// them: it measures once and computes the rest (simulated throttling), from a server that compresses as static hosts do.
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import lighthouse from 'lighthouse'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { CHROMIUM, CHROMIUM_ARGS } from '../../site/diagrams/render.ts'
import { chromiumMissing, kindsOfPages, withoutShorterChapters } from '../support/site_pages.ts'

const LEAST = 0.99
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo']
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webmanifest': 'application/manifest+json',
}

const folder = inject('siteFolder')
const missing = chromiumMissing()

// One of each kind with a look of its own; `npm run pages` takes more, of chapters still the longest alone.
const kinds = withoutShorterChapters(folder, kindsOfPages(folder))
const looks = /^\/(?:(?:[\w-]+\/)?|\d\d-[\w-]+\/exercises\/[\w-]+\/|source\/code\/.*)$/
const pages = [
  ...(process.env['CONTIG_LONG'] === '1' ? kinds : kinds.filter((page) => looks.test(page))),
  ...['/api/', '/api/code/mm/cma/', '/api/code/mm/memblock/memblock_add/'],
]

/** What a static host does with the folder. */
function serveCompressed(): Server {
  return createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname)
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
    if (!existsSync(file)) return void response.writeHead(404).end()
    response.writeHead(200, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Content-Encoding': 'gzip',
    })
    response.end(gzipSync(readFileSync(file)))
  })
}

/** A port that was free a moment ago: Lighthouse connects to the browser by itself. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}

describe('Lighthouse', () => {
  const server = serveCompressed()
  let browser: Browser
  let port = 0

  beforeAll(async () => {
    if (missing) return
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = await freePort()
    const args = [...CHROMIUM_ARGS, `--remote-debugging-port=${port}`]
    browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: 60_000 })
  })
  afterAll(async () => {
    await browser?.close()
    server.close()
  })

  /** What each category is given, and why it is not more. */
  async function scores(page: string): Promise<{ low: string[]; why: string[] }> {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${page}`
    const result = await lighthouse(address, {
      port,
      logLevel: 'silent',
      onlyCategories: CATEGORIES,
      disableFullPageScreenshot: true,
      // How long nothing must happen before it is sure that nothing will. Unit: milliseconds.
      pauseAfterFcpMs: 200,
      pauseAfterLoadMs: 200,
      networkQuietThresholdMs: 500,
      cpuQuietThresholdMs: 500,
    })
    if (!result) throw new Error(`Lighthouse has no result for ${page}`)
    const { categories, audits, runtimeError } = result.lhr
    if (runtimeError) throw new Error(`${page}: ${runtimeError.message}`)
    const given = Object.values(categories)
    expect(given.map(({ id }) => id).sort()).toEqual([...CATEGORIES].sort())
    return {
      low: given
        .filter(({ score }) => (score ?? 0) < LEAST)
        .map(({ id, score }) => `${page}: ${id} ${score}`),
      why: Object.values(audits)
        .filter(({ score }) => score !== null && score < 0.9)
        .map(({ id, score, displayValue = '' }) => `${id}: ${score} ${displayValue}`),
    }
  }

  it.each([
    /^\/$/,
    /^\/\d\d-[\w-]+\/$/,
    /\/exercises\/./,
    /^\/exercises\/$/,
    /^\/source\/code\//,
    /^\/source\/$/,
    /^\/movie\/$/,
    /^\/api\//,
  ])('looks at a page like %s', (kind) => expect(pages.filter((page) => kind.test(page))).not.toEqual([]))

  it.for(pages)('gives %s at least 0.99 in all categories', { timeout: 180_000 }, async (page, test) => {
    if (missing) test.skip(missing)
    // A machine that does something else at the same time makes a page slower, never faster.
    let found = await scores(page)
    for (let again = 0; again < 2 && found.low.length > 0; again += 1) found = await scores(page)
    expect(found.low, found.why.join('\n')).toEqual([])
  })
})
