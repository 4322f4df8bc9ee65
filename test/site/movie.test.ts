// SPDX-License-Identifier: MIT
//
// The page-frame movie without a page: films from traces, and what becomes of a file that is none.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { enMovie } from '../../site/text/en_movie.ts'
import { enWidgets } from '../../site/text/en_widgets.ts'
import { bitmapOfFilm } from '../../site/widgets/bitmap_trace.ts'
import { sentenceOf } from '../../site/widgets/frame.ts'
import { drawingOf } from '../../site/widgets/kinds_draw.ts'
import { cutFilms } from '../../site/widgets/movie/film.ts'
import type { Film } from '../../site/widgets/movie/film_types.ts'
import { openFilm } from '../../site/widgets/movie/frame.ts'
import { modelTrace, RECORDED_TRACE } from '../../site/widgets/movie/movie_html.ts'
import { movieStage } from '../../site/widgets/movie/picture.ts'
import { type PageState, painted, type Run } from '../../site/widgets/movie/runs.ts'
import { type Played, playSource } from '../../site/widgets/movie/read_source.ts'
import { sentenceOfStep } from '../../site/widgets/movie/sentence.ts'
import { PLAYED } from '../../site/widgets/movie/film_fields.ts'
import { LIMITS, openTraceReader } from '../../site/widgets/movie/trace_reader.ts'
import { verdictOf } from '../../site/widgets/movie/verdict.ts'
import { root } from '../support/files.ts'

const recorded = readFileSync(join(root, RECORDED_TRACE), 'utf8')
const fixture = (name: string): string => readFileSync(join(root, 'test/lib/fixtures/traces', name), 'utf8')

function filmsOf(text: string): Film[] {
  const reader = openTraceReader(LIMITS, PLAYED)
  reader.push(text)
  return cutFilms(reader.end().kept)
}

const play = (parts: readonly BlobPart[], limits = LIMITS): Promise<Played> =>
  playSource({ file: new Blob([...parts]) }, () => undefined, limits)
const said = (played: Played): string => verdictOf(played, played.films.length > 0, 'board.txt', enMovie).text

/** What a viewer sees of each step: everything but task, time and line. */
function seen(film: Film) {
  const at = openFilm(film)
  return film.steps.map(({ kind, values, range, counts }, index) => {
    const told = Object.fromEntries(Object.entries(values).filter(([name]) => name !== 'task'))
    return { kind, told, range, counts, pages: at(index).runs }
  })
}

