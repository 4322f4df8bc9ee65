// SPDX-License-Identifier: MIT
//
// How many page tables a process has that maps one buffer at an address of its choice and nothing else.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { createPgtable, GEOMETRIES, setPte } from 'contiguous/arch/pgtable'
import { vm_get_page_prot } from 'contiguous/arch/pgtable_prot'
import { pfn_pte } from 'contiguous/arch/pgtable_pte'
import { createRam } from 'contiguous/arch/ram'
import { MiB } from 'contiguous/lib/units'
import { VM_READ, VM_SHARED } from 'contiguous/mm/mmap_flags'

const PAGE = 4096
const NAMES = ['arm64-4k-48', 'arm64-4k-39'] as const

export function ask(rng: Rng): Question {
  const name = oneOf(rng, NAMES)
  const size = MiB(oneOf(rng, [6, 10, 14, 18, 22, 30, 34]))
  // Across a border of 1 GiB or not, and in the midst of 2 MiB.
  const crosses = rng.next(2) === 0
  const into = PAGE * (1 + rng.next(510))
  const start = 0x40_0000_0000 + 2 ** 30 * (1 + rng.next(60)) + (crosses ? -MiB(4) : MiB(64)) + into
  const vaBits = GEOMETRIES[name].vaBits
  const answer = tables(name, start, size)
  const full = size / MiB(2)
  const above = GEOMETRIES[name].levels.length - 1
  return {
    text: [
      `A process on an arm64 kernel with pages of 4 KiB and addresses of ${vaBits} bits has one mapping and nothing else:`,
      '',
      `${size / MiB(1)} MiB at ${hex(start)}, every page of it in the page table.`,
      '',
      'How many page tables does it have, from the root to the tables of ptes, all together?',
    ].join('\n'),
    kind: 'number',
    read: 'From a pointer to a frame',
    answer: String(answer),
    wrong: [
      {
        rule: 'ex-only-ptes',
        answer: String(full + 1),
        text: 'those are the tables of ptes; something has to lead to them',
      },
      {
        rule: 'ex-begins-at-two-mib',
        answer: String(answer - 1),
        text: 'the mapping begins in the midst of 2 MiB, so it touches a table more than it could fill',
      },
      {
        rule: 'ex-a-level-too-many',
        answer: String(answer + 1),
        text: 'count the levels again: 12 bits are the byte, and nine for each level',
      },
      {
        rule: 'ex-a-table-a-page',
        answer: String(size / PAGE + above),
        text: 'a table of ptes has 512 entries, not one',
      },
    ],
  }
}

// The model makes the tables and counts them.
function tables(name: (typeof NAMES)[number], start: number, size: number): number {
  let next = 0x4000_0000
  const pgt = createPgtable({
    geometry: GEOMETRIES[name],
    ram: createRam(),
    allocTable: () => (next += PAGE),
    freeTable: () => undefined,
  })
  const prot = vm_get_page_prot('arm64', VM_READ | VM_SHARED)
  for (let at = 0; at < size; at += PAGE) setPte(pgt, start + at, pfn_pte(pgt.geometry, 0x50000 + at / PAGE, prot))
  return pgt.tables
}
