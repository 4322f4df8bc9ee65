// SPDX-License-Identifier: MIT
//
// The widgets in Chromium: by keyboard, by hand, by slider; without moving the page, quickly, and in print.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { enWidgets } from '../../site/text/en_widgets.ts'
import { type FilmKind, framesOf } from '../../site/widgets/kinds_frames.ts'
import { type KindWords, sentenceOf } from '../../site/widgets/frame.ts'
import { RECORDED_TRACE } from '../../site/widgets/movie/movie_html.ts'
import { isTraced } from '../../site/widgets/traced_kinds.ts'
import { root } from '../support/files.ts'
import { chromiumMissing, launch } from '../support/site_pages.ts'
import { type PlacedWidget, widgetFences } from '../support/widgets.ts'

const url = inject('siteUrl')
const missing = chromiumMissing()
const widgets = widgetFences()
const films = widgets.filter(({ kind }) => kind !== 'page-map')
const maps = widgets.filter(({ kind }) => kind === 'page-map')

/** What the issue allows from a reader's hand to the next picture, and for a picture at 60 in a second. */
const INTERACTION_MS = 100
const FRAME_MS = 1000 / 60

// The narrowest screen has least room for a sentence; `npm run pages` looks at the others too.
const WIDTHS = process.env['CONTIG_LONG'] === '1' ? [1400, 390, 320] : [320]

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN

/** What a film says, frame by frame. */
function sentences({ kind, scenario }: PlacedWidget): string[] {
  const words: KindWords = enWidgets.kinds[kind as FilmKind]
  return framesOf(kind as FilmKind, scenario).map(({ said }) => sentenceOf(said, words))
}

