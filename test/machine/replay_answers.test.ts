// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { Complaint } from '../../code/lib/complaint.ts'
import { readAnswers } from '../../code/machine/replay_answers.ts'
import { compareAnswers, takenByEvents } from '../../code/machine/replay_compare.ts'
import type { ReplayStep } from '../../code/machine/replay_steps.ts'

const line = (event: string, task = 'replay_run-70'): string =>
  `      ${task}      [000] .....     5.100000: ${event}\n`

const TRACE = [
  '# tracer: nop\n',
  line('cma_alloc_finish: name=reserved pfn=0x100 page=000000001234abcd count=32 align=5', 'swapper/0-1'),
  line('tracing_mark_write: call 0'),
  line('cma_alloc_start: name=reserved count=2 align=1'),
  line('mm_page_free: page=000000001234abcd pfn=0x101 order=0'),
  line('console: cma: number of available pages: '),
  line('console: 3@1'),
  line('console: => 3 free of 4 total pages'),
  line(
    'cma_alloc_finish: name=reserved pfn=0xffffffffffffffff page=0000000000000000 count=2 align=1 errorno=-12',
  ),
  line('tracing_mark_write: call 1'),
  line('cma_release: name=reserved pfn=0x100 page=000000001234abcd count=8', 'kworker/0:1-12'),
].join('')

describe('readAnswers()', () => {
  it('gives each call its values, its events without pointers and the log in whole lines', () => {
    const { answers, before } = readAnswers('0 -12\n1 0 address=54000000 sum=1f\n', TRACE, 2)
    expect(before).toEqual(['cma_alloc_finish: name=reserved pfn=0x100 page=some count=32 align=5'])
    expect(answers[0]).toEqual({
      errno: -12,
      values: {},
      events: [
        'cma_alloc_start: name=reserved count=2 align=1',
        'cma_alloc_finish: name=reserved pfn=0xffffffffffffffff page=none count=2 align=1 errorno=-12',
      ],
      log: ['cma: number of available pages: 3@1=> 3 free of 4 total pages'],
    })
    expect(answers[1]?.values).toEqual({ address: '54000000', sum: '1f' })
    expect(answers[1]?.events).toEqual(['cma_release: name=reserved pfn=0x100 page=some count=8'])
  })

  it('complains of a run that ended early, with what it said last', () => {
    const read = () => readAnswers('0 -12\nreplay_run: /dev/replay-x: No such file or directory\n', TRACE, 2)
    expect(read).toThrow(Complaint)
    expect(read).toThrow('replay_run answered 1 of 2 calls')
  })

  it('complains of a trace that has lost events', () => {
    expect(() => readAnswers('0 0\n', `${TRACE}CPU:0 [LOST 12 EVENTS]\n`, 1)).toThrow(
      'the trace has lost events',
    )
  })
})

describe('takenByEvents()', () => {
  it('tells ranges that were taken and not given back', () => {
    const events = [
      'cma_alloc_finish: name=a pfn=0x100 page=some count=32 align=5',
      'cma_alloc_finish: name=a pfn=0x120 page=some count=8 align=3',
      'cma_release: name=a pfn=0x108 page=some count=4',
      'cma_alloc_finish: name=b pfn=0xffffffffffffffff page=none count=9 align=4 errorno=-12',
    ]
    expect(takenByEvents(events)).toEqual(['a 0x100 8', 'a 0x10c 28'])
  })
})

describe('compareAnswers()', () => {
  const alloc = (buffer: number): ReplayStep => ({ call: 'alloc', buffer, device: 'd', size: 4096, flags: 0 })
  const answer = (errno: number, values: Record<string, string> = {}, events: string[] = []) => {
    return { errno, values, events, log: [] }
  }
  const owner = (_device: string, address: string) => (address.startsWith('5') ? 'area' : null)
  const compare = (
    steps: ReplayStep[],
    model: ReturnType<typeof answer>[],
    kernel: ReturnType<typeof answer>[],
  ) => compareAnswers(steps, model, kernel, owner)

  it('tells each value that differs, with both', () => {
    const { different, compared } = compare(
      [alloc(0)],
      [answer(0, { address: '5000' }, ['cma_alloc_start: a', 'cma_alloc_finish: a'])],
      [answer(0, { address: '5100' }, ['cma_alloc_start: a'])],
    )
    expect(compared).toBe(5)
    expect(different).toEqual([
      { step: 0, what: 'address', model: '5000', kernel: '5100' },
      { step: 0, what: 'event 2', model: 'cma_alloc_finish: a', kernel: null },
    ])
  })

  it('leaves the page of a buddy block out, but not that it is one', () => {
    const same = compare([alloc(0)], [answer(0, { address: '4000' })], [answer(0, { address: '4100' })])
    expect([same.different, same.undetermined.get('buddy-address')]).toEqual([[], 1])
    const other = compare([alloc(0)], [answer(0, { address: '4000' })], [answer(0, { address: '5000' })])
    expect(other.different.map(({ what }) => what)).toEqual(['given by', 'address'])
  })

  it('leaves out how many pages of others were moved, but not that a range was tried', () => {
    const moved = ['cma_alloc_start: a', 'mm_migrate_pages: nr_succeeded=3 nr_failed=0']
    const none = ['cma_alloc_start: a', 'mm_migrate_pages: nr_succeeded=0 nr_failed=0']
    const { different, undetermined } = compare([alloc(0)], [answer(0, {}, none)], [answer(0, {}, moved)])
    expect([different, undetermined.get('moved-pages')]).toEqual([[], 1])
    const tried = compare([alloc(0)], [answer(0, {}, none.slice(1))], [answer(0, {}, moved)])
    expect(tried.different.map(({ kernel }) => kernel)).toEqual(['cma_alloc_start: a'])
  })

  it('takes NR_FREE_CMA_PAGES right behind an allocation from CMA only', () => {
    const took = ['cma_alloc_finish: name=a pfn=0x1 page=some count=1 align=0']
    const steps: ReplayStep[] = [alloc(0), { call: 'count' }, { call: 'count' }]
    const answers = (free: string) => [
      answer(0, {}, took),
      answer(0, { nr_free_cma: free }),
      answer(0, { nr_free_cma: free }),
    ]
    const { different, undetermined } = compare(steps, answers('10'), answers('f'))
    expect(different).toEqual([{ step: 1, what: 'nr_free_cma', model: '10', kernel: 'f' }])
    expect(undetermined.get('free-cma')).toBe(1)
  })
})
