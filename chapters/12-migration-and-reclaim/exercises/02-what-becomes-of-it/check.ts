// SPDX-License-Identifier: MIT
//
// Lets the models empty a range that holds one page, for every page and kernel that the exercise speaks of, and asks the
// reader's fate(). When they differ, it looks for a single mistake that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { cacheFile, picturedVm, programPfn, startProgram } from 'contiguous/machine/pictured_vm'
import { alloc_contig_range } from 'contiguous/mm/contig_range'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { folio_isolate_lru, get_page } from 'contiguous/mm/lru'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ } from 'contiguous/mm/mmap_flags'
import { dup_mm } from 'contiguous/mm/mmap_unmap'
import { userRead } from 'contiguous/mm/uaccess'
import type { Vm } from 'contiguous/mm/vm'

interface Page {
  readonly kind: 'anonymous' | 'file'
  readonly lru: boolean
  readonly dirty: boolean
  readonly mapped: number
  readonly refs: number
}

type Kernel = '3.5' | '3.9' | '6.12'
type Fate = (page: Page, kernel: Kernel) => unknown

interface Case {
  readonly page: Page
  readonly kernel: Kernel
  readonly expected: string
}

const FILE = 'fate.ts'
const VERSIONS: Readonly<Record<Kernel, KernelVersion>> = { '3.5': '3.5', '3.9': '3.9', '6.12': '6.12.117' }

export async function check(context: CheckContext): Promise<CheckResult> {
  const fate = context.kind === 'typescript' ? context.module['fate'] : undefined
  if (typeof fate !== 'function') {
    return { findings: [finding('ex-export-missing', 'fate is not an exported function', [])] }
  }
  const cases = allCases()
  const wrong = cases.filter((each) => answer(fate as Fate, each) !== each.expected)
  if (wrong.length === 0) return { findings: [], shown: [`${cases.length} pages, and the models say the same`] }
  const evidence = wrong.slice(0, 3).flatMap(({ page, kernel, expected }) => [
    `${kernel}: ${described(page)}`,
    `  expected  ${expected}`,
    `  yours     ${answer(fate as Fate, { page, kernel, expected })}`,
  ])
  for (const { rule, text, read, slip } of SLIPS) {
    const explains = cases.every((each) => answer(fate as Fate, each) === answer(slip, each))
    if (explains) return { findings: [finding(rule, text, evidence, read)] }
  }
  return { findings: [finding('ex-fates-differ', 'the models say otherwise', evidence)] }
}

const REFERENCES = 'As many references as can be explained'
const DROPPED = 'Dropped, or written first'

function finding(rule: string, text: string, evidence: readonly string[], read = REFERENCES): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

function answer(fate: Fate, { page, kernel }: Case): string {
  try {
    return String(fate(Object.freeze({ ...page }), kernel))
  } catch (error) {
    return `throws ${error instanceof Error ? error.message : String(error)}`
  }
}

function described({ kind, lru, dirty, mapped, refs }: Page): string {
  const state = kind === 'file' ? `a ${dirty ? 'dirty' : 'clean'} page of a file` : 'an anonymous page'
  return `${state}, mapped ${mapped}, refs ${refs}${lru ? '' : ', on no LRU list'}`
}

// #region cases
function allCases(): Case[] {
  const cases: Case[] = []
  for (const kernel of ['3.5', '3.9', '6.12'] as const) {
    for (const kind of ['anonymous', 'file'] as const) {
      for (const dirty of kind === 'file' ? [false, true] : [false]) {
        for (const lru of [true, false]) {
          for (const held of [0, 1, 3]) {
            for (const mapped of kind === 'file' ? [0, 1, 3] : [1, 3])
              cases.push(solved(kernel, { kind, dirty, lru, held, mapped }))
          }
        }
      }
    }
  }
  return cases
}

interface Wish {
  readonly kind: 'anonymous' | 'file'
  readonly dirty: boolean
  readonly lru: boolean
  readonly held: number
  readonly mapped: number
}

