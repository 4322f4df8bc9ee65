// SPDX-License-Identifier: MIT
//
// The free parts of an area after allocations and one release through debugfs, as the log shows them when the next one fails.
import type { Question, Rng } from 'contiguous/exercise/question'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc } from 'contiguous/mm/cma'
import { cma_alloc_write, cma_free_write } from 'contiguous/mm/cma_debug'
import { parseDts } from 'contiguous/of/dts_parser'

const AREA = 4096
const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		video@50000000 { compatible = "shared-dma-pool"; reusable; reg = <0x0 0x50000000 0x0 0x1000000>; };
	};
};`

export function ask(rng: Rng): Question {
  const [first, second, third] = [100 + rng.next(400), 500 + rng.next(500), 600 + rng.next(900)] as const
  const back = 50 + rng.next(third - 100)
  const end = first + second + third
  const free = AREA - end + back
  return {
    text: [
      'An area of 16 MiB with the name `video@50000000`, from which nobody has taken anything, on 6.12 with `CONFIG_CMA_DEBUGFS`:',
      '',
      '```console',
      '# cd /sys/kernel/debug/cma/video@50000000',
      ...[first, second, third].map((pages) => `# echo ${pages} > alloc`),
      `# echo ${back} > free`,
      `# echo ${AREA} > alloc`,
      '```',
      '',
      'The last one fails, and two lines are printed. What is the second, from `number of available pages` on?',
    ].join('\n'),
    kind: 'line',
    read: 'What the failure says',
    answer: lineOf([first, second, third], back),
    wrong: [
      {
        rule: 'ex-part-from-the-end',
        answer: `number of available pages: ${free}@${end - back}=> ${free} free of ${AREA} total pages`,
        text: 'a part of an allocation is given back from its start, so there are two free parts',
      },
      {
        rule: 'ex-oldest-first',
        answer: oldest(first, second, third, back),
        text: 'free begins with the newest allocation, not with the oldest',
      },
      {
        rule: 'ex-position-first',
        answer: `number of available pages: ${first + second}@${back}+${end}@${AREA - end}=> ${free} free of ${AREA} total pages`,
        text: 'the number in front of the @ is the size, the one behind it the position',
      },
    ],
  }
}

// What would be free if the first allocation were given back first: nobody's model, for it is nobody's kernel.
function oldest(first: number, second: number, third: number, back: number): string {
  const end = first + second + third
  const free = AREA - end + back
  return `number of available pages: ${back}@0+${AREA - end}@${end}=> ${free} free of ${AREA} total pages`
}

function lineOf(sizes: readonly number[], back: number): string {
  const { tree } = parseDts(BOARD, 'board.dts')
  const system = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const area = system.cma.find(({ name }) => name.startsWith('video'))!
  for (const pages of sizes) cma_alloc_write(system.vm, area, pages)
  cma_free_write(system.vm, area, back)
  cma_alloc(system.vm, area, AREA, 0, false)
  return system.printk.lines.find((line) => line.startsWith('cma: number'))!.replace('cma: ', '')
}
