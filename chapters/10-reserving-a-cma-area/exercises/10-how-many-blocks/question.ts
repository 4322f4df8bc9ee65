// SPDX-License-Identifier: MIT
//
// How many pageblocks init_cma_reserved_pageblock() has marked, for a size on the command line and a size of pageblock.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { procPagetypeinfo } from 'contiguous/machine/proc_buddyinfo'
import { startSystem } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'

const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`

export function ask(rng: Rng): Question {
  // The order of a pageblock: with huge pages of 2 MiB, and without, where it is the largest block of 6.1.
  const order = oneOf(rng, [9, 10])
  const block = 2 ** order / 256
  const size = block * (1 + rng.next(20)) + 1 + rng.next(block - 1)
  return {
    text: [
      `A kernel 6.1 whose pageblocks have order ${order}, with pages of 4 KiB, boots with \`cma=${size}M\` on a board that has no other area.`,
      'How many pageblocks of type CMA does `/proc/pagetypeinfo` count?',
    ].join('\n'),
    kind: 'number',
    read: 'Given away',
    answer: String(blocksOf(order, size)),
    wrong: [
      {
        rule: 'ex-block-cut-off',
        answer: String(Math.floor(size / block)),
        text: 'the last block counts whole: the size of an area is rounded up to pageblocks',
      },
      {
        rule: 'ex-blocks-of-mebibytes',
        answer: String(size),
        text: 'a pageblock is larger than a mebibyte: it has two to the power of its order pages',
      },
      {
        rule: 'ex-pages-for-blocks',
        answer: String(size * 256),
        text: 'that is the number of pages; the type is kept for a pageblock, and marked once in it',
      },
    ],
  }
}

function blocksOf(order: number, size: number): number {
  const { tree } = parseDts(BOARD, 'board.dts')
  const config = { pageblockOrder: order, cmaAlignment: MiB(2 ** order / 256) }
  const system = startSystem({
    tree: tree!,
    kernel: '6.1.192',
    arch: 'arm64',
    cmdline: `cma=${size}M`,
    config,
  })
  const lines = procPagetypeinfo(system.pgdat).split('\n')
  const from = lines.findIndex((line) => line.startsWith('Number of blocks'))
  const column = lines[from]!.trim().split(/\s+/).indexOf('CMA') - 'Number of blocks type'.split(' ').length
  const numbers = /zone +\w+ +(.*)$/
    .exec(lines[from + 1]!)![1]!
    .trim()
    .split(/\s+/)
  return Number(numbers[column])
}
