// SPDX-License-Identifier: MIT
//
// How many pages a kernel can still have, from the fields of a report as it prints them when it kills somebody.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { pictured } from 'contiguous/machine/picture'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES } from 'contiguous/mm/mmzone'
import { zone_watermark_ok } from 'contiguous/mm/watermark'

export function ask(rng: Rng): Question {
  const min = 500 + rng.next(1500)
  const above = 200 + rng.next(3000)
  const cma = 2048 * (4 + rng.next(40)) - rng.next(500)
  const free = min + above + cma
  const gfp = oneOf(rng, ['GFP_KERNEL', 'GFP_HIGHUSER'])
  return {
    text: textOf({ free, cma, min, gfp }),
    kind: 'number',
    read: 'Free, but not to you',
    answer: String(takeUntil(free, cma, min)),
    wrong: [
      {
        rule: 'ex-cma-counted',
        answer: String(takeUntil(free, 0, min)),
        text: 'the free pages of CMA are among those; this request is not movable',
      },
      {
        rule: 'ex-mark-not-kept',
        answer: String(takeUntil(free, cma, 0)),
        text: 'to the last page that is not CMA: some have to stay',
      },
      {
        rule: 'ex-one-too-few',
        answer: String(takeUntil(free, cma, min + 1)),
        text: 'one more: a zone gives the page that takes it down to its mark',
      },
      {
        rule: 'ex-kibibytes',
        answer: String(4 * takeUntil(free, cma, min)),
        text: 'that many KiB; the question is how many pages of 4 KiB',
      },
    ],
  }
}

// A page at a time, for as long as the model says that the zone can spare one.
function takeUntil(free: number, cma: number, min: number): number {
  const pgdat = pictured('M ########', { kernel: '6.12.117' })
  const zone = pgdat.zones[0]!
  zone.vm_stat[NR_FREE_PAGES] = free
  zone.vm_stat[NR_FREE_CMA_PAGES] = cma
  let taken = 0
  for (; zone_watermark_ok(pgdat, zone, 0, min, 0, 0); taken++) zone.vm_stat[NR_FREE_PAGES]!--
  return taken
}

interface Told {
  readonly free: number
  readonly cma: number
  readonly min: number
  readonly gfp: string
}

function textOf({ free, cma, min, gfp }: Told): string {
  const quarter = Math.floor(min / 4)
  const kib = (pages: number) => `${4 * pages}kB`
  return [
    'A 6.12 with pages of 4 KiB and one zone prints, among other fields:',
    '',
    '```text',
    `Node 0 DMA free:${kib(free)} boost:0kB min:${kib(min)} low:${kib(min + quarter)} high:${kib(min + 2 * quarter)}`,
    `  reserved_highatomic:0KB … free_pcp:0kB local_pcp:0kB free_cma:${kib(cma)}`,
    'lowmem_reserve[]: 0 0 0 0',
    '```',
    '',
    `Somebody asks for single pages with \`${gfp}\`, one after another; nobody frees any, and nothing can be reclaimed.`,
    'How many does he get?',
  ].join('\n')
}