describe('the movie', () => {
  const [film, ...others] = filmsOf(recorded)
  const kinds = film!.steps.map(({ kind }) => kind)

  it('shows of the trace that 6.12 recorded in the CMA lab the same pages as of the model, in every step', () => {
    const model = filmsOf(modelTrace())
    expect([model.length, others.length]).toEqual([1, 0])
    expect(film!.steps.length).toBe(71)
    expect(seen(model[0]!)).toEqual(seen(film!))
  })

  it('isolates, moves in batches, finds the page in the way, retries, takes, and gives back', () => {
    expect([film!.area, film!.span]).toEqual(['reserved', { start: 0x50100, end: 0x52300 }])
    const at = openFilm(film!)
    const step = (kind: string) => at(kinds.indexOf(kind as never))
    expect(step('try').step.range).toEqual({ start: 0x50100, end: 0x52100 })
    expect(step('move').runs).toEqual([{ start: 0x50100, end: 0x50120, state: 'moved' }])
    // 33 pages, of which 32 were taken: which one stayed is known when the test names it.
    expect(at(kinds.indexOf('collect-some') + 1).runs).toContainEqual({
      start: 0x50200,
      end: 0x50221,
      state: 'partly-moved',
    })
    expect(step('held').runs.slice(0, 3)).toEqual([
      { start: 0x50100, end: 0x50200, state: 'moved' },
      { start: 0x50200, end: 0x50201, state: 'held' },
      { start: 0x50201, end: 0x50400, state: 'moved' },
    ])
    expect(step('take').runs).toContainEqual({ start: 0x50300, end: 0x52300, state: 'taken' })
    expect(step('take').step.counts).toEqual({ tries: 3, moved: 767, dropped: 0, failed: 0 })
    expect(at(kinds.length - 1).runs).toEqual([{ start: 0x50100, end: 0x52300, state: 'freed' }])
  })

  it('gives the same frame whichever was asked for before, and none beyond the ends', () => {
    const forward = openFilm(film!)
    const backward = openFilm(film!)
    const last = film!.steps.length - 1
    const frames = film!.steps.map((_, at) => forward(at).runs)
    for (let at = last; at >= 0; at--) expect(backward(at).runs).toEqual(frames[at])
    expect(() => forward(last + 1)).toThrow('got step 71, expected 0 to 70')
  })

  it('says of every step what happens, and draws no page outside its picture', () => {
    const at = openFilm(film!)
    for (const [index, step] of film!.steps.entries()) {
      expect(sentenceOfStep(step, enMovie)).not.toMatch(/[{}]|undefined|NaN/)
      const html = movieStage(film!, at(index), enMovie)
      for (const [, x, y, width, height] of html.matchAll(
        /<rect class="pf-\S+" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g,
      )) {
        expect(Number(x)).toBeGreaterThanOrEqual(0)
        expect(Number(x) + Number(width)).toBeLessThanOrEqual(256)
        expect(Number(y) + Number(height)).toBeLessThanOrEqual(34 * 8)
      }
    }
    expect(sentenceOfStep(film!.steps[kinds.indexOf('held')]!, enMovie)).toBe(
      'Page frame 0x50200 did not come free: somebody holds its page.',
    )
  })

  it.each(['board-6.1.txt', 'board-6.12.txt'])(
    'tells a request that failed, and one without an end: %s',
    (name) => {
      const [board] = filmsOf(fixture(name))
      const told = board!.steps.map((step) => sentenceOfStep(step, enMovie))
      expect(board!.steps.filter(({ kind }) => kind === 'busy').length).toBeGreaterThan(0)
      expect(told.some((text) => /has no end of this request of 40000 page frames/.test(text))).toBe(true)
    },
  )

  it.each([
    ['page-watch-6.1.txt', 2697],
    ['page-watch-6.12.txt', 2191],
  ] as const)('does not say which pages moved where the trace does not: %s', (name, moved) => {
    const steps = filmsOf(fixture(name))[0]!.steps
    expect(new Set(steps.map(({ kind }) => kind))).toEqual(
      new Set(['ask', 'try', 'move-untold', 'free', 'take', 'release']),
    )
    expect(steps.at(-1)!.counts.moved).toBe(moved)
  })

  it('counts as reclaimed what was collected and neither moved nor stayed, and tries again what stayed', () => {
    const migrated = (moved: number, failed: number, at: number): string =>
      `  sh-1 [000] ..... 2.00000${at}: mm_migrate_pages: nr_succeeded=${moved} nr_failed=${failed} nr_thp_succeeded=0 nr_thp_failed=0 nr_thp_split=0 mode=MIGRATE_SYNC reason=contig_range`
    const lines = [
      '  sh-1 [000] ..... 2.000001: cma_alloc_start: name=cam count=8 align=2',
      '  sh-1 [000] ..... 2.000002: mm_compaction_isolate_migratepages: range=(0x100 ~ 0x108) nr_scanned=8 nr_taken=8',
      migrated(4, 1, 3),
      migrated(1, 0, 4),
      '  sh-1 [000] ..... 2.000005: test_pages_isolated: start_pfn=0x100 end_pfn=0x108 fin_pfn=0x108 ret=success',
    ]
    const [film] = filmsOf(lines.join('\n') + '\n')
    const at = openFilm(film!)
    const stuck = film!.steps.findIndex(({ kind }) => kind === 'stuck')
    expect(at(stuck).runs).toEqual([{ start: 0x100, end: 0x108, state: 'partly-moved' }])
    expect(sentenceOfStep(film!.steps[stuck]!, enMovie)).toContain('4 pages moved, 1 would not.')
    expect(sentenceOfStep(film!.steps[stuck]!, enMovie)).toContain('3 more were given up without a copy')
    expect(at(stuck + 1).runs).toEqual([{ start: 0x100, end: 0x108, state: 'moved' }])
    expect(film!.steps.at(-1)!.counts).toEqual({ tries: 1, moved: 5, dropped: 3, failed: 1 })
  })

  it('keeps apart requests of two tasks, and areas of two names', () => {
    const lines = [
      '  a-1 [000] ..... 2.000001: cma_alloc_start: name=cam count=4 align=2',
      '  b-2 [001] ..... 2.000002: cma_alloc_start: name=radio count=4 align=2',
      '  b-2 [001] ..... 2.000003: mm_compaction_isolate_migratepages: range=(0x800 ~ 0x804) nr_scanned=4 nr_taken=4',
      '  c-3 [001] ..... 2.000004: mm_compaction_isolate_migratepages: range=(0x100 ~ 0x104) nr_scanned=4 nr_taken=4',
      '  a-1 [000] ..... 2.000005: cma_alloc_finish: name=cam pfn=0x400 page=00000000aaaaaaaa count=4 align=2 errorno=0',
      '  b-2 [001] ..... 2.000006: cma_alloc_finish: name=radio pfn=0x800 page=00000000bbbbbbbb count=4 align=2 errorno=0',
    ]
    const films = filmsOf(lines.join('\n') + '\n')
    expect(
      films.map(({ area, span, steps }) => [area, span.start, steps.map(({ kind }) => kind).join()]),
    ).toEqual([
      ['cam', 0x400, 'ask,try,take'],
      ['radio', 0x800, 'ask,try,collect,take'],
    ])
  })

  it('tells a failure by -12 and by a page that is NULL', () => {
    const lines = [
      '  sh-1 [000] ..... 2.000001: cma_alloc_start: name=cam count=3840 align=8',
      '  sh-1 [000] ..... 2.000002: cma_alloc_finish: name=cam pfn=0xffffffffffffffff page=0000000000000000 count=3840 align=8',
    ]
    const old = filmsOf(lines.join('\n') + '\n')[0]!.steps.at(-1)!
    const now = filmsOf(
      lines
        .map((line) => line.replace(/align=8$/, 'align=8 errorno=-12'))
        .join('\n')
        .replace(' errorno=-12', '') + '\n',
    )
    expect([old.kind, sentenceOfStep(old, enMovie)]).toEqual([
      'refuse',
      'The request fails. No place would do.',
    ])
    expect(sentenceOfStep(now[0]!.steps.at(-1)!, enMovie)).toBe(
      'The request fails with -12 (ENOMEM). No place would do.',
    )
  })
})

