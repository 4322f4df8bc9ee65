// SPDX-License-Identifier: MIT
//
// A CMA allocation of 8,192 pages every one of which is in use by a program: isolation, targets, copies of 32 MiB, page
// tables, freeing and taking, against a twin in C that does the same.
import { createCpu } from '../../code/arch/cpu.ts'
import { GEOMETRIES, setPte, walk } from '../../code/arch/pgtable.ts'
import { pte_pfn } from '../../code/arch/pgtable_pte.ts'
import { createRam, fillBytes, readInto, writeBytes } from '../../code/arch/ram.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import { cma_init_reserved_areas } from '../../code/mm/cma_activate.ts'
import { cma_init_reserved_mem, type Cma, type CmaAreas } from '../../code/mm/cma_declare.ts'
import { __GFP_NOWARN, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { createMemblock, memblock_add, memblock_reserve } from '../../code/mm/memblock.ts'
import { handle_mm_fault } from '../../code/mm/memory_fault.ts'
import { createPgdat, memblock_free_all } from '../../code/mm/mm_init.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { FAULT_FLAG_WRITE } from '../../code/mm/vm_fault.ts'
import { createVm, type MmStruct, type Vm } from '../../code/mm/vm.ts'
import { type BenchResult, type BenchSkip, cpuNanoseconds } from './measure.ts'
import { againstTwin, type Turn, withTwin } from './twin.ts'

const PAGES = 8192
const PAGE = 4096
const RAM_BASE = 0x4000_0000
const WORDS = PAGE / 4

interface Machine {
  readonly vm: Vm
  readonly cma: Cma
}

// As the twin boots: five parts of RAM, the last of them the area.
function machine(): Machine {
  const memblock = createMemblock()
  const base = RAM_BASE + 4 * PAGES * PAGE
  const end = base + PAGES * PAGE
  memblock_add(memblock, RAM_BASE, end - RAM_BASE)
  memblock_reserve(memblock, base, PAGES * PAGE)
  const log = new Printk()
  const trace = createTrace()
  const kernel = '6.12.117'
  const areas: CmaAreas = {
    ...{ kernel, memblock, log, minAlignment: 512 * PAGE, maxAreas: 8, highmemStart: end, areas: [] },
  }
  const cma = cma_init_reserved_mem(areas, base, PAGES * PAGE, 0, 'reserved') as Cma
  const zones = [{ name: 'Normal', end }] as const
  const pgdat = createPgdat({
    ...{ kernel, arch: 'arm64', memblock, zones, maxOrder: 10, pageblock_order: 9, log, trace },
  })
  memblock_free_all(pgdat, memblock)
  const cpu = createCpu({ ram: createRam(), arch: 'arm64' })
  const vm = createVm({ pgdat, cpu, log, trace, geometry: GEOMETRIES['arm64-4k-48'] })
  cma_init_reserved_areas(vm, areas)
  // All of RAM exists before it is measured, as the twin's does.
  fillBytes(cpu.ram, RAM_BASE, end - RAM_BASE, 1)
  return { vm, cma }
}

// A program whose every page lies in the area, and says who it is.
function fillArea({ vm }: Machine): { mm: MmStruct; va: number } {
  const { pgdat } = vm
  const mm = createProcess(vm, 'prog')
  const flags = MAP_PRIVATE | MAP_ANONYMOUS
  const va = do_mmap(vm, mm, { len: PAGES * PAGE, prot: PROT_READ | PROT_WRITE, flags })
  // The page tables first; then whatever is not of the area is taken for a while.
  for (let page = 0; page < PAGES; page++) setPte(mm.pgd, va + page * PAGE, 0n)
  const taken: [Pfn, number][] = []
  for (let order = pgdat.maxOrder; order >= 0; order--) {
    for (let pfn; (pfn = __alloc_pages(pgdat, GFP_KERNEL | __GFP_NOWARN, order)) !== null;) {
      taken.push([pfn, order])
    }
  }
  const words = new Uint32Array(WORDS)
  for (let page = 0; page < PAGES; page++) {
    handle_mm_fault(vm, mm.mmap[0]!, va + page * PAGE, FAULT_FLAG_WRITE)
    for (let word = 0; word < WORDS; word++) words[word] = page * WORDS + word
    const pfn = pte_pfn(vm.geometry, walk(mm.pgd, va + page * PAGE)!.pte)
    writeBytes(vm.cpu.ram, pfn * PAGE, new Uint8Array(words.buffer))
  }
  for (const [pfn, order] of taken) __free_pages(pgdat, pfn, order)
  return { mm, va }
}

// What the program finds in its memory, added up; no page of it may lie in the area.
function sumOf({ vm, cma }: Machine, mm: MmStruct, va: number): number {
  let sum = 0
  // One buffer for all pages: garbage of this loop would be collected while the next allocation is timed.
  const words = new Uint32Array(WORDS)
  const bytes = new Uint8Array(words.buffer)
  for (let page = 0; page < PAGES; page++) {
    const pfn = pte_pfn(vm.geometry, walk(mm.pgd, va + page * PAGE)!.pte)
    if (pfn >= cma.base_pfn) throw new Error(`bench: page ${page} of the program is still in the area`)
    readInto(vm.cpu.ram, pfn * PAGE, bytes)
    for (let word = 0; word < WORDS; word++) sum += words[word]!
  }
  return sum
}

function oneRound(of: Machine): Turn {
  const { vm, cma } = of
  const { mm, va } = fillArea(of)
  const began = cpuNanoseconds()
  const pfn = cma_alloc(vm, cma, PAGES, 0, false)
  const ns = cpuNanoseconds() - began
  if (pfn === null) throw new Error(`bench: the area was not given: ${vm.log.lines.at(-1)}`)
  const sum = sumOf(of, mm, va)
  exit_mmap(vm, mm)
  cma_release(vm, cma, pfn, PAGES)
  return { ns, sum }
}

export function cmaBench(): BenchResult | BenchSkip {
  return withTwin('migrate', (run) => {
    const ours = machine()
    const turns = againstTwin(
      9,
      PAGES,
      // The second round is the one that counts, as in the twin. Before, a process was forked for the twin, and the system
      // copies each page of ours when it is written next: that is not the model's time.
      () => (oneRound(ours), oneRound(ours)),
      () => run(PAGES),
    )
    return {
      what: 'a page moved out of a CMA allocation of 8,192, against a twin in C at -O2',
      limit: 3,
      limitedBy:
        'copying, two thirds of the time: 800 ns a page against 370, for between two copies the model touches more memory ' +
        'than the twin (a loop of copies in C slows down likewise once it touches 20 other lines between two)',
      ...turns,
    }
  })
}
