// SPDX-License-Identifier: MIT
//
// Cells that mean harm, in Chromium, on a page that has its policy in a <meta> and no header: whatever they do, the page
// answers its reader, says what happened, and nothing leaves it.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Cell } from '../../site/cells/types.ts'
import { type CellPage, cellPage } from '../support/cell_page.ts'
import { quickest } from '../support/interactions.ts'
import { launch } from '../support/site_pages.ts'

const cellOf = (id: string): Cell => ({
  id,
  file: 'chapters/01-fixture/index.md',
  line: 1,
  code: `console.log('${id}')`,
  output: `${id}\n`,
  outputLine: 1,
  outputEndLine: 1,
})

let browser: Browser
let site: CellPage
let served: Awaited<ReturnType<CellPage['serve']>>
let page: Page
/** Another host, that would let itself be read by anybody, and what it was asked. */
let elsewhere: Server
let elsewhereUrl = ''
const asked: string[] = []

beforeAll(async () => {
  site = await cellPage()
  served = await site.serve('meta', ['calm', 'a', 'b', 'c', 'd'].map(cellOf))
  elsewhere = createServer((request, response) => {
    asked.push(request.url ?? '')
    response
      .setHeader('Access-Control-Allow-Origin', '*')
      .setHeader('Content-Type', 'text/javascript')
      .end('1')
  })
  await new Promise<void>((done) => elsewhere.listen(0, '127.0.0.1', done))
  elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
  browser = await launch()
  page = await browser.newPage()
})
afterAll(async () => {
  await browser?.close()
  served?.close()
  elsewhere?.close()
  site?.remove()
})
beforeEach(async () => {
  asked.length = 0
  await page.goto(served.url)
  await page.locator('#cell-calm .cell-run').waitFor()
})

const state = (id: string) => page.locator(`#cell-${id}`).getAttribute('data-state')
const status = (id: string) => page.locator(`#cell-${id} .cell-status`).textContent()
const printed = (id: string) => page.locator(`#cell-${id} .cell-text`).textContent()
const settled = (id: string) =>
  expect.poll(() => state(id), { timeout: 20_000, interval: 20 }).toMatch(/done|failed/)

/** Puts `code` into a cell's editor and runs it. */
async function start(code: string, id = 'a'): Promise<void> {
  await page.locator(`#cell-${id} .cell-edit`).click()
  await page.locator(`#cell-${id} .cm-content`).waitFor()
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(code)
  await page.keyboard.press('Control+Enter')
}

async function run(code: string): Promise<{ said: string; output: string }> {
  await start(code)
  await settled('a')
  return { said: (await status('a')) ?? '', output: (await printed('a')) ?? '' }
}

/** The page is whole: it answers a key, and a cell runs as ever. */
async function stillUsable(): Promise<void> {
  expect(await quickest(page, () => page.keyboard.press('Tab'))).toBeLessThan(100)
  await page.locator('#cell-calm .cell-run').click()
  await settled('calm')
  expect(await status('calm')).toContain('The same output as in the book.')
}

