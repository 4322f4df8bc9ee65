// SPDX-License-Identifier: MIT
//
// How often migrate_pages() is called for a page of a file that says `not now` a number of times and then gives way.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { EAGAIN } from 'contiguous/lib/errno'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { cacheFile, picturedVm } from 'contiguous/machine/pictured_vm'
import { alloc_contig_range } from 'contiguous/mm/contig_range'
import { GFP_KERNEL } from 'contiguous/mm/gfp'

export function ask(rng: Rng): Question {
  const kernel = oneOf<KernelVersion>(rng, ['4.12.4', '6.1.192', '6.12.117'])
  const refusals = 4 + rng.next(44)
  const { events, attempts } = run(kernel, refusals)
  return {
    text: [
      `On a board with ${kernel} a range holds one dirty page of a file, and is taken by \`alloc_contig_range()\`.`,
      `The page's file system answers \`-EAGAIN\` to the first ${refusals} attempts to move it and agrees to the next one.`,
      '',
      'How many lines `mm_migrate_pages` does the trace have of it?',
    ].join('\n'),
    kind: 'number',
    read: 'Fifty attempts',
    answer: String(events),
    wrong: [
      {
        rule: 'ex-attempt-for-a-call',
        answer: String(attempts),
        text: 'those are the attempts: a call of migrate_pages() makes several, and prints its line at its end',
      },
      {
        rule: 'ex-always-five',
        answer: '5',
        text: 'five calls are the most that a batch gets; they end as soon as nothing of it is left',
      },
      {
        rule: 'ex-one-call',
        answer: '1',
        text: 'a call makes no more than ten attempts, and then another call follows',
      },
    ],
  }
}

function run(kernel: KernelVersion, refusals: number): { events: number; attempts: number } {
  const vm = picturedVm('C ................ M ################ U ................', { kernel, maxOrder: 4 })
  const { cache } = cacheFile(vm, 'notes', 1, true)
  let attempts = 0
  Object.assign(cache, { migrate_folio: () => (++attempts > refusals ? 0 : -EAGAIN) })
  vm.trace.enabled = true
  alloc_contig_range(vm, 0, 16, vm.pgdat.migrate.CMA, GFP_KERNEL)
  return { attempts, events: vm.trace.records.filter(({ event }) => event === 'mm_migrate_pages').length }
}
