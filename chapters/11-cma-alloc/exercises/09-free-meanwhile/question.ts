// SPDX-License-Identifier: MIT
//
// NR_FREE_CMA_PAGES while a range is isolated, read when alloc_contig_range() is about to move pages.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc_write } from 'contiguous/mm/cma_debug'
import { NR_FREE_CMA_PAGES } from 'contiguous/mm/mmzone'
import { parseDts } from 'contiguous/of/dts_parser'

const BOARD = (mib: number) => `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		video@50000000 { compatible = "shared-dma-pool"; reusable; reg = <0x0 0x50000000 0x0 0x${MiB(mib).toString(16)}>; };
	};
};`

export function ask(rng: Rng): Question {
  const mib = oneOf(rng, [16, 24, 32, 40])
  const [first, second] = [10 + rng.next(700), 10 + rng.next(1200)] as const
  const { meanwhile, block } = counted(mib, first, second)
  const all = mib * 256
  return {
    text: [
      `An area of ${mib} MiB is the only one of the board, its pageblocks have ${block} pages, and nobody has taken anything from it.`,
      `Through debugfs ${first} pages are taken, then ${second}.`,
      'How many free pages of CMA does the kernel count while it moves pages for the second allocation, on 6.1 or 6.12?',
    ].join('\n'),
    kind: 'number',
    read: 'Nobody gets in',
    answer: String(meanwhile),
    wrong: [
      {
        rule: 'ex-still-counted',
        answer: String(all - first),
        text: 'what is free in an isolated pageblock is free for nobody, and is not counted',
      },
      {
        rule: 'ex-range-alone',
        answer: String(all - first - second),
        text: 'isolation is by whole pageblocks: what is free beside the range in its first and last block is not counted either',
      },
      {
        rule: 'ex-blocks-from-zero',
        answer: String(all - Math.ceil(second / block) * block),
        text: 'the second allocation begins where the first one ends, and touches other pageblocks than one at bit 0 would',
      },
      {
        rule: 'ex-taken-counted-twice',
        answer: String(meanwhile - first),
        text: 'pages that are taken already are not free, so isolating their pageblock takes them from no count',
      },
    ],
  }
}

function counted(mib: number, first: number, second: number): { meanwhile: number; block: number } {
  const { tree } = parseDts(BOARD(mib), 'board.dts')
  const system = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const { vm, pgdat } = system
  const area = system.cma.find(({ name }) => name.startsWith('video'))!
  const free = () => pgdat.zones.reduce((sum, zone) => sum + zone.vm_stat[NR_FREE_CMA_PAGES]!, 0)
  cma_alloc_write(vm, area, first)
  let meanwhile = 0
  const steps: string[] = []
  steps.push = (...names) => {
    if (names.includes('__alloc_contig_migrate_range')) meanwhile = free()
    return 0
  }
  vm.steps = steps
  cma_alloc_write(vm, area, second)
  delete vm.steps
  return { meanwhile, block: 2 ** pgdat.pageblock_order }
}
