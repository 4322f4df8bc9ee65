// SPDX-License-Identifier: MIT
//
// How many pages have PG_dcache_clean after a transfer on 32-bit ARM. The model maps and unmaps on a machine and the flags
// are counted there; the mistakes are the same transfer on another kernel or in another direction.
import type { Question, Rng } from 'contiguous/exercise/question'
import { oneOf } from 'contiguous/exercise/question'
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  type DmaDirection,
} from 'contiguous/arch/dma_direction'
import { dma_map_page, dma_unmap_page } from 'contiguous/dma/map'
import { startSystem } from 'contiguous/machine/system'
import { PG_dcache_clean } from 'contiguous/mm/mmzone'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const DIRECTIONS: readonly [string, DmaDirection][] = [
  ['DMA_TO_DEVICE', DMA_TO_DEVICE],
  ['DMA_FROM_DEVICE', DMA_FROM_DEVICE],
  ['DMA_FROM_DEVICE', DMA_FROM_DEVICE],
  ['DMA_BIDIRECTIONAL', DMA_BIDIRECTIONAL],
  ['DMA_BIDIRECTIONAL', DMA_BIDIRECTIONAL],
]
const KERNELS = { '3.9': '3.9', '4.12': '4.12.4', '6.12': '6.12.117' } as const

interface Transfer {
  readonly kernel: keyof typeof KERNELS
  readonly offset: number
  readonly size: number
  readonly dir: DmaDirection
}

/** Eight pages by themselves. */
const FIRST = 0x48000
const PAGES = 8

export function ask(rng: Rng): Question {
  const kernel = oneOf(rng, ['3.9', '4.12', '6.12'] as const)
  const offset = oneOf(rng, [0, 0x800, 0x40, 0x1000])
  const size = 0x1000 * (2 + rng.next(4)) + oneOf(rng, [0, 0x400, 0x800, 0xfff])
  const [dirName, dir] = oneOf(rng, DIRECTIONS)
  const transfer: Transfer = { kernel, offset, size, dir }
  return {
    text: textOf(transfer, dirName),
    kind: 'number',
    read: 'A page that needs no flush',
    answer: String(marked(transfer)),
    wrong: [
      {
        rule: 'ex-other-kernel',
        answer: String(marked({ ...transfer, kernel: kernel === '3.9' ? '4.12' : '3.9' })),
        text: 'another kernel would have marked so many; how did this one count?',
      },
      {
        rule: 'ex-touched-pages',
        answer: String(Math.floor((offset + size - 1) / 4096) - Math.floor(offset / 4096) + 1),
        text: 'so many pages have some of their bytes in the buffer',
      },
      {
        rule: 'ex-direction',
        answer: String(marked({ ...transfer, dir: dir === DMA_TO_DEVICE ? DMA_FROM_DEVICE : DMA_TO_DEVICE })),
        text: 'which way do the bytes go, and who may have left a dirty line?',
      },
    ],
  }
}

function marked({ kernel, offset, size, dir }: Transfer): number {
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;
      memory { device_type = "memory"; reg = <0x40000000 0x10000000>; }; };`,
    'board.dts',
  )
  const { dma, pgdat } = startSystem({
    tree: tree!,
    kernel: KERNELS[kernel],
    arch: 'arm',
    image: null,
    cmdline: 'cma=0',
  })
  const card = createDevice('card', null)
  const at = FIRST - pgdat.map.start_pfn
  for (let i = 0; i < PAGES; i++) pgdat.map.flags[at + i]! &= ~PG_dcache_clean
  const handle = dma_map_page(dma, card, FIRST, offset, size, dir)
  dma_unmap_page(dma, card, handle, size, dir)
  let count = 0
  for (let i = 0; i < PAGES; i++) if (pgdat.map.flags[at + i]! & PG_dcache_clean) count++
  return count
}

function textOf({ kernel, offset, size }: Transfer, dirName: string): string {
  const hex = (value: number): string => `0x${value.toString(16)}`
  return [
    `A card that sees RAM and only RAM, on a 32-bit ARM board with Linux ${kernel}.`,
    'Its driver maps bytes of single pages that lie one behind the other, each 4,096 bytes long, and unmaps them when the transfer is over:',
    '',
    '```c',
    `addr = dma_map_page(dev, page, ${hex(offset)}, ${hex(size)}, ${dirName});`,
    '/* the transfer */',
    `dma_unmap_page(dev, addr, ${hex(size)}, ${dirName});`,
    '```',
    '',
    'None of the pages had `PG_dcache_clean` before.',
    'How many have it now?',
  ].join('\n')
}
