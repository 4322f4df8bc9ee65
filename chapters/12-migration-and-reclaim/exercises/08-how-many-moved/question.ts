// SPDX-License-Identifier: MIT
//
// By how much pgmigrate_success grows when a range is taken that holds pages of all kinds.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { cacheFile, picturedVm, programPfn, startProgram } from 'contiguous/machine/pictured_vm'
import { alloc_contig_range } from 'contiguous/mm/contig_range'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { get_page } from 'contiguous/mm/lru'

interface Pages {
  readonly anonymous: number
  readonly held: number
  readonly clean: number
  readonly dirty: number
}

export function ask(rng: Rng): Question {
  const kernel = oneOf<KernelVersion>(rng, ['4.12.4', '6.1.192', '6.12.117'])
  const held = 1 + rng.next(3)
  const pages = { anonymous: held + 2 + rng.next(12), held, clean: 2 + rng.next(10), dirty: 1 + rng.next(9) }
  const { anonymous, clean, dirty } = pages
  return {
    text: [
      `A board runs ${kernel}.`,
      `A range of a CMA area holds ${anonymous} pages of a program, ${clean} clean and ${dirty} dirty pages of files, and there is room for all of them elsewhere.`,
      `${held === 1 ? 'One' : held} of the program's pages ${held === 1 ? 'lies' : 'lie'} in a pipe, where \`vmsplice()\` has put ${held === 1 ? 'it' : 'them'}.`,
      '`alloc_contig_range()` is called for the range, once.',
      '',
      'By how much does `pgmigrate_success` grow?',
    ].join('\n'),
    kind: 'number',
    read: 'Dropped, or written first',
    answer: String(run(kernel, pages)),
    wrong: [
      {
        rule: 'ex-clean-counted',
        answer: String(anonymous - held + clean + dirty),
        text: 'clean pages of files do not move: they are dropped, and read again by who wants them',
      },
      {
        rule: 'ex-held-counted',
        answer: String(anonymous + dirty),
        text: 'a page in a pipe has a reference that cannot be explained, and stays where it is',
      },
      {
        rule: 'ex-dirty-not-counted',
        answer: String(anonymous - held),
        text: 'a dirty page cannot be dropped, and this file system can move it as it is',
      },
      {
        rule: 'ex-all-or-nothing',
        answer: '0',
        text: 'the range is not taken, but what has moved has moved, and is not carried back',
      },
    ],
  }
}

function run(kernel: KernelVersion, { anonymous, held, clean, dirty }: Pages): number {
  const picture = `C ${'.'.repeat(64)} M ${'#'.repeat(64)} U ${'.'.repeat(64)}`
  const vm = picturedVm(picture, { kernel, maxOrder: 6 })
  const program = startProgram(vm, 'program', anonymous)
  cacheFile(vm, 'film', clean, false)
  cacheFile(vm, 'notes', dirty, true)
  for (let page = 0; page < held; page++) get_page(vm, programPfn(vm, program, page)!)
  alloc_contig_range(vm, 0, 64, vm.pgdat.migrate.CMA, GFP_KERNEL)
  return vm.pgdat.vm_event.pgmigrate_success
}
