// SPDX-License-Identifier: MIT
//
// Lets the model of 3.5 migrate isolated pages of files whose answers are drawn, and the reader's loop the same pages. When
// they differ, it looks for a single mistake that explains every answer, and shows the shortest list.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { cacheFile, picturedVm } from 'contiguous/machine/pictured_vm'
import { folio_trylock, folio_unlock } from 'contiguous/mm/folio_wait'
import { folio_isolate_lru } from 'contiguous/mm/lru'
import { migrate_pages } from 'contiguous/mm/migrate'
import { createPageList, list_add_tail } from 'contiguous/mm/page_list'
import { GFP_USER } from 'contiguous/mm/gfp'
import { __alloc_pages } from 'contiguous/mm/page_alloc'

type UnmapAndMove = (page: number, force: boolean) => number
type MigratePages = (pages: readonly number[], unmapAndMove: UnmapAndMove) => unknown

/** How a page behaves: its answers, the last of them for ever; and whether it is locked until somebody waits for it. */
interface Page {
  readonly answers: readonly number[]
  readonly locked: boolean
}

const FILE = 'migrate_pages.ts'
const READ = 'Fifty attempts'
const [EAGAIN, ENOMEM, EBUSY] = [11, 12, 16]
const DRAWN = 300

export async function check(context: CheckContext): Promise<CheckResult> {
  const migratePages = context.kind === 'typescript' ? context.module['migratePages'] : undefined
  if (typeof migratePages !== 'function') {
    return { findings: [finding('ex-export-missing', 'migratePages is not an exported function', [])] }
  }
  const reader = migratePages as MigratePages
  const rng = createRng(12)
  const lists = [...FIXED, ...Array.from({ length: DRAWN }, () => drawn(rng))]
  const cases = lists.map((pages) => ({ pages, expected: byModel(pages) }))
  const wrong = cases.filter(({ pages, expected }) => run(reader, pages) !== expected)
  if (wrong.length === 0)
    return { findings: [], shown: [`${cases.length} lists, and the same attempts as 3.5`] }
  const shortest = wrong.reduce((a, b) => (b.pages.length < a.pages.length ? b : a))
  const evidence = [
    ...shortest.pages.map(({ answers, locked }, i) => {
      return `page ${i}${locked ? ', locked until it is waited for' : ''}: ${answers.join(' ')}, then always the last`
    }),
    `expected  ${shortest.expected}`,
    `yours     ${run(reader, shortest.pages)}`,
  ]
  for (const { rule, text, slip } of SLIPS) {
    const explains = cases.every(({ pages }) => run(reader, pages) === run(slip, pages))
    if (explains) return { findings: [finding(rule, text, evidence)] }
  }
  return { findings: [finding('ex-attempts-differ', 'the attempts or the answer are not those of 3.5', evidence)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// #region lists
const page = (...answers: number[]): Page => ({ answers, locked: false })
const locked = (...answers: number[]): Page => ({ answers, locked: true })

const FIXED: readonly (readonly Page[])[] = [
  [page(0)],
  [page(-EAGAIN)],
  [page(-EBUSY)],
  [page(-ENOMEM), page(0)],
  [page(-EAGAIN, -EAGAIN, 0)],
  [page(-EAGAIN), page(0), page(-EBUSY)],
  [locked(0), page(-EAGAIN, 0)],
  [page(-EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN, 0)],
]

function drawn(rng: Rng): Page[] {
  return Array.from({ length: 1 + rng.next(5) }, () => {
    const refusals = Array.from({ length: rng.next(3) === 0 ? rng.next(12) : 0 }, () => -EAGAIN)
    const last = [0, 0, 0, -EAGAIN, -EBUSY, rng.next(3) === 0 ? -ENOMEM : 0][rng.next(6)]!
    return { answers: [...refusals, last], locked: rng.next(5) === 0 }
  })
}
// #endregion lists

// #region model
// Pages of a file, whose owner answers; a target is taken for each attempt, and denied where -ENOMEM is to come.
function byModel(pages: readonly Page[]): string {
  const vm = picturedVm(`C ${'.'.repeat(32)} M ${'#'.repeat(32)} U ${'.'.repeat(32)}`, {
    kernel: '3.5',
    maxOrder: 5,
  })
  const { cache } = cacheFile(vm, 'file', pages.length, true)
  const { map } = vm.pgdat
  const pfns = pages.map((_, index) => cache.i_pages.get(index)!)
  const made = pages.map(() => 0)
  const attempts: number[] = []
  const answer = (i: number) => pages[i]!.answers[Math.min(made[i]!, pages[i]!.answers.length - 1)]!
  const list = createPageList()
  pfns.forEach((pfn, i) => {
    folio_isolate_lru(vm, pfn)
    list_add_tail(map, pfn, list)
    if (pages[i]!.locked) folio_trylock(vm, pfn)
  })
  const waitedFor = new Set<number>()
  vm.hooks.whileWaiting = (_, pfn) => {
    waitedFor.add(pfn)
    folio_unlock(vm, pfn)
  }
  Object.assign(cache, {
    migrate_folio(_: number, src: number) {
      const i = pfns.indexOf(src)
      const rc = answer(i)
      attempts.push(i)
      made[i]!++
      return rc
    },
  })
  const target = (src: number) => {
    const i = pfns.indexOf(src)
    if (answer(i) !== -ENOMEM) return __alloc_pages(vm.pgdat, GFP_USER, 0)
    attempts.push(i)
    return null
  }
  const ret = migrate_pages(vm, list, target, 'MIGRATE_SYNC', 'contig_range')
  const left: number[] = []
  for (let at = list.head; at >= 0; at = map.next[at]!) left.push(pfns.indexOf(at + map.start_pfn))
  return told(ret, left, attempts)
}
// #endregion model

// #region reader
const told = (ret: unknown, left: readonly unknown[], attempts: readonly number[]): string =>
  `returns ${ret}, left [${left.join(' ')}], attempts ${attempts.join(' ')}`

// A page that is locked answers only when it is waited for, and is unlocked from then on. No target, and nobody waits.
function run(migratePages: MigratePages, pages: readonly Page[]): string {
  const attempts: number[] = []
  const made = pages.map(() => 0)
  const free = pages.map((each) => !each.locked)
  const unmapAndMove: UnmapAndMove = (i, force) => {
    const each = pages[i]
    if (!each || attempts.length > 1000) throw new Error('no such page, or no end of attempts')
    const rc = each.answers[Math.min(made[i]!, each.answers.length - 1)]!
    if (rc !== -ENOMEM && !free[i] && !force) return -EAGAIN
    if (rc !== -ENOMEM) {
      free[i] = true
      made[i]!++
    }
    attempts.push(i)
    return rc
  }
  try {
    const got = migratePages(Object.freeze(pages.map((_, i) => i)), unmapAndMove) as Partial<{
      ret: number
      left: number[]
    }>
    return told(got?.ret, got?.left ?? ['nothing'], attempts)
  } catch (error) {
    return `throws ${error instanceof Error ? error.message : String(error)}`
  }
}
// #endregion reader

// #region slips
interface Habits {
  readonly passes?: number
  readonly force?: (pass: number) => boolean
  readonly goesOn?: boolean
  readonly neverAgain?: boolean
  readonly summed?: boolean
}

function withHabits(habits: Habits): MigratePages {
  const { passes = 10, force = (pass: number) => pass > 2, goesOn, neverAgain, summed } = habits
  return (pages, unmapAndMove) => {
    let left = [...pages]
    let [failed, retry, all] = [0, 1, 0]
    for (let pass = 0; pass < passes && retry > 0; pass++) {
      retry = 0
      for (const each of [...left]) {
        const rc = unmapAndMove(each, force(pass))
        if (rc === -ENOMEM) {
          if (goesOn) continue
          return { ret: rc, left }
        }
        if (rc === -EAGAIN || (neverAgain && rc < 0)) retry++
        else {
          left = left.filter((other) => other !== each)
          if (rc < 0) failed++
        }
      }
      all += retry
    }
    return { ret: failed + (summed ? all : retry), left }
  }
}

const SLIPS: readonly { rule: string; text: string; slip: MigratePages }[] = [
  {
    rule: 'ex-one-pass',
    text: 'the list is gone through once: a page that says not now may say yes in the next pass',
    slip: withHabits({ passes: 1 }),
  },
  {
    rule: 'ex-never-waits',
    text: 'a page that is locked is never waited for: force is false in all passes',
    slip: withHabits({ force: () => false }),
  },
  {
    rule: 'ex-waits-at-once',
    text: 'a page that is locked is waited for in the first pass already, while others could move',
    slip: withHabits({ force: () => true }),
  },
  {
    rule: 'ex-tries-never-again',
    text: 'a page that will never move stays on the list and is tried again in each pass',
    slip: withHabits({ neverAgain: true }),
  },
  {
    rule: 'ex-no-target-goes-on',
    text: 'without a target for one page the next is tried: there will be none for it either',
    slip: withHabits({ goesOn: true }),
  },
  {
    rule: 'ex-retries-summed',
    text: 'a page that said not now in several passes is counted several times: only the last pass counts',
    slip: withHabits({ summed: true }),
  },
  ...[2, 3, 4, 5, 6, 7, 8, 9, 11, 12].map((passes) => ({
    rule: 'ex-pass-count',
    text: `there are ${passes} passes, and 3.5 makes ten`,
    slip: withHabits({ passes }),
  })),
]
// #endregion slips