describe('a hostile cell', () => {
  it('loops, waits for ever, allocates without end, hangs in a proxy, all at once: each is ended at its time', async () => {
    await start(`console.log('spinning')\nfor (;;) {}`, 'a')
    await start(`await new Promise(() => 0)`, 'b')
    await start(`const all: number[][] = []\nfor (;;) all.push(new Array(1e6).fill(0.5))`, 'c')
    await start(`console.log(new Proxy({}, { ownKeys() { for (;;); } }))`, 'd')
    await expect.poll(() => printed('a')).toBe('spinning\n')
    expect(await quickest(page, () => page.keyboard.press('x'))).toBeLessThan(100)
    for (const id of ['a', 'b', 'c', 'd']) {
      await settled(id)
      expect(await status(id)).toBe('Stopped after 5 s: the cell had not come to an end.')
    }
    expect(await printed('a')).toBe('spinning\n')
    await stillUsable()
  })

  it('floods with lines, which scroll in a box of their own', async () => {
    await start(`for (;;) console.log('')`)
    expect(await quickest(page, () => page.keyboard.press('x'))).toBeLessThan(100)
    await settled('a')
    expect(await status('a')).toBe('Stopped: the cell printed more than 64 KiB.')
    expect(await printed('a')).toBe('\n'.repeat(64 * 1024))
    const height = await page.locator('#cell-a .cell-text').evaluate((box) => box.clientHeight)
    expect(height).toBeGreaterThan(0)
    await stillUsable()
  })

  it.each([
    ['a line of 256 MiB', `console.log('x'.repeat(2 ** 28))`, 'Stopped: the cell printed more than 64 KiB.'],
    ['an error of ten megabytes', `throw new Error('x'.repeat(1e7))`, 'Line 1: Error: xxx'],
    [
      'recursion',
      `const f = (): number => f() + 1\nf()`,
      'Line 1: RangeError: Maximum call stack size exceeded',
    ],
    [
      'buffers without end',
      `const all = []\nfor (;;) all.push(new Uint8Array(2 ** 30))`,
      'Line 2: RangeError: Array buffer',
    ],
    [
      'an error that throws when looked at',
      `throw Object.defineProperty(new Error(), 'message', { get() { throw 1 } })`,
      'Error',
    ],
    [
      'a hundred thousand rejections',
      `for (let n = 0; n < 1e5; n += 1) void Promise.reject(n)\nawait new Promise(() => 0)`,
      '0',
    ],
    [
      'pollution',
      `for (const kind of [Object, Array, String, Function, Promise, Map, Set])\n` +
        `  for (const name of Object.getOwnPropertyNames(kind.prototype))\n` +
        `    try { Object.defineProperty(kind.prototype, name, { value: () => 'polluted' }) } catch {}`,
      '',
    ],
  ])('tries %s, and is told in a line', async (_, code, said) => {
    const { said: text } = await run(code)
    expect(text).toContain(said)
    expect(text).not.toBe('')
    expect(text.length).toBeLessThan(2_100)
    await stillUsable()
  })

  it.each([
    ['fetch', `await fetch('ELSEWHERE')`, 'fetch is not there'],
    ['a request', `new XMLHttpRequest().open('GET', 'ELSEWHERE')`, 'XMLHttpRequest is not there'],
    ['a socket', `new WebSocket('ws://127.0.0.1:1')`, 'WebSocket is not there'],
    ['a stream of events', `new EventSource('ELSEWHERE')`, 'EventSource is not there'],
    ['a script', `importScripts('ELSEWHERE')`, 'importScripts is not there'],
    ['a module', `await import('ELSEWHERE')`, 'no model is called "http'],
    [
      'a module by a computed name',
      `const x = 'ELSEWHERE'\nawait import(x)`,
      'import() in a cell takes one name in quotes',
    ],
    // The scanner takes the regular expression for a division, and what follows for a template.
    [
      'a module past the scanner',
      'const f = 1\nif (f) /`/.test("`"); await import("ELSEWHERE")',
      'Failed to fetch',
    ],
    ['eval', `eval('import("ELSEWHERE")')`, 'EvalError'],
    ['a function from text', `(() => 0).constructor('return import("ELSEWHERE")')()`, 'EvalError'],
    ['more workers', `new Worker('ELSEWHERE')`, 'Worker is not there'],
    ['the stored data of the site', `indexedDB.deleteDatabase('x')`, 'indexedDB is not there'],
    ['the offline copy of the site', `await caches.keys()`, 'caches is not there'],
    ['other pages of the site', `new BroadcastChannel('x').postMessage(1)`, 'BroadcastChannel is not there'],
    ['the private files of the site', `await navigator.storage.getDirectory()`, 'navigator is not there'],
    [
      'messages to the page',
      `for (;;) postMessage({ kind: 'print', text: 'forged' })`,
      'postMessage is not there',
    ],
    ['to close itself', `self.close()`, 'close is not there'],
    ['the page', `document.body.remove()`, 'document is not defined'],
    ['the page around', `parent.location.href = 'ELSEWHERE'`, 'parent is not defined'],
    ['what is kept here', `localStorage.clear()`, 'localStorage is not defined'],
  ])('reaches for %s, and is told that it is not there', async (_, code, said) => {
    const { said: text, output } = await run(code.replaceAll('ELSEWHERE', `${elsewhereUrl}/x.js`))
    expect(text).toContain(said)
    expect(output).toBe('')
    expect(asked).toEqual([])
  })

  it('finds nothing of that on any prototype either', async () => {
    const { output } = await run(
      `const names = new Set<string>()\n` +
        `for (let at = globalThis; at; at = Object.getPrototypeOf(at)) for (const name of Object.getOwnPropertyNames(at))\n` +
        `  try { if (typeof (globalThis as any)[name] !== 'undefined' && (globalThis as any)[name]?.name !== undefined) names.add(name) } catch {}\n` +
        `console.log([...names].join(' '))`,
    )
    expect(output).toContain('Uint8Array')
    const reach =
      /fetch|XMLHttp|Socket|Transport|EventSource|Worker|Channel|import|IDB|indexedDB|[cC]ache|[nN]avigator|[sS]torage|FileSystem|[cC]ookie|Lock|Notification|Request|Response|open|USB|Serial|HID|RTC|Blob/
    expect(
      output.split(/\s+/).filter((name) => reach.test(name) && name !== 'DedicatedWorkerGlobalScope'),
    ).toEqual([])
  })

  it('would be held by the policy alone, which its worker inherits from a page without headers', async () => {
    const said = await page.evaluate(
      (url) =>
        new Promise((done) => {
          const text = `fetch('${url}').then(() => 'reached', String).then(postMessage)`
          const worker = new Worker(URL.createObjectURL(new Blob([text])))
          worker.onmessage = ({ data }) => done(data)
        }),
      elsewhereUrl,
    )
    expect(said).toBe('TypeError: Failed to fetch')
    expect(asked).toEqual([])
  })

  it('would reach that other host without a policy', async () => {
    const bare = await browser.newPage()
    await bare.goto(`${elsewhereUrl}/page`)
    expect(await bare.evaluate((url) => fetch(url).then(() => 'reached'), elsewhereUrl)).toBe('reached')
    await bare.close()
  })
})
