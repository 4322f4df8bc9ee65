// SPDX-License-Identifier: MIT
//
// The reference count of an isolated page of a file: the cache, mappings, plain references, pins, and the isolation itself.
import type { Question, Rng } from 'contiguous/exercise/question'
import { cacheFile, picturedVm } from 'contiguous/machine/pictured_vm'
import { pin_user_pages } from 'contiguous/mm/gup'
import { folio_isolate_lru, get_page } from 'contiguous/mm/lru'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ } from 'contiguous/mm/mmap_flags'
import { userRead } from 'contiguous/mm/uaccess'

const PIN = 1024

export function ask(rng: Rng): Question {
  const programs = 2 + rng.next(4)
  const references = 1 + rng.next(5)
  const pins = 1 + rng.next(4)
  const found = countOf(programs, references, pins)
  return {
    text: [
      'A page of a file is in the page cache of a board with 6.12.',
      `${programs} programs have mapped the file, \`MAP_SHARED\`, and have read from the page.`,
      `${references === 1 ? 'One reference was' : `${references} references were`} taken with \`get_page()\`, and ${pins === 1 ? 'one driver has' : `${pins} drivers have`} pinned the page with \`pin_user_pages()\`${pins === 1 ? '' : ', each once'}.`,
      'Now `folio_isolate_lru()` is called for the page, and returns 0.',
      '',
      'What is the reference count of the page, with all of its mappings still there?',
    ].join('\n'),
    kind: 'number',
    read: 'As many references as can be explained',
    answer: String(found),
    wrong: [
      {
        rule: 'ex-one-forgotten',
        answer: String(found - 1),
        text: 'one is missing: besides those who are named, the page cache has the page, and so has whoever isolated it',
      },
      {
        rule: 'ex-pin-is-not-one',
        answer: String(found - pins * (PIN - 1)),
        text: 'a pin does not count as one reference, so that it can be told from others',
      },
      {
        rule: 'ex-mappings-hold',
        answer: String(found - programs),
        text: 'each page table that maps a page holds a reference of its own',
      },
    ],
  }
}

function countOf(programs: number, references: number, pins: number): number {
  const vm = picturedVm(`C ${'.'.repeat(64)} M ${'#'.repeat(64)} U ${'.'.repeat(64)}`)
  const { file, cache } = cacheFile(vm, 'film', 1, false)
  const pfn = cache.i_pages.get(0)!
  for (let i = 0; i < programs; i++) {
    const mm = createProcess(vm, 'player')
    const va = do_mmap(vm, mm, { file, len: vm.pgdat.pageSize, prot: PROT_READ, flags: MAP_SHARED })
    userRead(vm, mm, va, 1)
    if (i === 0) for (let pin = 0; pin < pins; pin++) pin_user_pages(vm, mm, va, 1, 0, [])
  }
  for (let i = 0; i < references; i++) get_page(vm, pfn)
  folio_isolate_lru(vm, pfn)
  return vm.pgdat.map.refcount[pfn - vm.pgdat.map.start_pfn]!
}
