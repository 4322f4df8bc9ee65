// SPDX-License-Identifier: MIT
//
// The films of the widgets, in Node: that they show what the models do, step by step, and say it.
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { widgetFences } from '../support/widgets.ts'
import { startSystem } from '../../code/machine/system.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import { get_page } from '../../code/mm/lru.ts'
import { bitmapFrames } from '../../site/widgets/bitmap_frames.ts'
import { BitmapScenario } from '../../site/widgets/bitmap_scenario.ts'
import { boardTree } from '../../site/widgets/board.ts'
import { buddyFrames } from '../../site/widgets/buddy_frames.ts'
import { BuddyScenario } from '../../site/widgets/buddy_scenario.ts'
import { sentenceOf, type WordsByKind } from '../../site/widgets/frame.ts'
import { drawingOf } from '../../site/widgets/kinds_draw.ts'
import { framesOf } from '../../site/widgets/kinds_frames.ts'
import { enWidgets } from '../../site/text/en_widgets.ts'

const buddies = (yaml: string) => buddyFrames(BuddyScenario.parse(parse(yaml)))
const bitmap = (yaml: string) => bitmapFrames(BitmapScenario.parse(parse(yaml)))

/** `########a....... M0@9 M1@10 M2@12`: the pages, and the free blocks as the lists have them. */
const pictures = (yaml: string): string[] =>
  buddies(yaml).map(({ pages, free }) =>
    [pages, ...free.map(({ at, order, type }) => `${type[0]}${order}@${at}`)].join(' '),
  )

describe('buddyFrames()', () => {
  it('has a frame for each block that leaves a list or is put on one', () => {
    const film = `
      memory: 'M ########........'
      steps: [{ alloc: a }, { alloc: b, order: 1 }, { free: a }, { free: b }]`
    expect(pictures(film)).toEqual([
      '########........ M3@8',
      '########........ M3@8',
      '########????????',
      '########????.... M2@12',
      '########??...... M1@10 M2@12',
      '########?....... M0@9 M1@10 M2@12',
      '########a....... M0@9 M1@10 M2@12',
      '########a....... M0@9 M1@10 M2@12',
      '########a.??.... M0@9 M2@12',
      '########a.bb.... M0@9 M2@12',
      '########?.bb.... M0@9 M2@12',
      '########??bb.... M2@12',
      '########..bb.... M1@8 M2@12',
      '########..??.... M1@8 M2@12',
      '########????.... M2@12',
      '########????????',
      '########........ M3@8',
    ])
  })

  it('shows a pageblock that changes hands, block by block', () => {
    const words = buddies(`
      memory: 'M ########........'
      steps: [{ alloc: a }, { alloc: k, gfp: GFP_KERNEL }]`).map(({ said }) => said.word)
    expect(words).toContain('moved')
    expect(words.at(-1)).toBe('gets')
  })

  it('says that there is nothing when there is nothing', () => {
    const film = buddies(`{ memory: 'M #.#.#.#.', steps: [{ alloc: a, order: 1 }] }`)
    expect(film.at(-1)!.said).toEqual({ word: 'none', values: { name: 'a', order: 1 } })
  })

  it('refuses to free what was not allocated', () => {
    expect(() => buddies(`{ memory: 'M ........', steps: [{ free: a }] }`)).toThrow(
      'buddy-lists: a has no pages, expected an alloc of that name before its free',
    )
  })
})

const SEARCH = (align: number): string => `
  cma: 16
  align: ${align}
  steps:
    - { alloc: a, pages: 256 }
    - { alloc: b, pages: 512 }
    - { alloc: c, pages: 768 }
    - { hold: 600 }
    - { release: b }
    - { alloc: d, pages: 300 }`

