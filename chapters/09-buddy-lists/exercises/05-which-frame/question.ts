// SPDX-License-Identifier: MIT
//
// Which block a request gets: a low one that is too large and a higher one that fits better, both drawn.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { listedBlocks, pictured } from 'contiguous/machine/picture'
import { GFP_HIGHUSER_MOVABLE } from 'contiguous/mm/gfp'
import { __alloc_pages } from 'contiguous/mm/page_alloc'

const PAGES = 64
const LINE = 16

interface Block {
  readonly pfn: number
  readonly order: number
}

export function ask(rng: Rng): Question {
  const order = rng.next(2)
  const fits = order + 1 + rng.next(2)
  const large = { pfn: oneOf(rng, [0, 16]), order: 4 }
  const good = { pfn: 32 + (rng.next(16 >> fits) << fits), order: fits }
  // Too small for the request, and lower than what fits.
  const scrap = { pfn: 32 + LINE + (rng.next(4) << 2), order: order === 0 ? fits : 0 }
  const memory = memoryOf([large, good, scrap])
  const pgdat = pictured(memory, { maxOrder: 4 })
  const blocks = listedBlocks(pgdat, pgdat.zones[0]!)
  const answer = __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, order)!
  const from = blocks.find((block) => answer >= block.pfn && answer < block.pfn + (1 << block.order))!
  const lowest = Math.min(...blocks.filter((block) => block.order >= order).map(({ pfn }) => pfn))
  return {
    text: textOf(memory, order),
    kind: 'number',
    read: 'Free memory in powers of two',
    answer: String(answer),
    wrong: [
      {
        rule: 'ex-lowest-block',
        answer: String(lowest),
        text: 'that block is free and has the lowest pages, and it is not the one that is cut: the lists are searched by order',
      },
      {
        rule: 'ex-upper-part',
        answer: String(from.pfn + (1 << from.order) - (1 << order)),
        text: 'the right block, and its other end: which halves go back to the lists, the upper or the lower ones?',
      },
    ],
  }
}

// Lines of 16 pages, in which only these blocks are free.
function memoryOf(blocks: readonly Block[]): string {
  const pages = Array.from({ length: PAGES }, () => '#')
  for (const { pfn, order } of blocks) pages.fill('.', pfn, pfn + (1 << order))
  return Array.from({ length: PAGES / LINE }, (_, i) => {
    return `M ${pages.slice(i * LINE, (i + 1) * LINE).join('')}`
  }).join('\n')
}

function textOf(memory: string, order: number): string {
  const lines = memory.split('\n').map((line, i) => `${String(i * LINE).padStart(2)}  ${line}`)
  return [
    'These are 64 pages of a zone, sixteen in a line; the number at the left is the first page of each.',
    '`.` is free, and all that is free has merged as far as it can.',
    '',
    '```text',
    ...lines,
    '```',
    '',
    `A program asks for a block of order ${order}, ${1 << order} ${order === 0 ? 'page' : 'pages in a row'}, of type MOVABLE.`,
    'What is the number of the first page that it gets?',
  ].join('\n')
}
