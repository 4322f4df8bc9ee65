// SPDX-License-Identifier: MIT
//
// The page of the movie in Chromium: played by keyboard and by hand, with traces that are none, and with 100 MB of one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { RECORDED_TRACE } from '../../site/widgets/movie/movie_html.ts'
import { root } from '../support/files.ts'
import { chromiumMissing, launch } from '../support/site_pages.ts'

const url = `${inject('siteUrl')}movie/`
const missing = chromiumMissing()
const recorded = readFileSync(join(root, RECORDED_TRACE), 'utf8')

/** What is on the stage and what is said of it. */
const shown = (page: Page) =>
  page.evaluate(() => ({
    stage: document.querySelector('.movie-stage .pf-rows')!.innerHTML,
    said: document.querySelector('contig-movie .widget-said')!.textContent,
    status: document.querySelector('.movie-status')!.textContent,
    step: document.querySelector('.widget-controls span')!.textContent,
  }))

/** Drops a file of these pieces, each so many times, on the page; it is put together there. */
async function drop(page: Page, name: string, pieces: readonly string[], times = 1): Promise<void> {
  await page.evaluate(
    ({ name, pieces, times }) => {
      const data = new DataTransfer()
      data.items.add(new File(Array.from({ length: times }, () => pieces).flat(), name))
      document
        .querySelector('contig-movie')!
        .dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }))
    },
    { name, pieces: [...pieces], times },
  )
}

const statusIs = (page: Page, pattern: RegExp, timeout = 20_000) =>
  page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector('.movie-status')!.textContent ?? ''),
    pattern.source,
    { timeout },
  )

describe('the page of the movie', () => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    if (missing) return
    browser = await launch()
    page = await browser.newPage({ viewport: { width: 1100, height: 1000 } })
    await page.addInitScript(() => {
      const seen = Object.assign(globalThis, { shifts: 0, took: [] as number[] })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
          seen.shifts += (entry as PerformanceEntry & { value: number }).value
      }).observe({ type: 'layout-shift', buffered: true })
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) seen.took.push(duration)
      }).observe({ type: 'event', durationThreshold: 16, buffered: true } as PerformanceObserverInit)
    })
    await page.goto(url)
    await page.waitForSelector('.widget-controls button')
    // The model's film has been read when a step may be taken.
    await page.waitForFunction(() => {
      const movie = document.querySelector('contig-movie')!
      movie.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }))
      return document.querySelector('.widget-controls span')!.textContent === '71 of 71'
    })
  })
  afterAll(() => browser?.close())

  it('goes through the model’s film by keys, and the recorded one shows the same pages', async (context) => {
    if (missing) context.skip(missing)
    const slider = page.locator('.widget-controls input')
    const visit = async (): Promise<unknown[]> => {
      const frames = []
      for (const at of ['2', '19', '51', '60', '66']) {
        await slider.fill(at)
        frames.push((await shown(page)).stage)
      }
      return frames
    }
    const model = await visit()
    await page.getByRole('link', { name: 'as Linux 6.12.117 recorded it' }).click()
    await statusIs(page, /140 lines; 128 events are of the kinds that are played/)
    expect(await visit()).toEqual(model)
    await page.locator('.widget-controls button').first().focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    expect(await shown(page)).toMatchObject({
      step: '2 of 71',
      said: expect.stringContaining('Place 1: page frames 0x50100 to 0x520ff') as string,
    })
    await page.getByRole('button', { name: 'Play' }).click()
    await page.waitForFunction(() =>
      /^[4-9] of/.test(document.querySelector('.widget-controls span')!.textContent ?? ''),
    )
    await page.getByRole('button', { name: 'Pause' }).click()
  })

  it('says why a file does not play, and keeps the film that it has', async (context) => {
    if (missing) context.skip(missing)
    const before = (await shown(page)).stage
    await drop(page, 'notes.txt', ['Buy milk.\nCall Ada.\n'])
    await statusIs(page, /^notes.txt is no trace: 2 lines, and none is of an event. Line 1 is “Buy milk.”/)
    await drop(page, 'trace.dat', ['\u0017\u0008Dtracing\u0000'])
    await statusIs(page, /^trace.dat is a trace.dat of trace-cmd/)
    expect((await shown(page)).stage).toBe(before)
    await page.evaluate(
      (text) => {
        const data = new DataTransfer()
        data.setData('text/plain', text)
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))
      },
      recorded.slice(0, 4000),
    )
    await statusIs(page, /^The pasted text: \d+ lines; .* The last line has no end/)
  })

  it(
    'reads 100 MB beside the page, which answers meanwhile, and can be stopped',
    { timeout: 120_000 },
    async (context) => {
      if (missing) context.skip(missing)
      const other =
        '          <idle>-0       [001] d.h1.     3.652997: sched_switch: prev_comm=swapper/1 ==> next_comm=sh next_pid=7\n'
      const megabyte = [recorded, other.repeat(Math.ceil((2 ** 20 - recorded.length) / other.length))]
      await drop(page, 'huge.txt', megabyte, 100)
      await page.getByRole('button', { name: 'Stop reading' }).click()
      await statusIs(page, /^Stopped. huge.txt was not read to its end/)
      await drop(page, 'huge.txt', megabyte, 100)
      // Every press of a key is answered while it reads.
      for (let i = 0; i < 5; i++) {
        const { step } = await shown(page)
        await page.locator('.widget-controls button').last().click()
        expect((await shown(page)).step).not.toBe(step)
      }
      await statusIs(
        page,
        /^huge.txt: [89]\d{5} lines; 12800 events are of the kinds that are played, [89]\d{5} are others/,
        90_000,
      )
      expect((await shown(page)).step).toMatch(/ of 7100$/)
      await page.keyboard.press('End')
      await page.locator('.widget-controls input').fill('3333')
      expect((await shown(page)).step).toBe('3334 of 7100')
    },
  )

  it('has moved nothing by itself, and answered each hand within 100 ms', async (context) => {
    if (missing) context.skip(missing)
    const { shifts, took } = await page.evaluate(() => {
      const seen = globalThis as unknown as { shifts: number; took: number[] }
      return { shifts: seen.shifts, took: seen.took }
    })
    expect(shifts).toBeLessThan(0.01)
    // The middle of all: beside another test the slowest is the machine's.
    expect(took.length).toBeGreaterThan(0)
    expect(took.sort((a, b) => a - b)[took.length >> 1]).toBeLessThan(100)
  })
})