describe('bitmapFrames()', () => {
  it('shows the places that cma_alloc() tries, and no others', () => {
    const { vm, cma, trace } = startSystem({
      ...{ tree: boardTree(512), kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=16M' },
    })
    const area = cma[0]!
    const alloc = (pages: number): number => cma_alloc(vm, area, pages, 8, false)!
    const [, b] = [alloc(256), alloc(512), alloc(768)]
    get_page(vm, area.base_pfn + 600)
    cma_release(vm, area, b!, 512)
    trace.enabled = true
    const d = alloc(300)
    const busy = trace.records.filter(({ event }) => event === 'cma_alloc_busy_retry')
    const film = bitmap(SEARCH(8))
    const asks = film.findIndex(({ said }) => said.word === 'asks' && said.values['name'] === 'd')
    const tried = film
      .slice(asks)
      .flatMap((frame) => (frame.said.word === 'place' ? [frame.tried!.from] : []))
    expect(tried.map((bit) => area.base_pfn + bit)).toEqual([...busy.map(({ fields }) => fields['pfn']), d])
    expect(film.at(-1)!.runs.find(({ owner }) => owner === 'd')).toEqual({ owner: 'd', from: 1792, to: 2092 })
  })

  it('shows the first and the last of many places, and says how many there were', () => {
    const film = bitmap(SEARCH(0))
    const shown = film.filter(({ said }) => said.word === 'busy').length
    const left = film.find(({ said }) => said.word === 'more')!.said.values['places'] as number
    // Chapter 11 prints the sum.
    expect(shown + left).toBe(213)
    expect(film.length).toBeLessThan(40)
  })

  it('keeps every bit that is set in one run, and no other', () => {
    for (const { runs, bits } of bitmap(SEARCH(4))) {
      const sorted = [...runs].sort((a, b) => a.from - b.from)
      sorted.forEach(({ from, to }, i) => {
        expect(from).toBeLessThan(to)
        expect(to).toBeLessThanOrEqual(sorted[i + 1]?.from ?? bits)
      })
    }
  })
})

describe('the films of the chapters', () => {
  const films = widgetFences().filter(({ kind }) => kind !== 'page-map')

  it('are some', () => expect(films.length).toBeGreaterThanOrEqual(2))

  for (const { id, kind, scenario } of films) {
    it(`${id}: every frame has a sentence without a gap, and a picture of the size of the first`, () => {
      if (kind === 'page-map') throw new Error('a map is no film')
      const words = (enWidgets.kinds as unknown as WordsByKind)[kind]!
      const frames = framesOf(kind, scenario)
      const sizes = new Set<string>()
      for (const frame of frames) {
        const sentence = sentenceOf(frame.said, words)
        expect(sentence).not.toMatch(/[{}]|undefined/)
        const html = drawingOf(kind, frame, words)
        expect(html).not.toMatch(/NaN|undefined|style=/)
        sizes.add(/viewBox="[^"]+"/.exec(html)?.[0] ?? 'no viewBox')
      }
      expect([...sizes]).toHaveLength(1)
    })
  }

  it('use every sentence that there is', () => {
    const said = new Set(
      [
        ...buddies(
          `{ memory: 'M ########........', steps: [{ alloc: a }, { alloc: k, gfp: GFP_KERNEL }, { free: a }, { alloc: z, order: 3 }] }`,
        ),
        ...buddies(`{ memory: 'M ........', steps: [{ alloc: a }, { free: a }] }`),
      ].map((frame) => frame.said.word),
    )
    expect(Object.keys(enWidgets.kinds['buddy-lists'].said).filter((word) => !said.has(word))).toEqual([])
    const searched = new Set(
      [
        ...bitmap(SEARCH(0)),
        ...bitmap(`{ cma: 16, steps: [{ hold: 5 }, { drop: 5 }, { alloc: a, pages: 4096 }] }`),
      ].map((frame) => frame.said.word),
    )
    // Those of traces: test/site/movie.test.ts.
    const ofModels = Object.keys(enWidgets.kinds['cma-bitmap'].said).filter(
      (word) => !word.startsWith('trace'),
    )
    expect(ofModels.filter((word) => !searched.has(word))).toEqual([])
  })
})
