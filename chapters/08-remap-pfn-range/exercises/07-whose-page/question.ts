// SPDX-License-Identifier: MIT
//
// Programs allocate from the driver of 2014, one maps: which page frame does it get? The model of the driver answers.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { encodeStruct, layoutOf } from 'contiguous/lib/c_layout'
import { createMisc, MISC_DYNAMIC_MINOR, misc_open, misc_register } from 'contiguous/machine/misc'
import {
  loadSeedCmaMem,
  SEED_CMEM_ALLOCATE,
  SEED_PROGRAM_INFO,
  seedCmaMemFops,
  seedCmaMemIoctl,
} from 'contiguous/machine/seed_cma_mem'
import { startSystem } from 'contiguous/machine/system'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { createProcess } from 'contiguous/mm/mm_struct'
import { pagemap } from 'contiguous/mm/smaps'
import { userWrite } from 'contiguous/mm/uaccess'
import type { File } from 'contiguous/mm/vm'
import { parseDts } from 'contiguous/of/dts_parser'

const PAGE = 4096
const NAMES = ['viewer', 'recorder', 'printer'] as const

export function ask(rng: Rng): Question {
  const ram = oneOf(rng, [0x20000000, 0x40000000])
  const pages = NAMES.map(() => 2 + rng.next(14))
  const who = rng.next(2)
  const last = 1 + rng.next(2)
  // Most go round the end of 32 bits.
  const offset = rng.next(3) === 0 ? 1 + rng.next(200) : 0x100000 - 1 - rng.next(12)
  const programs = NAMES.slice(0, last + 1).map((name, i) => ({ name, pages: pages[i]! }))
  const asker = Math.min(who, last - 1)
  const { pfns, got } = run(ram, programs, asker, offset)
  const own = pfns[asker]!
  const newest = pfns[last]!
  return {
    text: textOf(ram, programs, pfns, asker, offset),
    kind: 'hex',
    read: 'What everybody shared',
    answer: hex(got),
    wrong: [
      {
        rule: 'ex-own-buffer',
        answer: hex(run(ram, programs.slice(0, asker + 1), asker, offset).got),
        text: 'that would count from the program’s own buffer; the driver remembers one buffer for everybody',
      },
      {
        rule: 'ex-offset-ignored',
        answer: hex(newest),
        text: 'the offset of the mapping is added to the address of the buffer',
      },
      {
        rule: 'ex-no-wrap',
        answer: hex(newest + offset),
        text: 'no such page exists on this machine: an address has 32 bits, and the sum goes round',
      },
      {
        rule: 'ex-first-buffer',
        answer: hex(own === pfns[0] ? pfns[0]! : pfns[0]! + offset),
        text: 'the first buffer plays no part any more: the driver keeps the newest',
      },
    ],
  }
}

interface Program {
  readonly name: string
  readonly pages: number
}

/** All allocate, in their order; then number `asker` maps a page at `offset`. */
function run(ram: number, programs: readonly Program[], asker: number, offset: number) {
  const source = `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
	memory { device_type = "memory"; reg = <0x0 ${hex(ram)} 0x0 0x10000000>; }; };`
  const { tree } = parseDts(source, 'board.dts')
  const { vm, dma } = startSystem({ tree: tree!, kernel: '3.9', arch: 'arm', cmdline: 'cma=16M' })
  const driver = loadSeedCmaMem(dma)
  const misc = createMisc('3.9')
  const device = { minor: MISC_DYNAMIC_MINOR, name: 'cma_mem', fops: seedCmaMemFops(driver) }
  misc_register(misc, device)
  const started = programs.map(({ name, pages }) => {
    const mm = createProcess(vm, name)
    const rw = PROT_READ | PROT_WRITE
    const arg = do_mmap(vm, mm, { len: PAGE, prot: rw, flags: MAP_PRIVATE | MAP_ANONYMOUS })
    const file = misc_open(misc, vm, device.minor) as File
    userWrite(vm, mm, arg, encodeStruct(layoutOf(SEED_PROGRAM_INFO, 'ILP32'), { len: pages * PAGE }))
    seedCmaMemIoctl(driver, mm, SEED_CMEM_ALLOCATE, arg)
    return { mm, file, pfn: driver.phy_base / PAGE }
  })
  const { mm, file } = started[asker]!
  const request = { len: PAGE, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED, file, pgoff: offset }
  const at = do_mmap(vm, mm, request)
  const got = pagemap(vm, mm).find(({ va }) => va === at)!.pfn!
  return { pfns: started.map(({ pfn }) => pfn), got }
}

function textOf(ram: number, programs: readonly Program[], pfns: readonly number[], asker: number, offset: number): string {
  return [
    `A 32-bit board with 256 MiB of RAM from ${hex(ram)} on runs 3.9 and the driver of 2014.`,
    'Each program opens the device and allocates, in this order:',
    '',
    '| program | pages | first pfn |',
    '| --- | --- | --- |',
    ...programs.map(({ name, pages }, i) => `| ${name} | ${pages} | ${hex(pfns[i]!)} |`),
    '',
    `Then the ${programs[asker]!.name} maps a single page at offset ${hex(offset)}, in pages.`,
    'Which page frame does it get?',
  ].join('\n')
}
