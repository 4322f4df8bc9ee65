// SPDX-License-Identifier: MIT
//
// Frees blocks in the model of the page allocator and by the reader's freeBlock(). When they differ, it looks for a single
// mistake that explains every answer, and shows the smallest case with a picture of memory.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { drawMemory, listedBlocks, pictured } from 'contiguous/machine/picture'
import { __free_pages } from 'contiguous/mm/page_alloc'

interface Block {
  readonly pfn: number
  readonly order: number
}

interface Memory {
  readonly free: readonly Block[]
  readonly maxOrder: number
  readonly pageblockOrder: number
  readonly types: string
}

interface Case {
  readonly picture: string
  readonly memory: Memory
  readonly freed: Block
  readonly expected: readonly Block[]
}

type FreeBlock = (memory: Memory, freed: Block) => unknown

const FILE = 'free_block.ts'
const POWERS = 'Free memory in powers of two'
const CMA = 'How a pageblock becomes CMA'
const MAX_ORDER = 4
const PAGEBLOCK_ORDER = 3
const PAGES = 1 << PAGEBLOCK_ORDER
const DRAWN = 2000

export async function check(context: CheckContext): Promise<CheckResult> {
  const freeBlock = context.kind === 'typescript' ? context.module['freeBlock'] : undefined
  if (typeof freeBlock !== 'function') {
    return { findings: [finding('ex-export-missing', 'freeBlock is not an exported function', [], POWERS)] }
  }
  const rng = createRng(9)
  const cases = [...FIXED, ...Array.from({ length: DRAWN }, () => drawnCase(rng))].map(solved)
  const wrong = cases.filter((each) => told(answer(freeBlock as FreeBlock, each)) !== told(each.expected))
  if (wrong.length === 0)
    return { findings: [], shown: [`${cases.length} blocks were freed as the page allocator frees them`] }
  const smallest = wrong.reduce((a, b) => (b.memory.types.length < a.memory.types.length ? b : a))
  return { findings: [diagnose(freeBlock as FreeBlock, cases, smallest)] }
}

function finding(rule: string, text: string, evidence: readonly string[], read: string): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

// #region cases
// A picture of memory and the block that is freed; its pages are in use.
const FIXED: readonly (readonly [picture: string, freed: Block])[] = [
  ['M ########', { pfn: 3, order: 0 }],
  ['M .#######', { pfn: 1, order: 0 }],
  ['M #.######', { pfn: 0, order: 0 }],
  ['M #.######', { pfn: 2, order: 0 }],
  ['M ...#....', { pfn: 3, order: 0 }],
  ['M ....####', { pfn: 4, order: 2 }],
  ['M .#######', { pfn: 2, order: 1 }],
  ['M ##.#####', { pfn: 0, order: 1 }],
  ['M ........ C ########', { pfn: 8, order: 3 }],
  ['C ........ C ########', { pfn: 8, order: 3 }],
  ['C ........ M #.......', { pfn: 8, order: 0 }],
  ['M ........ M #.......', { pfn: 8, order: 0 }],
  ['M ######## M ........ M ........ M ########', { pfn: 0, order: 3 }],
]

function drawnCase(rng: Rng): readonly [string, Block] {
  const blocks = 1 + rng.next(4)
  const order = rng.next(PAGEBLOCK_ORDER + 1)
  const pfn = rng.next((blocks * PAGES) >> order) << order
  const density = 1 + rng.next(12)
  const pages = Array.from({ length: blocks * PAGES }, (_, at) => {
    return (at >= pfn && at < pfn + (1 << order)) || rng.next(density) === 0 ? '#' : '.'
  }).join('')
  const words = Array.from({ length: blocks }, (_, block) => {
    return `${'UMMRCC'[rng.next(6)]!} ${pages.slice(block * PAGES, (block + 1) * PAGES)}`
  })
  return [words.join(' '), { pfn, order }]
}

// What the model makes of it: before 6.12.117 changes a type, the types are noted.
function solved([picture, freed]: readonly [string, Block]): Case {
  const pgdat = pictured(picture, { maxOrder: MAX_ORDER })
  const types = picture.replace(/[^A-Z]/g, '')
  const blocks = () =>
    listedBlocks(pgdat, pgdat.zones[0]!)
      .map(({ pfn, order }) => ({ pfn, order }))
      .sort((a, b) => a.pfn - b.pfn)
  const memory = { free: blocks(), maxOrder: MAX_ORDER, pageblockOrder: PAGEBLOCK_ORDER, types }
  const drawn = drawMemory(pgdat)
  __free_pages(pgdat, freed.pfn, freed.order)
  return { picture: drawn, memory, freed, expected: blocks() }
}
// #endregion cases