describe('the bitmap of a trace', () => {
  const bitmap = bitmapOfFilm(filmsOf(recorded)[0]!)
  const words = enWidgets.kinds['cma-bitmap']

  it('has the places that 6.12 tried, why it gave two of them up, and what was taken and given back', () => {
    expect(bitmap.map(({ said }) => sentenceOf(said, words))).toEqual([
      'A trace of area reserved, a bit for each page from 0x50100 on. What was set before, it does not tell.',
      'a, which is busy_page-165, asks for 8192 pages that begin at a multiple of 256.',
      'Bits 0 to 8191 are clear, the lowest that will do. They are set, and the pages are asked for.',
      'alloc_contig_range() gives -16: the page at bit 256 stays. The bits are cleared; one place further.',
      'Bits 256 to 8447 are clear, the lowest that will do. They are set, and the pages are asked for.',
      'alloc_contig_range() gives -16: the page at bit 256 stays. The bits are cleared; one place further.',
      'Bits 512 to 8703 are clear, the lowest that will do. They are set, and the pages are asked for.',
      'alloc_contig_range() gives 0. a has 8192 pages from bit 512 on, page frame 0x50300.',
      'a gives its 8192 pages back: the bits from 512 on are clear.',
      'b, which is busy_page-165, asks for 8192 pages that begin at a multiple of 256.',
      'Bits 0 to 8191 are clear, the lowest that will do. They are set, and the pages are asked for.',
      'alloc_contig_range() gives 0. b has 8192 pages from bit 0 on, page frame 0x50100.',
      'b gives its 8192 pages back: the bits from 0 on are clear.',
    ])
  })

  it('is the same of the trace of the model, and is drawn like any other', () => {
    const model = bitmapOfFilm(filmsOf(modelTrace())[0]!)
    const seen = ({ bits, places, runs, tried, held }: (typeof model)[number]): unknown => ({
      ...{ bits, places, runs, tried, held },
    })
    expect(model.map(seen)).toEqual(bitmap.map(seen))
    for (const frame of bitmap) expect(drawingOf('cma-bitmap', frame, words)).toMatch(/^<svg class="cb"/)
  })

  it('lets a part of what was taken go, and names a task whose request it has not seen', () => {
    const line = (event: string): string => `  dd-9 [000] ..... 1.000000: ${event}`
    const text = [
      line('cma_release: name=linux,cma pfn=0x200 page=0000000011111111 count=4'),
      line('cma_alloc_start: name=linux,cma count=16 align=4'),
      line('cma_alloc_finish: name=linux,cma pfn=0x100 page=0000000022222222 count=16 align=4 errorno=0'),
      line('cma_release: name=linux,cma pfn=0x104 page=0000000033333333 count=4'),
    ]
    const frames = bitmapOfFilm(filmsOf(text.join('\n') + '\n')[0]!)
    expect(frames.at(1)!.said.values['name']).toBe('dd-9')
    expect(frames.at(-1)!.runs).toEqual([
      { from: 0, to: 4, owner: 'a' },
      { from: 8, to: 16, owner: 'a' },
    ])
  })

  const line = (task: string, event: string): string => `  ${task} [000] ..... 1.000000: ${event}`
  const told = (...lines: readonly string[]): string[] =>
    bitmapOfFilm(filmsOf(lines.join('\n') + '\n')[0]!).map((frame) => {
      expect(drawingOf('cma-bitmap', frame, words)).toMatch(/^<svg class="cb"/)
      return sentenceOf(frame.said, words)
    })
  const asks = 'cma_alloc_start: name=a count=16 align=4'
  const finishes = (pfn: string, errno: number): string =>
    `cma_alloc_finish: name=a pfn=${pfn} page=0000000022222222 count=16 align=4 errorno=${errno}`

  it('takes up a request whose beginning is lost', () => {
    expect(told(line('dd-9', finishes('0x100', 0)))).toEqual([
      'A trace of area a, a bit for each page from 0x100 on. What was set before, it does not tell.',
      'alloc_contig_range() gives 0. a has 16 pages from bit 0 on, page frame 0x100.',
    ])
  })

  it('keeps apart what two tasks ask for at the same time', () => {
    const frames = told(
      line('dd-1', asks),
      line('dd-2', asks),
      line('dd-1', finishes('0x100', 0)),
      line('dd-2', finishes('0x110', 0)),
    )
    expect(frames.slice(-2).map((said) => said.slice(0, 45))).toEqual([
      'alloc_contig_range() gives 0. a has 16 pages ',
      'alloc_contig_range() gives 0. b has 16 pages ',
    ])
  })

  it('gives a refusal the number that the trace has, and no reason of its own', () => {
    const frames = told(
      line('dd-1', asks),
      line('dd-1', finishes('0x100', 0)),
      line('dd-1', asks),
      line('dd-1', finishes('0x0', -4)),
    )
    expect(frames.at(-1)).toBe('b gets nothing: -4.')
  })

  it('says that a page stays only of the place at which a test named it', () => {
    const busy = 'cma_alloc_busy_retry: name=a pfn=0x100 page=0000000022222222 count=16 align=4'
    const frames = told(
      line('dd-1', asks),
      line('dd-1', 'test_pages_isolated: start_pfn=0x100 end_pfn=0x110 fin_pfn=0x105 ret=fail'),
      line('dd-1', busy),
      line('dd-1', finishes('0x110', 0)),
      line('dd-1', asks),
      line('dd-1', busy),
    )
    expect(frames.filter((said) => said.includes('stays'))).toHaveLength(1)
    expect(frames.at(-1)).toBe(words.said.traceBusy.replace('{ret}', '-16'))
  })

  it('uses every sentence that there is for traces', () => {
    const text = [
      line('dd-1', asks),
      line('dd-1', 'cma_alloc_busy_retry: name=a pfn=0x100 page=0000000022222222 count=16 align=4'),
      line('dd-1', finishes('0x0', -12)),
      line('dd-1', asks),
      line('dd-1', 'cma_alloc_finish: name=a pfn=0xfffffdffffe00000 page=0000000000000000 count=16 align=4'),
    ]
    const used = new Set(bitmapOfFilm(filmsOf(text.join('\n') + '\n')[0]!).map((frame) => frame.said.word))
    const ofTraces = Object.keys(words.said).filter((word) => word.startsWith('trace'))
    expect(ofTraces.filter((word) => !used.has(word))).toEqual([])
  })

  it('draws a single page', () => {
    const release = 'cma_release: name=a pfn=0x200 page=0000000011111111 count=1'
    const frame = bitmapOfFilm(filmsOf(line('dd-9', release) + '\n')[0]!).at(-1)!
    expect(drawingOf('cma-bitmap', frame, words)).not.toContain('0.125')
  })

  it('ends after as many pictures as it may have', () => {
    const asks = Array.from(
      { length: 100 },
      (_, at) =>
        `  dd-9 [000] ..... ${at}.000000: cma_release: name=a pfn=0x${(256 + at).toString(16)} page=0000000011111111 count=1`,
    )
    expect(bitmapOfFilm(filmsOf(asks.join('\n') + '\n')[0]!, 100)).toHaveLength(100)
  })
})

