// SPDX-License-Identifier: MIT
//
// Lighthouse's four scores of each kind of page, the API's too, as a phone of the middle class on a slow network would have
// them: it measures once and computes the rest (simulated throttling), from a server that compresses as static hosts do.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import lighthouse from 'lighthouse'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { CHROMIUM, CHROMIUM_ARGS } from '../../site/diagrams/render.ts'
import { type CompressingHost, compressingHost } from '../support/compressing_host.ts'
import { chaptersOf, chromiumMissing, kindsOfPages, withoutShorterChapters } from '../support/site_pages.ts'

const LEAST = 0.99
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo']
/** The audit of which a score says too little. */
const ERRORS = 'errors-in-console'
const folder = inject('siteFolder')
const missing = chromiumMissing()

const LONG = process.env['CONTIG_LONG'] === '1'
// One of each look, a chapter of middle length among them; `npm run pages` takes every kind, of chapters the longest.
const all = kindsOfPages(folder)
const chapters = chaptersOf(folder, all)
const numbered = chapters.filter((page) => /^\/\d/.test(page))
const kinds = LONG
  ? withoutShorterChapters(folder, all)
  : all.filter((page) => !chapters.includes(page) || page === numbered[numbered.length >> 1])
const api = ['/api/', '/api/code/mm/cma/', '/api/code/mm/memblock/memblock_add/']
const LOOKS = [
  /^\/$/,
  /^\/\d\d-[\w-]+\/$/,
  /^\/\d\d-[\w-]+\/exercises\/./,
  /^\/exercises\/$/,
  /^\/source\/code\//,
  /^\/source\/$/,
  /^\/movie\/$/,
  /^\/licences\/$/,
  /^\/api\/$/,
  /^\/api\/.+/,
]
const oneOf = (look: RegExp): string =>
  [...kinds, ...api].find((page) => look.test(page)) ?? `none like ${look}`
const pages = LONG ? [...kinds, ...api] : LOOKS.map(oneOf)

/** A port that was free a moment ago: Lighthouse connects to the browser by itself. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}

describe('Lighthouse', () => {
  let host: CompressingHost
  let browser: Browser
  let port = 0

  beforeAll(async () => {
    if (missing) return
    host = await compressingHost(folder)
    port = await freePort()
    const args = [...CHROMIUM_ARGS, `--remote-debugging-port=${port}`]
    browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: 60_000 })
  })
  afterAll(async () => {
    await browser?.close()
    host?.close()
  })

  /** What each category is given, and why it is not more. */
  async function scores(page: string): Promise<{ low: string[]; why: string[] }> {
    const result = await lighthouse(host.url + page.slice(1), {
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
        .map(({ id, score, displayValue = '', details }) =>
          [`${id}: ${score} ${displayValue}`, ...(id === ERRORS ? [JSON.stringify(details)] : [])].join('\n'),
        ),
    }
  }

  it('has a page of every look', () => expect(pages.filter((page) => page.startsWith('none'))).toEqual([]))

  it.for(pages)('gives %s at least 0.99 in all categories', { timeout: 180_000 }, async (page, test) => {
    if (missing) test.skip(missing)
    // A machine that does something else at the same time makes a page slower, never faster.
    let found = await scores(page)
    for (let again = 0; again < 2 && found.low.length > 0; again += 1) found = await scores(page)
    expect(found.low, found.why.join('\n')).toEqual([])
  })
})