function answer(freeBlock: FreeBlock, { memory, freed }: Case): unknown {
  const free = Object.freeze(memory.free.map((block) => Object.freeze({ ...block })))
  return freeBlock(Object.freeze({ ...memory, free }), Object.freeze({ ...freed }))
}

// Blocks as the chapter writes them: 3@8 is a block of order 3 at page 8.
function told(blocks: unknown): string {
  if (!Array.isArray(blocks)) return String(blocks)
  return blocks.map((block: Partial<Block>) => `${block?.order}@${block?.pfn}`).join(' ')
}

// #region diagnosis
interface Slip {
  readonly rule: string
  readonly text: string
  readonly read: string
  readonly free: FreeBlock
}

interface Habits {
  readonly partner: (pfn: number, order: number) => readonly number[]
  readonly anyOrder?: boolean
  readonly anyType?: boolean
  readonly once?: boolean
  readonly pastMax?: boolean
}

const buddyOf = (pfn: number, order: number) => [pfn ^ (1 << order)]

// freeBlock() with one habit that is not Linux's.
function withHabits(habits: Habits): FreeBlock {
  return (memory, freed) => {
    let free = [...memory.free]
    let { pfn, order } = freed
    while (order < memory.maxOrder || habits.pastMax) {
      const partners = habits.partner(pfn, order)
      const found = free.find(
        (block) => partners.includes(block.pfn) && (habits.anyOrder || block.order === order),
      )
      if (!found || (!habits.anyType && keepsApart(memory, pfn, found.pfn, order))) break
      free = free.filter((block) => block !== found)
      pfn = Math.min(pfn, found.pfn)
      order++
      if (habits.once) break
    }
    return [...free, { pfn, order }].sort((a, b) => a.pfn - b.pfn)
  }
}

function keepsApart({ types, pageblockOrder }: Memory, a: number, b: number, order: number): boolean {
  const [one, other] = [types[a >> pageblockOrder], types[b >> pageblockOrder]]
  return order >= pageblockOrder && one !== other && (one === 'C' || other === 'C')
}

const SLIPS: readonly Slip[] = [
  {
    rule: 'ex-not-merged',
    text: 'the block is put on its list as it is: it never looks for its buddy',
    read: POWERS,
    free: withHabits({ partner: () => [] }),
  },
  {
    rule: 'ex-merges-once',
    text: 'two buddies become one block, and that one does not look for its own buddy',
    read: POWERS,
    free: withHabits({ partner: buddyOf, once: true }),
  },
  {
    rule: 'ex-upper-buddy-only',
    text: 'only a buddy above is found: when the upper half is freed, its buddy lies below',
    read: POWERS,
    free: withHabits({ partner: (pfn, order) => (pfn & (1 << order) ? [] : [pfn + (1 << order)]) }),
  },
  {
    rule: 'ex-order-ignored',
    text: 'a smaller free block at the buddy’s place is taken for the buddy: part of the buddy is in use',
    read: POWERS,
    free: withHabits({ partner: buddyOf, anyOrder: true }),
  },
  {
    rule: 'ex-not-a-buddy',
    text: 'a free block of the same size on either side is merged with: only one of the two is the buddy',
    read: POWERS,
    free: withHabits({ partner: (pfn, order) => [pfn + (1 << order), pfn - (1 << order)] }),
  },
  {
    rule: 'ex-types-ignored',
    text: 'a pageblock of CMA merges with one that is not: from pageblockOrder on types must agree',
    read: CMA,
    free: withHabits({ partner: buddyOf, anyType: true }),
  },
  {
    rule: 'ex-past-max-order',
    text: `blocks of more than order ${MAX_ORDER} are made`,
    read: POWERS,
    free: withHabits({ partner: buddyOf, pastMax: true }),
  },
]

function diagnose(freeBlock: FreeBlock, cases: readonly Case[], smallest: Case): Finding {
  const evidence = picture(freeBlock, smallest)
  for (const { rule, text, read, free } of SLIPS) {
    const explains = cases.every((each) => told(answer(freeBlock, each)) === told(answer(free, each)))
    if (explains) return finding(rule, text, evidence, read)
  }
  return finding('ex-blocks-differ', 'the free blocks are others than the page allocator’s', evidence, POWERS)
}

function picture(freeBlock: FreeBlock, each: Case): string[] {
  const { pfn, order } = each.freed
  return [
    ...each.picture.split('\n').map((line, i) => `${String(i * PAGES).padStart(3)}  ${line}`),
    `free      ${told(each.memory.free) || 'none'}`,
    `freed     ${order}@${pfn}`,
    `expected  ${told(each.expected)}`,
    `yours     ${told(answer(freeBlock, each))}`,
  ]
}
// #endregion diagnosis