describe('painted()', () => {
  it('is what painting page by page gives, in as few runs as can be', () => {
    const state = fc.constantFrom<PageState | null>('taken', 'freed', 'moved', null)
    const paint = fc.record({ start: fc.nat(40), length: fc.nat(12), state })
    fc.assert(
      fc.property(fc.array(paint, { maxLength: 30 }), (paints) => {
        let runs: readonly Run[] = []
        const pages = Array<PageState | null>(60).fill(null)
        for (const { start, length, state } of paints) {
          const before = runs.map((run) => ({ ...run }))
          const after = painted(runs, { start, end: start + length, state })
          expect(runs).toEqual(before)
          runs = after
          pages.fill(state, start, start + length)
          const found = Array<PageState | null>(60).fill(null)
          for (const run of runs) found.fill(run.state, run.start, run.end)
          expect(found).toEqual(pages)
          runs.forEach((run, at) => {
            const next = runs[at + 1]
            expect(run.start).toBeLessThan(run.end)
            if (!next) return
            expect(run.end).toBeLessThanOrEqual(next.start)
            if (next.state === run.state) expect(run.end).toBeLessThan(next.start)
          })
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('a file that is played', () => {
  it('may come in pieces of any size, from Windows, from trace_pipe, or from trace-cmd report', async () => {
    const steps = filmsOf(recorded)[0]!.steps.length
    const bytes = new TextEncoder().encode(recorded)
    const reader = openTraceReader(LIMITS, PLAYED)
    for (let at = 0; at < recorded.length; at += 7) reader.push(recorded.slice(at, at + 7))
    expect(cutFilms(reader.end().kept)[0]!.steps.length).toBe(steps)
    const variants = {
      windows: recorded.replaceAll('\n', '\r\n'),
      pipe: recorded.replace(/^#.*\n/gm, ''),
      'trace-cmd':
        'cpus=2\n' +
        recorded
          .replace(/^#.*\n/gm, '')
          .replace(/ \(\s*\d+\) (\[\d+\]) \S+ (.*?: \w+:) /gm, '   $1   $2      '),
      'other clock': recorded.replace(/ (\d+)\.(\d{6}): /g, ' $1$2: '),
    }
    for (const [name, text] of Object.entries(variants)) {
      const played = await play([text])
      expect([name, played.films[0]?.steps.length, played.reading.strange]).toEqual([name, steps, 0])
    }
    expect(said(await play([bytes]))).toBe(
      'board.txt: 140 lines; 128 events are of the kinds that are played, 0 are others.',
    )
  })

  it('may be cut off, and have lost events, and have an event of another kernel; all of it is said', async () => {
    const text =
      recorded.replace('ret=fail', 'ret=maybe so').slice(0, -30) +
      '\nCPU:1 [LOST 12 EVENTS]\n  x-1 [000] ..... 9.0: cma_alloc_st'
    const odd = await play([text.replace('count=8192 align=8\n', 'count=8192 align=eight\n')])
    expect(said(odd)).toMatch(
      /lost 12 events.*printed in no way known here: 2; the first is line 13.*last line has no end/s,
    )
  })

  it.each([
    ['nothing', [], 'board.txt is empty. Copy /sys/kernel/tracing/trace with cat'],
    [
      'prose',
      ['A camera wants 512 MiB.\nIn one piece.\n'],
      'board.txt is no trace: 2 lines, and none is of an event. Line 1 is “A camera wants 512 MiB.”. Record',
    ],
    [
      'another trace',
      ['  x-1 [000] ..... 9.000001: sched_switch: prev=1\n'],
      'board.txt is a trace, and no event in it is of cma_alloc; it has sched_switch. Record',
    ],
    ['trace.dat', [new Uint8Array([0x17, 0x08, 0x44, 0x74])], 'board.txt is a trace.dat of trace-cmd'],
    ['gzip', [new Uint8Array([0x1f, 0x8b, 8, 0])], 'board.txt is compressed'],
    ['noise', [new Uint8Array([1, 2, 0, 4])], 'board.txt is not text'],
    [
      'one request in another form',
      ['  x-1 [000] ..... 9.000001: cma_alloc_start: so many\n'],
      'board.txt has events of cma_alloc, but printed in no way known',
    ],
  ])('is refused with the reason when it is %s', async (_name, parts, text) => {
    const played = await play(parts as BlobPart[])
    expect(verdictOf(played, played.films.length > 0, 'board.txt', enMovie)).toEqual({
      plays: false,
      text: expect.stringContaining(text) as string,
    })
  })

  it('is read no further than it helps, and no line is kept longer than the limit', async () => {
    const small = { kept: 10, line: 200, names: 3, strangeLines: 20 }
    const full = await play([recorded], small)
    expect([full.kept, full.reading.stoppedAt]).toEqual([10, 22])
    expect(said(full)).toContain('Reading ended at line 22: 10 events are as many as are played.')
    const prose = await play([new Array(500).fill('word\n').join('')], small)
    expect([prose.reading.stoppedAt, prose.films]).toEqual([20, []])
    const endless = await play(new Array(50).fill('x'.repeat(1000)), small)
    expect([endless.reading.lines, endless.reading.first!.text.length]).toEqual([1, 120])
  })

  it('has as many frames as events, however far apart its page frames are', () => {
    const far = ['0x10', '0xfffffffff0'].map(
      (pfn, i) =>
        `  x-1 [000] ..... 9.00000${i}: cma_release: name=a pfn=${pfn} page=0000000012345678 count=4\n`,
    )
    const [film] = filmsOf(far.join(''))
    expect(openFilm(film!)(1).runs.length).toBe(2)
    expect(movieStage(film!, openFilm(film!)(1), enMovie).length).toBeLessThan(6000)
  })

  it('puts no name of a task or an area into HTML', () => {
    const evil = '  <b>-1 [000] ..... 9.000001: cma_alloc_start: name=<img src=x> count=4 align=2\n'
    const [film] = filmsOf(evil)
    expect(movieStage(film!, openFilm(film!)(0), enMovie)).not.toContain('<img')
  })
})
