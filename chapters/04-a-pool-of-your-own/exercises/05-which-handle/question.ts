// SPDX-License-Identifier: MIT
//
// Which DMA address the third of three buffers of a pool gets. Drawn so that the first leaves a gap.
import { hex, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { get_order, KiB, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode } from 'contiguous/of/tree'

const PAGE = KiB(4)

export function ask(rng: Rng): Question {
  const base = 0x48000000 + MiB(16) * rng.next(16)
  const first = 1 + rng.next(3)
  const second = 5 + rng.next(20)
  const third = 1 + rng.next(6)
  const sizes = [first, second, third].map((pages) => pages * PAGE - 8 * rng.next(256))
  const block = (size: number): number => PAGE * 2 ** get_order(size, PAGE)
  const whole = (size: number): number => Math.ceil(size / PAGE) * PAGE
  const endOf = (length: (size: number) => number): number =>
    sizes.slice(0, 2).reduce((sum, size) => sum + length(size), base)
  return {
    text: textOf(base, sizes),
    kind: 'hex',
    read: 'A bitmap with a rule',
    answer: hex(allocate(base, sizes)),
    wrong: [
      {
        rule: 'ex-exact-pages',
        answer: hex(endOf(whole)),
        text: 'that is where the third begins if each buffer takes the pages that it asks for, one behind the other',
      },
      {
        rule: 'ex-blocks-end-to-end',
        answer: hex(endOf(block)),
        text: 'that is where the third begins if blocks lie end to end; each begins at a multiple of its own length',
      },
      {
        rule: 'ex-gap-not-used',
        answer: hex(allocate(base, [sizes[1]!, sizes[2]!]) + block(sizes[1]!)),
        text: 'behind the second there is room, and a lower place is free',
      },
    ],
  }
}

function allocate(base: number, sizes: readonly number[]): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		frames: pool@${base.toString(16)} {
			compatible = "shared-dma-pool";
			no-map;
			reg = <0x0 ${hex(base)} 0x0 ${hex(MiB(1))}>;
		};
	};
	display { memory-region = <&frames>; };
};`
  const tree = parseDts(source, 'board.dts').tree!
  const { machine, dma } = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const display = createDevice('display', findNode(tree, '/display'))
  of_reserved_mem_device_init(machine.reserved_mem, display)
  const handles = sizes.map((size) => dma_alloc_coherent(dma, display, size, GFP_KERNEL)!.dma_handle)
  return handles.at(-1)!
}

function textOf(base: number, sizes: readonly number[]): string {
  return [
    `A display has a pool of 1 MiB at ${hex(base)}, attached and empty; the bus counts like RAM, pages have 4 KiB.`,
    'Its driver allocates',
    '',
    '```c',
    ...sizes.map((size, i) => `cpu[${i}] = dma_alloc_coherent(dev, ${size}, &dma[${i}], GFP_KERNEL);`),
    '```',
    '',
    'What is in `dma[2]`?',
  ].join('\n')
}