describe('the widgets', () => {
  let browser: Browser
  beforeAll(async () => {
    if (!missing) browser = await launch()
  })
  afterAll(() => browser?.close())

  async function looking(options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    try {
      await look(page)
    } finally {
      await context.close()
    }
    expect(complaints).toEqual([])
  }

  /** Opens a widget's page, brings it into the window and waits until it is awake. */
  async function woken(page: Page, { page: path, id }: PlacedWidget): Promise<Locator> {
    await page.goto(url + path.slice(1))
    const widget = page.locator(`#${id}`)
    await widget.scrollIntoViewIfNeeded()
    await widget.locator('.widget-controls').waitFor()
    return widget
  }

  const saying = (widget: Locator): Promise<string | null> => widget.locator('.widget-said').textContent()

  async function until(what: () => Promise<boolean>, name: string): Promise<void> {
    const end = Date.now() + 15_000
    while (!(await what())) {
      if (Date.now() > end) throw new Error(`the widget never came to ${name}`)
      await new Promise((done) => setTimeout(done, 30))
    }
  }

  it('are on pages of the book', () => {
    expect(films.length).toBeGreaterThanOrEqual(2)
    expect(maps.length).toBeGreaterThanOrEqual(1)
  })

  for (const film of films) {
    it(`${film.id}: goes through its frames by keyboard, says each, and nothing moves`, async (context) => {
      if (missing) context.skip(missing)
      const said = sentences(film)
      for (const width of WIDTHS) {
        await looking({ viewport: { width, height: 900 } }, async (page) => {
          const widget = await woken(page, film)
          const figure = page.locator(`figure:has(#${film.id})`)
          const before = await figure.boundingBox()
          const still = await widget.locator('.widget-stage').innerHTML()
          expect(await saying(widget)).toBe(said[0])
          await widget.getByRole('button', { name: 'Forward' }).focus()
          for (const sentence of said.slice(1)) {
            await page.keyboard.press('ArrowRight')
            await until(async () => (await saying(widget)) === sentence, `"${sentence}"`)
            const line = await widget
              .locator('.widget-said')
              .evaluate((p) => ({ has: p.clientHeight, needs: p.scrollHeight }))
            expect(line.needs, `${width} px: ${sentence}`).toBeLessThanOrEqual(line.has)
          }
          const after = await figure.boundingBox()
          expect({ ...after, y: 0 }).toEqual({ ...before, y: 0 })
          await page.keyboard.press('Home')
          expect(await saying(widget)).toBe(said[0])
          expect(await widget.locator('.widget-stage').innerHTML()).toBe(still)
          await page.keyboard.press('End')
          expect(await saying(widget)).toBe(said.at(-1))
        })
      }
    })

    it(`${film.id}: plays when asked, not before, stops at a hand, and is quick`, async (context) => {
      if (missing) context.skip(missing)
      const said = sentences(film)
      await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
        const widget = await woken(page, film)
        await page.waitForTimeout(300)
        expect(await saying(widget)).toBe(said[0])
        await widget.getByRole('button', { name: 'Play' }).click()
        expect(await widget.locator('.widget-said').getAttribute('aria-live')).toBe('off')
        await until(
          async () => said.indexOf((await saying(widget)) ?? '') >= Math.min(2, said.length - 1),
          'its third frame',
        )
        // A film of three frames has ended by then, and stopped by itself.
        if (said.length > 3) await widget.getByRole('button', { name: 'Pause' }).click()
        else await widget.getByRole('button', { name: 'Play' }).waitFor()
        expect(await widget.locator('.widget-said').getAttribute('aria-live')).toBe('polite')
        await page.evaluate(() => {
          const log: number[] = []
          Object.assign(globalThis, { interactions: log })
          new PerformanceObserver((list) => {
            for (const { duration, name } of list.getEntries())
              if (name === 'click' || name === 'keydown') log.push(duration)
          }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
        })
        const forward = widget.getByRole('button', { name: 'Forward' })
        await page.keyboard.press('Home')
        const steps = Math.min(9, said.length - 1)
        for (let i = 0; i < steps; i++) await forward.click()
        for (let i = 0; i < steps; i++) await page.keyboard.press('ArrowLeft')
        await page.waitForTimeout(300)
        // What took less than 16 ms is not told of.
        const slow = await page.evaluate(
          () => (globalThis as unknown as { interactions: number[] }).interactions,
        )
        expect(median([...slow, 16])).toBeLessThan(INTERACTION_MS)
      })
    })
  }

  it('change with the number in the prose, by key and by hand', async (context) => {
    if (missing) context.skip(missing)
    const film = films.find(({ kind }) => kind === 'cma-bitmap')!
    await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
      await page.goto(url + film.page.slice(1))
      const number = page.locator(`contig-number[data-drag="${film.id}.align"]`)
      await number.scrollIntoViewIfNeeded()
      const slider = number.getByRole('slider')
      await slider.waitFor()
      expect(await number.textContent()).toBe('order 8')
      const widget = page.locator(`#${film.id}`)
      await widget.locator('.widget-controls').waitFor()
      await slider.focus()
      for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowLeft')
      expect(await slider.getAttribute('aria-valuetext')).toBe('order 0')
      const changed = sentences({ ...film, scenario: { ...film.scenario, align: 0 } })
      await until(async () => (await saying(widget)) === changed.at(-1), 'what order 0 comes to')
      const box = (await number.boundingBox())!
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
      await page.mouse.move(x, y)
      await page.mouse.down()
      await page.mouse.move(x + 64, y, { steps: 4 })
      await page.mouse.up()
      expect(await number.textContent()).toBe('order 8')
      await until(async () => (await saying(widget)) === sentences(film).at(-1), 'what order 8 comes to')
    })
  })

  /** Brings a file to a widget as a hand does that lets it go there. */
  const drop = async (widget: Locator, name: string, text: string): Promise<void> => {
    const seen = await widget.evaluate(
      (element, { name, text }) => {
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File([text], name))
        const happens = (type: string): unknown => ({
          leavesThePage: element.dispatchEvent(
            new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }),
          ),
          outlined: element.classList.contains('widget-over'),
        })
        return [happens('dragover'), happens('drop')]
      },
      { name, text },
    )
    expect(seen).toEqual([
      { leavesThePage: false, outlined: true },
      { leavesThePage: false, outlined: false },
    ])
  }

  it('play a trace that is dropped, opened or pasted where it tells of their picture', async (context) => {
    if (missing) context.skip(missing)
    const recorded = readFileSync(join(root, RECORDED_TRACE), 'utf8')
    const bitmap = films.find(({ kind }) => kind === 'cma-bitmap')!
    const model = sentences(bitmap)
    await looking({ viewport: { width: 390, height: 900 } }, async (page) => {
      const widget = await woken(page, bitmap)
      const figure = page.locator(`figure:has(#${bitmap.id})`)
      const { height } = (await figure.boundingBox())!
      const begins = async (): Promise<boolean> =>
        (await saying(widget))!.startsWith('A trace of area reserved')
      const end = 'alloc_contig_range() gives 0. a has 8192 pages from bit 512 on, page frame 0x50300.'
      const toModel = async (): Promise<void> => {
        await widget.getByRole('button', { name: enWidgets.controls.model }).click()
        await until(async () => (await saying(widget)) === model[0], 'its first frame')
      }

      await drop(widget, 'board.txt', recorded)
      await until(begins, 'the trace')
      const note = widget.getByRole('status')
      expect(await note.textContent()).toBe(
        'board.txt: 140 lines; 128 events are of the kinds that are played, 0 are others.',
      )
      await widget.getByRole('button', { name: 'Forward' }).focus()
      for (let step = 0; step < 7; step++) await page.keyboard.press('ArrowRight')
      expect(await saying(widget)).toBe(end)
      expect(await widget.locator('.cb').getAttribute('aria-label')).toContain('512–8703 a')
      // What is no trace leaves the picture as it is, and says so.
      await drop(widget, 'notes.txt', 'Milk.\nBread.\n')
      await until(async () => (await note.textContent())!.startsWith('notes.txt is no trace'), 'the reason')
      expect(await saying(widget)).toBe(end)
      expect(await widget.locator('.cb').getAttribute('aria-label')).toContain('512–8703 a')
      expect((await figure.boundingBox())!.height - height).toBeLessThan(200)
      await toModel()
      expect((await figure.boundingBox())!.height).toBe(height)

      const [opened] = await Promise.all([
        page.waitForEvent('filechooser'),
        widget.getByRole('button', { name: enWidgets.controls.openTrace }).click(),
      ])
      await opened.setFiles({ name: 'opened.txt', mimeType: 'text/plain', buffer: Buffer.from(recorded) })
      await until(begins, 'the trace')
      await toModel()
      expect(await note.textContent()).toBe('')

      // The last wish counts: of two files at once, and of a file and the model.
      const large = recorded + '  dd-1 [000] ..... 1.000000: sched_switch: prev=1\n'.repeat(200_000)
      await drop(widget, 'large.txt', large)
      await drop(widget, 'small.txt', recorded)
      await until(async () => (await note.textContent())!.startsWith('small.txt'), 'the second file')
      await drop(widget, 'large.txt', large)
      await toModel()
      await page.waitForTimeout(1500)
      expect([await saying(widget), await note.textContent()]).toEqual([model[0], ''])

      await widget.getByRole('button', { name: 'Forward' }).focus()
      await widget.evaluate((element, text) => {
        const clipboardData = new DataTransfer()
        clipboardData.setData('text/plain', text)
        element
          .querySelector('button')!
          .dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
      }, recorded)
      await until(begins, 'the trace')
    })
  })

  it('play a trace of the DMA API where there are addresses', async (context) => {
    if (missing) context.skip(missing)
    const addresses = films.find(({ kind }) => kind === 'three-addresses')!
    const recorded = readFileSync(join(root, 'test/lib/fixtures/traces/board-6.12.txt'), 'utf8')
    await looking({ viewport: { width: 320, height: 900 } }, async (page) => {
      const widget = await woken(page, addresses)
      await drop(widget, 'board.txt', recorded)
      await until(async () => (await saying(widget))!.startsWith('trace-maker maps 512 bytes'), 'the trace')
      expect(await widget.getByRole('status').textContent()).toBe(
        'board.txt: 192 lines; 15 events are of the kinds that are played, 165 are others.',
      )
      // None of its sentences needs more room than there is.
      await widget.getByRole('button', { name: 'Forward' }).focus()
      for (let step = 0; step < 14; step++) {
        const line = await widget
          .locator('.widget-said')
          .evaluate((p) => ({ has: p.clientHeight, needs: p.scrollHeight }))
        expect(line.needs, (await saying(widget))!).toBeLessThanOrEqual(line.has)
        await page.keyboard.press('ArrowRight')
      }
      expect(await saying(widget)).toBe('trace-maker gives the 65536 bytes at 0x50060000 back.')
      await widget.getByRole('button', { name: enWidgets.controls.model }).click()
      await until(async () => (await saying(widget)) === sentences(addresses)[0], 'its first frame')
    })
  })

  it('go on the map to the page frames that a trace names', async (context) => {
    if (missing) context.skip(missing)
    const recorded = readFileSync(join(root, RECORDED_TRACE), 'utf8')
    await looking({ viewport: { width: 390, height: 900 } }, async (page) => {
      const widget = await woken(page, maps[0]!)
      const figure = page.locator(`figure:has(#${maps[0]!.id})`)
      const { height } = (await figure.boundingBox())!
      const note = widget.getByRole('status')
      const picture = (): Promise<string> =>
        widget.locator('canvas').evaluate(async (canvas: HTMLCanvasElement) => {
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
          return canvas.toDataURL()
        })
      const model = await picture()
      await drop(widget, 'board.txt', recorded)
      const begins = 'asks for 8192 page frames in one piece'
      await until(async () => (await saying(widget))!.includes(begins), 'the trace')
      expect(await note.textContent()).toBe(
        `board.txt: 140 lines; 128 events are of the kinds that are played, 0 are others. ${enWidgets.map.traced}`,
      )
      const near = await picture()
      expect(near).not.toBe(model)
      await widget.getByRole('button', { name: 'Forward' }).focus()
      await page.keyboard.press('End')
      await until(async () => (await saying(widget))!.endsWith(' back.'), 'the end')
      await page.keyboard.press('ArrowLeft')
      expect(await saying(widget)).toBe('The 8192 page frames from 0x50100 to 0x520ff are taken.')
      const taken = await picture()
      expect(taken).not.toBe(near)
      // The map is the reader's still, and says of the page under the cursor what it is.
      await widget.locator('canvas').focus()
      await page.keyboard.press('ArrowRight')
      expect(await saying(widget)).toMatch(/^Page frame 0x501[0-9a-f]{2}, .* · as the model has it$/)
      await widget.getByRole('button', { name: 'Back', exact: true }).click()
      expect(await saying(widget)).not.toMatch(/^Page frame/)
      // A board whose memory lies elsewhere.
      const elsewhere = recorded.replaceAll(/0x[45](?=[0-9a-f]{4}\b)/g, '0x1')
      await drop(widget, 'other.txt', elsewhere)
      await until(async () => (await note.textContent())!.includes('are not all on this map'), 'the reason')
      expect(await note.textContent()).toContain('which has 0x40000 to 0x103ffff')
      await widget.getByRole('button', { name: enWidgets.controls.model }).click()
      expect(await saying(widget)).toMatch(/^Page frame 0x/)
      expect(await note.textContent()).toBe('')
      expect((await figure.boundingBox())!.height).toBe(height)
    })
  })

  /** Makes the models' answers, or the boot of a map, wait for so many milliseconds. */
  const slowly = async (page: Page, waits: { models?: number; map?: number }): Promise<void> => {
    await page.addInitScript(({ models = 0, map = 0 }) => {
      const send = Worker.prototype.postMessage
      Worker.prototype.postMessage = function (message: object) {
        const wait = 'gib' in message ? map : 'number' in message ? models : 0
        setTimeout(() => send.call(this, message), wait)
      }
    }, waits)
  }

  it('show what was wanted last, however long the models take', async (context) => {
    if (missing) context.skip(missing)
    const addresses = films.find(({ kind }) => kind === 'three-addresses')!
    const trace = readFileSync(join(root, 'test/lib/fixtures/traces/board-6.12.txt'), 'utf8')
    const begins = async (widget: Locator): Promise<boolean> =>
      (await saying(widget))!.startsWith('trace-maker maps 512 bytes')
    await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
      await slowly(page, { models: 600 })
      const widget = await woken(page, addresses)
      // Back while the first answer has not come.
      await drop(widget, 'board.txt', trace)
      await until(() => begins(widget), 'the trace')
      await widget.getByRole('button', { name: enWidgets.controls.model }).click()
      await until(async () => (await saying(widget)) === sentences(addresses)[0], 'its first frame')
      // A number that was drawn twice, and then a trace.
      const slider = page
        .locator(`contig-number[data-drag="${addresses.id}.byte"]`)
        .getByRole('slider')
        .first()
      await slider.focus()
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('ArrowRight')
      await drop(widget, 'board.txt', trace)
      await until(() => begins(widget), 'the trace')
      await page.waitForTimeout(2000)
      expect(await begins(widget)).toBe(true)
      // A number, and then a file that is nothing: the picture is that of the number.
      await slider.focus()
      await page.keyboard.press('ArrowRight')
      await drop(widget, 'notes.txt', 'Milk.\n')
      const changed = { ...addresses, scenario: { ...addresses.scenario, byte: 4660 + 3 * 4 } }
      await until(async () => (await saying(widget)) === sentences(changed).at(-1), 'the number drawn')
      expect(await widget.getByRole('status').textContent()).toContain('notes.txt is no trace')
    })
  })

  it('show the newest trace once there is a map, and say so when there is none', async (context) => {
    if (missing) context.skip(missing)
    const recorded = readFileSync(join(root, RECORDED_TRACE), 'utf8')
    const larger = recorded + '  dd-1 [000] ..... 9.000000: sched_switch: prev=1\n'.repeat(100_000)
    const near = async (page: Page, slow: { map?: number }): Promise<Locator> => {
      await slowly(page, slow)
      await page.goto(url + maps[0]!.page.slice(1))
      const widget = page.locator(`#${maps[0]!.id}`)
      await widget.scrollIntoViewIfNeeded()
      await widget.getByRole('button', { name: enWidgets.controls.openTrace }).waitFor()
      return widget
    }
    await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
      const widget = await near(page, { map: 1500 })
      await drop(widget, 'first.txt', recorded)
      await until(
        async () => (await widget.getByRole('status').textContent())!.startsWith('first.txt: 140'),
        'the first',
      )
      await drop(widget, 'second.txt', larger)
      await widget.locator('canvas').waitFor()
      await until(async () => (await saying(widget))!.includes('asks for 8192'), 'a trace')
      expect(await widget.getByRole('status').textContent()).toMatch(/^second\.txt: 100140 lines; /)
      // The order of the Tab key is that of the eye.
      const tops = await widget.evaluate((element) =>
        [...element.querySelectorAll('canvas, button, input[type=range]')]
          .filter((each) => !(each as HTMLElement).hidden)
          .map((each) => Math.round(each.getBoundingClientRect().top / 12)),
      )
      expect(tops).toEqual([...tops].sort((a, b) => a - b))
      // A mouse that passes leaves the step's sentence, a click says what the page is.
      const canvas = (await widget.locator('canvas').boundingBox())!
      await page.mouse.move(canvas.x + 50, canvas.y + 90)
      await page.mouse.move(canvas.x + 60, canvas.y + 99)
      expect(await saying(widget)).toContain('asks for 8192')
      await page.mouse.click(canvas.x + 60, canvas.y + 99)
      expect(await saying(widget)).toMatch(/^Page frame /)
      // Another one, pasted where the focus is: it stays in the strip.
      await widget.getByRole('button', { name: 'Forward' }).focus()
      await widget.evaluate((element, text) => {
        const clipboardData = new DataTransfer()
        clipboardData.setData('text/plain', text)
        element.ownerDocument.activeElement!.dispatchEvent(
          new ClipboardEvent('paste', { clipboardData, bubbles: true }),
        )
      }, recorded)
      await until(
        async () => (await widget.getByRole('status').textContent())!.startsWith('The pasted text: 140'),
        'what was pasted',
      )
      expect(await widget.evaluate((element) => element.contains(document.activeElement))).toBe(true)
    })
    await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
      await page.addInitScript(() => {
        const Made = Worker
        globalThis.Worker = class extends Made {
          constructor(address: string | URL, options?: WorkerOptions) {
            super(
              String(address).includes('map_worker') ? new URL('gone.js', location.href) : address,
              options,
            )
          }
        }
      })
      const widget = await near(page, {})
      await until(async () => (await saying(widget))!.startsWith('The model could not be run'), 'its failure')
      await drop(widget, 'board.txt', recorded)
      await until(
        async () => (await widget.getByRole('status').textContent())!.endsWith(enWidgets.map.noMap),
        'why there is no picture',
      )
    })
  })

  it(
    'say of a trace that it tells nothing of their picture, and stay',
    { timeout: 120_000 },
    async (context) => {
      if (missing) context.skip(missing)
      const others = films.filter(({ kind }) => !isTraced(kind))
      expect(others.length).toBeGreaterThan(3)
      await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
        for (const other of others) {
          const widget = await woken(page, other)
          const before = await saying(widget)
          await drop(widget, 'board.txt', 'x')
          expect(await widget.getByRole('status').textContent()).toBe(enWidgets.controls.notTraced)
          expect(await saying(widget)).toBe(before)
        }
      })
    },
  )

  it('glide for nobody who would rather they did not', async (context) => {
    if (missing) context.skip(missing)
    const film = films.find(({ kind }) => kind === 'buddy-lists')!
    for (const [reducedMotion, expected] of [
      ['reduce', '0s'],
      ['no-preference', '0.2s'],
    ] as const) {
      await looking({ reducedMotion }, async (page) => {
        const widget = await woken(page, film)
        for (let i = 0; i < 3; i++) await widget.getByRole('button', { name: 'Forward' }).click()
        const shade = widget.locator('.bl-about')
        await shade.waitFor()
        expect(await shade.evaluate((e) => getComputedStyle(e).transitionDuration.split(',')[0])).toBe(
          expected,
        )
      })
    }
  })

  it('give axe nothing to say, awake, in both themes', { timeout: 120_000 }, async (context) => {
    if (missing) context.skip(missing)
    const found: string[] = []
    // The colours are those of a kind: one of each is enough in the dark.
    for (const colorScheme of ['light', 'dark'] as const) {
      const looked = colorScheme === 'light' ? widgets : [films[0]!, maps[0]!]
      await looking({ colorScheme, viewport: { width: 1000, height: 900 } }, async (page) => {
        for (const each of looked) {
          await woken(page, each)
          const axe = new AxeBuilder({ page }).include(`figure:has(#${each.id})`)
          const { violations } = await axe.analyze()
          found.push(
            ...violations.map(({ id, nodes }) => `${each.id}: ${id}: ${nodes[0]?.html.slice(0, 160)}`),
          )
        }
      })
    }
    expect(found).toEqual([])
  })

  it('are printed as pictures, without their controls', async (context) => {
    if (missing) context.skip(missing)
    await looking({ viewport: { width: 680, height: 900 } }, async (page) => {
      for (const each of [films[0]!, maps[0]!]) {
        const widget = await woken(page, each)
        await page.emulateMedia({ media: 'print' })
        expect(await widget.locator('.widget-controls').isVisible()).toBe(false)
        expect(await widget.locator('.widget-stage svg').isVisible()).toBe(true)
        expect(await widget.locator('canvas:visible').count()).toBe(0)
        await page.emulateMedia({ media: 'screen' })
      }
    })
  })

  it('show sixteen million page frames, and one', async (context) => {
    if (missing) context.skip(missing)
    const map = maps[0]!
    await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
      // Each picture of the canvas, from its request to its last line.
      await page.addInitScript(() => {
        const costs: number[] = []
        Object.assign(globalThis, { costs })
        const ask = globalThis.requestAnimationFrame.bind(globalThis)
        globalThis.requestAnimationFrame = (paint) =>
          ask((now) => {
            const begin = performance.now()
            paint(now)
            costs.push(performance.now() - begin)
          })
      })
      const widget = await woken(page, map)
      const canvas = widget.locator('canvas')
      await canvas.focus()
      await page.keyboard.press('Home')
      await until(
        async () => (await saying(widget))?.startsWith('Page frame 0x40000,') ?? false,
        'the first page',
      )
      await page.keyboard.press('End')
      await until(
        async () => (await saying(widget))?.startsWith('Page frame 0x103ffff,') ?? false,
        'the last page',
      )
      const box = (await canvas.boundingBox())!
      await page.mouse.move(box.x + box.width / 2, box.y + 60)
      for (let i = 0; i < 24; i++) await page.mouse.wheel(0, i < 12 ? -400 : 400)
      await page.evaluate(() => ((globalThis as unknown as { costs: number[] }).costs.length = 0))
      for (let i = 0; i < 6; i++) {
        await page.mouse.wheel(0, -600)
        await page.mouse.down()
        for (let step = 1; step <= 8; step++)
          await page.mouse.move(box.x + box.width / 2 + 9 * step, box.y + 60 + 5 * step)
        await page.mouse.up()
      }
      const costs = await page.evaluate(() => (globalThis as unknown as { costs: number[] }).costs)
      expect(costs.length).toBeGreaterThan(20)
      expect(median(costs)).toBeLessThan(FRAME_MS)
      expect(await canvas.getAttribute('data-near')).toBe('')
    })
  })

  it('come nearer under two fingers, and go back', async (context) => {
    if (missing) context.skip(missing)
    await looking({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, async (page) => {
      const widget = await woken(page, maps[0]!)
      const canvas = widget.locator('canvas')
      const box = (await canvas.boundingBox())!
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
      const cdp = await page.context().newCDPSession(page)
      const spread = async (from: number, to: number): Promise<void> => {
        const fingers = (apart: number) => [
          { x: x - apart, y, id: 1 },
          { x: x + apart, y, id: 2 },
        ]
        const send = (
          type: 'touchStart' | 'touchMove' | 'touchEnd',
          apart: number | null,
        ): Promise<unknown> =>
          cdp.send('Input.dispatchTouchEvent', { type, touchPoints: apart === null ? [] : fingers(apart) })
        await send('touchStart', from)
        for (let step = 1; step <= 8; step++) await send('touchMove', from + ((to - from) * step) / 8)
        await send('touchEnd', null)
      }
      await spread(20, 120)
      await until(async () => (await canvas.getAttribute('data-near')) === '', 'a part of the map')
      // The page itself did not grow.
      expect(await page.evaluate(() => visualViewport!.scale)).toBe(1)
      await spread(140, 10)
      await until(async () => (await canvas.getAttribute('data-near')) === null, 'all of the map')
    })
  })

  it('boot another board when the number in the prose is another', async (context) => {
    if (missing) context.skip(missing)
    const map = maps[0]!
    await looking({ viewport: { width: 1000, height: 900 } }, async (page) => {
      const widget = await woken(page, map)
      const slider = page.locator(`contig-number[data-drag="${map.id}.gib"]`).getByRole('slider')
      await slider.focus()
      await page.keyboard.press('Home')
      await until(async () => (await saying(widget))?.startsWith('Page frame') ?? false, 'a board of 1 GiB')
      await widget.locator('canvas').focus()
      await page.keyboard.press('End')
      expect(await saying(widget)).toContain('Page frame 0x7ffff, at 0x7fff_f000')
    })
  })
})
