// SPDX-License-Identifier: MIT
//
// What alloc_contig_range() answers to pages of a program and of a file, for some room outside and perhaps a page that is held.
import { errnoName, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { cacheFile, picturedVm, programPfn, startProgram } from 'contiguous/machine/pictured_vm'
import { alloc_contig_range } from 'contiguous/mm/contig_range'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { get_page } from 'contiguous/mm/lru'
import { __free_pages } from 'contiguous/mm/page_alloc'

interface Board {
  readonly kernel: KernelVersion
  readonly anonymous: number
  readonly clean: number
  readonly free: number
  readonly held: boolean
}

export function ask(rng: Rng): Question {
  const anonymous = 3 + rng.next(8)
  const room = oneOf(rng, ['short', 'enough', 'plenty'])
  const board: Board = {
    kernel: oneOf<KernelVersion>(rng, ['6.1.192', '6.12.117']),
    anonymous,
    clean: 3 + rng.next(10),
    free: anonymous + (room === 'short' ? -2 : room === 'enough' ? rng.next(3) : 14),
    held: rng.next(3) === 0,
  }
  const { kernel, clean, free, held } = board
  return {
    text: [
      `A board runs ${kernel}.`,
      `A range of a CMA area holds ${anonymous} pages of a program and ${clean} clean pages of a file, and the rest of it is free.`,
      `Outside of the range ${free} pages are free, no other can be got, and the watermarks are 0.`,
      held
        ? 'A driver has called `get_page()` on one of the program’s pages and will not let go.'
        : 'Nobody holds a page.',
      '',
      'What does `alloc_contig_range()` return for the range?',
    ].join('\n'),
    kind: 'errno',
    read: 'Nowhere to go',
    answer: errnoName(run(board)),
    wrong: [
      {
        rule: 'ex-room-is-short',
        answer: '-ENOMEM',
        text: 'that would need more targets than there are free pages: which pages need one?',
      },
      {
        rule: 'ex-nobody-is-busy',
        answer: '-EBUSY',
        text: 'that is said of a page that stays although there is room for it',
      },
      {
        rule: 'ex-not-all-go',
        answer: '0',
        text: 'not all pages leave the range: each needs a reason to go and a place, or can be dropped',
      },
    ],
  }
}

function run({ kernel, anonymous, clean, free, held }: Board): number {
  const used = '#'.repeat(32)
  const picture = `C ${'.'.repeat(32)} M ${used} U ${'#'.repeat(28)}....`
  const vm = picturedVm(picture, { kernel, maxOrder: 5 })
  const program = startProgram(vm, 'program', anonymous)
  cacheFile(vm, 'film', clean, false)
  if (held) get_page(vm, programPfn(vm, program, 1)!)
  for (let pfn = 32; pfn < 32 + free; pfn++) __free_pages(vm.pgdat, pfn, 0)
  return alloc_contig_range(vm, 0, 32, vm.pgdat.migrate.CMA, GFP_KERNEL)
}
