// SPDX-License-Identifier: MIT
//
// How many frames a pool holds. The model allocates until there is no more.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { get_order, KiB, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode } from 'contiguous/of/tree'

const PAGE = KiB(4)
const SCREENS = [
  [800, 480],
  [1024, 600],
  [1280, 1024],
  [720, 576],
] as const

export function ask(rng: Rng): Question {
  const [width, height] = oneOf(rng, SCREENS)
  const frame = width * height * 4
  const block = PAGE * 2 ** get_order(frame, PAGE)
  const pool = block * (3 + rng.next(5)) + MiB(1) * (1 + rng.next(Math.max(1, block / MiB(1) - 1)))
  return {
    text: textOf(width, height, pool),
    kind: 'number',
    read: 'A bitmap with a rule',
    answer: String(count(frame, pool)),
    wrong: [
      {
        rule: 'ex-exact-pages',
        answer: String(Math.floor(pool / (Math.ceil(frame / PAGE) * PAGE))),
        text: 'so many would fit if a frame took its own pages; it takes a power of two of them',
      },
      {
        rule: 'ex-last-block-cut',
        answer: String(Math.ceil(pool / block)),
        text: 'the last of these reaches beyond the pool; a block has to lie in it whole',
      },
    ],
  }
}

function count(frame: number, pool: number): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		frames: pool@50000000 { compatible = "shared-dma-pool"; no-map; reg = <0x0 0x50000000 0x0 ${hex(pool)}>; };
	};
	display { memory-region = <&frames>; };
};`
  const tree = parseDts(source, 'board.dts').tree!
  const { machine, dma } = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const display = createDevice('display', findNode(tree, '/display'))
  of_reserved_mem_device_init(machine.reserved_mem, display)
  let frames = 0
  while (dma_alloc_coherent(dma, display, frame, GFP_KERNEL)) frames++
  return frames
}

function textOf(width: number, height: number, pool: number): string {
  return [
    `A display of ${width} × ${height} pixels, four bytes each, has a pool of ${pool / MiB(1)} MiB at 0x50000000.`,
    'Pages have 4 KiB.',
    'Its driver calls `dma_alloc_coherent()` for one frame after another.',
    '',
    'How many does it get?',
  ].join('\n')
}
