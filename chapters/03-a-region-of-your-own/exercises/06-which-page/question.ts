// SPDX-License-Identifier: MIT
//
// Which page frame a program touches through a mapping that begins somewhere in the region.
import { hex, type Question, type Rng } from 'contiguous/exercise/question'
import { KiB, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { createDeviceNode, fput, openFile } from 'contiguous/mm/file'
import { vm_iomap_memory } from 'contiguous/mm/memory_remap'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ } from 'contiguous/mm/mmap_flags'
import { pagemap } from 'contiguous/mm/smaps'
import { parseDts } from 'contiguous/of/dts_parser'

const PAGE = KiB(4)
const RAM = 0x40000000

interface Drawn {
  readonly base: number
  /** Pages of the region before the mapping, pages of the mapping, and the byte of it that is touched. */
  readonly pgoff: number
  readonly pages: number
  readonly byte: number
}

export function ask(rng: Rng): Question {
  const pages = 8 + rng.next(24)
  const drawn: Drawn = {
    base: RAM + MiB(32) + MiB(1) * rng.next(16) + PAGE * rng.next(256),
    pgoff: 3 + rng.next(200),
    pages,
    byte: PAGE * (1 + rng.next(pages - 1)) + 8 * rng.next(512),
  }
  const right = frame(drawn)
  return {
    text: textOf(drawn),
    kind: 'hex',
    read: 'Lent as a file',
    answer: hex(right),
    wrong: [
      {
        rule: 'ex-offset-ignored',
        answer: hex(frame({ ...drawn, pgoff: 0 })),
        text: 'the mapping begins at its offset in the file, not at the start of the region',
      },
      {
        rule: 'ex-byte-ignored',
        answer: hex(frame({ ...drawn, byte: 0 })),
        text: 'that is the first page of the mapping; the byte that is touched lies further on',
      },
      {
        rule: 'ex-region-ignored',
        answer: hex(frame(drawn) - (drawn.base - RAM) / PAGE),
        text: 'the file begins where the region does, not where RAM does',
      },
      {
        rule: 'ex-address-not-pfn',
        answer: hex(right * PAGE),
        text: 'that is the address of the page; a page frame number counts pages',
      },
    ],
  }
}

// The model maps the pages and is asked what lies behind the one that is touched.
function frame({ base, pgoff, pages, byte }: Drawn): number {
  const size = MiB(2)
  const { tree } = parseDts(
    `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x4000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		buffer@${base.toString(16)} { no-map; reg = <0x0 ${hex(base)} 0x0 ${hex(size)}>; };
	};
};`,
    'board.dts',
  )
  const { vm } = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const node = createDeviceNode('/dev/reserved-memremap', {
    mmap: (vm, _file, vma) => vm_iomap_memory(vm, vma, base, size),
  })
  const mm = createProcess(vm, 'reader')
  const file = openFile(vm, node)
  do_mmap(vm, mm, { len: pages * PAGE, prot: PROT_READ, flags: MAP_SHARED, file, pgoff })
  fput(vm, file)
  return pagemap(vm, mm)[Math.floor(byte / PAGE)]?.pfn ?? 0
}

function textOf({ base, pgoff, pages, byte }: Drawn): string {
  return [
    `The region of \`/dev/reserved-memremap\` is 2 MiB at ${hex(base)}; pages have 4 KiB.`,
    'A program maps a part of it and reads one word:',
    '',
    '```c',
    `words = mmap(NULL, ${pages * PAGE}, PROT_READ, MAP_SHARED, fd, ${hex(pgoff * PAGE)});`,
    `value = words[${hex(byte / 8)}];	/* of 64 bits each */`,
    '```',
    '',
    'What is the page frame number of the page that it reads?',
  ].join('\n')
}
