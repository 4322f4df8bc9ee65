// SPDX-License-Identifier: MIT
//
// Slots of the bounce buffer that three mappings take together. The model maps them on a board whose card reaches half of
// RAM, and counts what is used; the mistakes count bytes or pages.
import type { Question, Rng } from 'contiguous/exercise/question'
import { oneOf } from 'contiguous/exercise/question'
import { DMA_TO_DEVICE } from 'contiguous/arch/dma_direction'
import { DMA_BIT_MASK } from 'contiguous/dma/dma_address'
import { dma_map_page, dma_mapping_error } from 'contiguous/dma/map'
import { mem_used } from 'contiguous/dma/swiotlb_pool'
import { startSystem } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

/** Where the three buffers lie: all of them above what the card reaches, each at an offset in its page. */
const FIRST = 0x88000
const APART = 0x100

export function ask(rng: Rng): Question {
  const small = oneOf(rng, [1, 64, 100, 1500])
  const middle = oneOf(rng, [2049, 3000, 5000, 6145, 9001])
  const large = oneOf(rng, [262144, 262145, 300000])
  const offset = oneOf(rng, [0x234, 0x7f0, 0x800, 0xf81])
  const sizes = [small, middle, large]
  const { used, refused } = map(sizes, offset)
  return {
    text: textOf(sizes, offset),
    kind: 'number',
    read: 'Of what it was full',
    answer: String(used),
    wrong: [
      {
        rule: 'ex-bytes-together',
        answer: String(Math.ceil((small + middle + large) / 2048)),
        text: 'the bytes of all mappings were added up; each of them begins in a slot of its own',
      },
      {
        rule: 'ex-pages',
        answer: String(sizes.reduce((sum, size) => sum + Math.ceil(size / 4096), 0)),
        text: 'those are pages; a slot is smaller than a page',
      },
      {
        rule: 'ex-limit',
        answer: String(
          refused
            ? sizes.reduce((sum, size) => sum + Math.ceil(size / 2048), 0)
            : map([small, middle], offset).used,
        ),
        text: 'the largest of the three lies close to what one mapping may have; on which side?',
      },
    ],
  }
}

// How many slots are taken when every mapping was tried.
function map(sizes: readonly number[], offset: number): { used: number; refused: boolean } {
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
      memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x60000000>; }; };`,
    'board.dts',
  )
  const { dma } = startSystem({
    tree: tree!,
    kernel: '6.12.117',
    arch: 'arm64',
    image: null,
    cmdline: 'cma=0',
    hardware: { dmaRangesLast: 0x7fff_ffff },
  })
  const card = createDevice('card', null)
  card.dma_coherent = true
  card.dma_mask = DMA_BIT_MASK(31)
  const errors = sizes.map((size, i) => {
    const handle = dma_map_page(dma, card, FIRST + i * APART, offset, size, DMA_TO_DEVICE)
    return dma_mapping_error(dma, card, handle)
  })
  return { used: mem_used(dma.swiotlb), refused: errors.some((error) => error !== 0) }
}

function textOf(sizes: readonly number[], offset: number): string {
  return [
    'A card with 31 address lines sits on an arm64 board with RAM from 0x40000000 to 0x9fffffff, of which its bus reaches the part below 2 GiB.',
    '6.12 runs there with a bounce buffer of 64 MiB that nobody uses.',
    '',
    'Its driver makes three mappings and keeps those that succeed:',
    '',
    '```c',
    ...sizes.map((size, i) => {
      const page = (FIRST + i * APART).toString(16)
      return `${'abc'[i]} = dma_map_page(dev, pfn_to_page(0x${page}), 0x${offset.toString(16)}, ${size}, DMA_TO_DEVICE);`
    }),
    '```',
    '',
    'How many slots are in use then, as `/sys/kernel/debug/swiotlb/io_tlb_used` counts them?',
  ].join('\n')
}