// Makes the page, looks at its counts, and empties the range.
function solved(kernel: Kernel, wish: Wish): Case {
  const picture = `C ${'.'.repeat(32)} M ${'#'.repeat(32)} U ${'.'.repeat(32)}`
  const vm = picturedVm(picture, { kernel: VERSIONS[kernel], maxOrder: 5 })
  const where = wish.kind === 'file' ? filePage(vm, wish) : anonymousPage(vm, wish)
  const pfn = where()!
  for (let i = 0; i < wish.held; i++) get_page(vm, pfn)
  if (!wish.lru) folio_isolate_lru(vm, pfn)
  const { refcount, mapcount } = vm.pgdat.map
  const page = {
    ...{ kind: wish.kind, lru: wish.lru, dirty: wish.dirty },
    ...{ mapped: mapcount[pfn]!, refs: refcount[pfn]! },
  }
  vm.trace.enabled = true
  alloc_contig_range(vm, 0, 32, vm.pgdat.migrate.CMA, GFP_KERNEL)
  const taken = vm.trace.records.some(
    ({ event, fields }) => event === 'mm_compaction_isolate_migratepages' && fields['nr_taken'] !== 0,
  )
  const now = where()
  const stays = taken ? 'is tried in vain' : 'is passed over'
  return { page, kernel, expected: now === null ? 'is dropped' : now === pfn ? stays : 'moves' }
}

// Where the page is now.
type Where = () => number | null

function anonymousPage(vm: Vm, { mapped }: Wish): Where {
  const program = startProgram(vm, 'program', 1)
  for (let children = 1; children < mapped; children++) dup_mm(vm, program.mm)
  return () => programPfn(vm, program, 0)
}

function filePage(vm: Vm, { dirty, mapped }: Wish): Where {
  const { file, cache } = cacheFile(vm, 'film', 1, dirty)
  for (let i = 0; i < mapped; i++) {
    const mm = createProcess(vm, 'player')
    const va = do_mmap(vm, mm, { file, len: vm.pgdat.pageSize, prot: PROT_READ, flags: MAP_SHARED })
    userRead(vm, mm, va, 1)
  }
  return () => cache.i_pages.get(0) ?? null
}
// #endregion cases

// #region slips
interface Habits {
  readonly explained?: (page: Page) => number
  readonly passesHeld?: boolean
  readonly drops?: (page: Page, kernel: Kernel) => boolean
  readonly dropsHeld?: boolean
}

const explainedRefs = ({ kind, mapped }: Page) => mapped + (kind === 'file' ? 1 : 0)
const cleanOfFile = ({ kind, dirty }: Page, kernel: Kernel) => kind === 'file' && !dirty && kernel !== '3.5'

function withHabits(habits: Habits): Fate {
  const { explained = explainedRefs, passesHeld = true, drops = cleanOfFile, dropsHeld = false } = habits
  return (page, kernel) => {
    const held = page.refs > explained(page)
    if (!page.lru) return 'is passed over'
    if (passesHeld && page.kind === 'anonymous' && held && kernel === '6.12') return 'is passed over'
    if (drops(page, kernel) && (dropsHeld || !held)) return 'is dropped'
    return held ? 'is tried in vain' : 'moves'
  }
}

const SLIPS: readonly { rule: string; text: string; read?: string; slip: Fate }[] = [
  {
    rule: 'ex-holders-ignored',
    text: 'a page that somebody holds neither moves nor is dropped: the reference count tells',
    slip: withHabits({ explained: () => Infinity }),
  },
  {
    rule: 'ex-tried-though-held',
    text: 'on 4.6 and later isolation looks at the counts of anonymous pages, and does not take one that is held',
    read: 'Who may live there',
    slip: withHabits({ passesHeld: false }),
  },
  {
    rule: 'ex-cache-holds-too',
    text: 'a page of a file has one reference more that can be explained: the page cache’s',
    slip: withHabits({ explained: ({ mapped }) => mapped }),
  },
  {
    rule: 'ex-dirty-dropped',
    text: 'a dirty page is dropped, and what was written to it is lost',
    read: DROPPED,
    slip: withHabits({ drops: ({ kind }, kernel) => kind === 'file' && kernel !== '3.5' }),
  },
  {
    rule: 'ex-anonymous-dropped',
    text: 'an anonymous page is dropped, and it was the only copy',
    read: DROPPED,
    slip: withHabits({ drops: ({ dirty }, kernel) => !dirty && kernel !== '3.5' }),
  },
  {
    rule: 'ex-dropped-too-early',
    text: '3.5 drops nothing of a range: it copies clean pages as well',
    read: DROPPED,
    slip: withHabits({ drops: ({ kind, dirty }) => kind === 'file' && !dirty }),
  },
  {
    rule: 'ex-held-dropped',
    text: 'a clean page that somebody holds is not dropped: who holds it would be left with a page of somebody else',
    read: DROPPED,
    slip: withHabits({ dropsHeld: true }),
  },
]
// #endregion slips
