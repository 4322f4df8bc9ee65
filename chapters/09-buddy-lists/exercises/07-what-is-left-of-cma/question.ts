// SPDX-License-Identifier: MIT
//
// How many pages of CMA are free after some movable requests, on a kernel with the half rule or without it.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { pictured } from 'contiguous/machine/picture'
import { GFP_HIGHUSER_MOVABLE } from 'contiguous/mm/gfp'
import { NR_FREE_CMA_PAGES } from 'contiguous/mm/mmzone'
import { __alloc_pages } from 'contiguous/mm/page_alloc'

const LINE = 32
const OLD: KernelVersion = '4.12.4'

export function ask(rng: Rng): Question {
  const kernel = oneOf<KernelVersion>(rng, [OLD, '6.1.192', '6.12.117'])
  const movable = 16 + rng.next(32)
  const cma = movable + 4 + rng.next(LINE)
  // Enough to reach the half, and not so many that all is gone.
  const requests = cma - movable + 4 + rng.next(movable - 6)
  const other = kernel === OLD ? '6.12.117' : OLD
  return {
    text: textOf(kernel, movable, cma, requests),
    kind: 'number',
    read: 'Whose list is looked at',
    answer: String(cmaAfter(kernel, movable, cma, requests)),
    wrong: [
      {
        rule: 'ex-other-kernel',
        answer: String(cmaAfter(other, movable, cma, requests)),
        text: `that is right for ${other}: when does CMA come first, and since which kernel?`,
      },
      {
        rule: 'ex-cma-first',
        answer: String(Math.max(cma - requests, 0)),
        text: 'as if CMA gave every page for as long as it has one',
      },
      {
        rule: 'ex-half-of-each',
        answer: String(cma - Math.floor(requests / 2)),
        text: 'as if each list gave every second page from the start: who gives while CMA is more than half of what is free?',
      },
    ],
  }
}

function cmaAfter(kernel: KernelVersion, movable: number, cma: number, requests: number): number {
  const line = (type: string, free: number) => {
    const pages = '.'.repeat(free).padEnd(2 * LINE, '#').padEnd(4 * LINE, '#')
    return `${type} ${pages}`
  }
  const pgdat = pictured(`${line('M', movable)} ${line('C', cma)}`, { kernel, maxOrder: 7 })
  for (let i = 0; i < requests; i++) __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 0)
  return pgdat.zones[0]!.vm_stat[NR_FREE_CMA_PAGES]!
}

function textOf(kernel: KernelVersion, movable: number, cma: number, requests: number): string {
  return [
    `A zone of a ${kernel} has ${movable + cma} free pages: ${movable} on the lists of MOVABLE and ${cma} on those of CMA, and none of another type.`,
    'Its marks are 0, and nobody frees anything.',
    '',
    `Programs ask for ${requests} single pages with \`GFP_HIGHUSER_MOVABLE\`, one after another.`,
    'How many pages of CMA are free then?',
  ].join('\n')
}
