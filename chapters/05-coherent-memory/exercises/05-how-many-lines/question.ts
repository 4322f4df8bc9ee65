// SPDX-License-Identifier: MIT
//
// The narrowest mask that a board accepts. RAM, and the reach of its narrowest bus, are drawn; the model is asked with one
// bit after the other.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { DMA_BIT_MASK } from 'contiguous/dma/dma_address'
import { dma_set_mask_and_coherent } from 'contiguous/dma/mask'
import { MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

/** Where RAM begins, and how many lines the narrowest bus has: always more than the first byte needs. */
const BOARDS = [
  [0x08000000, 29],
  [0x08000000, 30],
  [0x0c000000, 29],
  [0x0c000000, 30],
  [0x10000000, 30],
  [0x18000000, 30],
] as const

const bitsOf = (address: number): number => address.toString(2).length

export function ask(rng: Rng): Question {
  const [base, lines] = oneOf(rng, BOARDS)
  // RAM ends beyond the bus, and below 2 GiB.
  const size = MiB(1024 + 64 * rng.next(8))
  const kernel = oneOf(rng, ['6.1.192', '6.12.117'] as const)
  const source = sourceOf(base, size, 2 ** lines)
  const tree = parseDts(source, 'board.dts').tree!
  const { dma } = startSystem({ tree, kernel, arch: 'arm64', cmdline: 'cma=0', image: null })
  const card = createDevice('card', null)
  let bits = 1
  while (dma_set_mask_and_coherent(dma, card, DMA_BIT_MASK(bits)) !== 0) bits++
  return {
    text: textOf(source, kernel),
    kind: 'number',
    read: 'Why the end of a zone',
    answer: String(bits),
    wrong: [
      {
        rule: 'ex-thirty-two',
        answer: '32',
        text: '32 bits are accepted on every board, and here fewer will do',
      },
      {
        rule: 'ex-end-of-ram',
        answer: String(bitsOf(base + size - 1)),
        text: 'that many reach the end of RAM; the end of ZONE_DMA is enough when it comes first',
      },
      {
        rule: 'ex-first-byte',
        answer: String(bitsOf(base)),
        text: 'that many reach the first byte of RAM; a page of the zone may lie above what they reach',
      },
    ],
  }
}

function sourceOf(base: number, size: number, reach: number): string {
  return `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@${base.toString(16)} {
		device_type = "memory";
		reg = <0x0 ${hex(base)} 0x0 ${hex(size)}>;
	};
	soc {
		#address-cells = <1>;
		#size-cells = <1>;
		dma-ranges = <0x0 0x0 0x0 ${hex(reach)}>;
	};
};`
}

function textOf(source: string, kernel: string): string {
  return [
    `An arm64 board boots Linux ${kernel} with this tree, and nothing else in it moves or limits addresses:`,
    '',
    '```dts',
    ...source.split('\n').slice(1),
    '```',
    '',
    'A PCI card, on a bus of its own that carries every address, tries `dma_set_mask_and_coherent()` with 1 bit, 2 bits, 3 bits …',
    'With how many bits does it get 0 for the first time?',
  ].join('\n')
}
