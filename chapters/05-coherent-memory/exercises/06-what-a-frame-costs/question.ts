// SPDX-License-Identifier: MIT
//
// What a frame costs without a CMA area, more than with one: the same call on two modelled machines, and the free pages
// before and after.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { NR_FREE_PAGES } from 'contiguous/mm/mmzone'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`

export function ask(rng: Rng): Question {
  const width = oneOf(rng, [638, 702, 718, 766, 798, 854, 926, 958])
  const height = oneOf(rng, [350, 394, 434, 470, 486, 542])
  const bytes = oneOf(rng, [2, 4])
  const size = width * height * bytes
  const exact = cost(size, 'cma=16M')
  const block = cost(size, 'cma=0')
  return {
    text: [
      'An arm64 board with 512 MiB of RAM runs 6.12.',
      `Its display, which does not ask the caches, allocates one frame with \`dma_alloc_coherent()\`: ${width} × ${height} pixels of ${bytes} bytes.`,
      'It does so once with `cma=16M` on the command line, and once with `cma=0`.',
      '',
      'How many more pages of 4 KiB are gone from free memory in the second case?',
    ].join('\n'),
    kind: 'number',
    read: 'Who serves',
    answer: String(block - exact),
    wrong: [
      {
        rule: 'ex-costs-the-same',
        answer: '0',
        text: 'the two do not cost the same: one of them gives powers of two only, and keeps what is too much',
      },
      {
        rule: 'ex-whole-block',
        answer: String(block),
        text: 'that is what the block costs; asked is how much more that is than in CMA',
      },
      {
        rule: 'ex-page-not-rounded',
        answer: String(block - Math.floor(size / 4096)),
        text: 'the frame ends in the middle of a page, and that page is taken as well',
      },
    ],
  }
}

// Pages that a coherent buffer of `size` bytes takes out of free memory.
function cost(size: number, cmdline: string): number {
  const tree = parseDts(BOARD, 'board.dts').tree!
  const { dma, pgdat } = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline, image: null })
  const free = (): number => pgdat.zones.reduce((sum, zone) => sum + zone.vm_stat[NR_FREE_PAGES]!, 0)
  const before = free()
  dma_alloc_coherent(dma, createDevice('display', null), size, GFP_KERNEL)
  return before - free()
}
