// SPDX-License-Identifier: MIT
//
// Where dma_declare_contiguous() of 3.x puts an area whose base is no multiple of the alignment.
import { createDmaContiguous } from 'contiguous/dma/contiguous'
import { dma_declare_contiguous } from 'contiguous/dma/contiguous_3x'
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { Printk } from 'contiguous/lib/printk'
import { MiB } from 'contiguous/lib/units'
import { createMemblock, memblock_add } from 'contiguous/mm/memblock'

const RAM = 0x2000_0000
const ALIGNMENT = { '3.5': MiB(8), '3.9': MiB(4) } as const

export function ask(rng: Rng): Question {
  const kernel = oneOf(rng, ['3.5', '3.9'] as const)
  const base = RAM + MiB(64) + MiB(8) * rng.next(12) + MiB(1 + rng.next(3))
  const size = 5 + rng.next(24)
  const alignment = ALIGNMENT[kernel]
  return {
    text: [
      `The code of a 32-bit arm board calls \`dma_declare_contiguous(dev, ${size} * SZ_1M, ${hex(base)}, 0)\` on ${kernel}.`,
      'The board has 256 MiB of RAM from 0x20000000 on, and nothing is reserved near that address.',
      `An area's alignment on this kernel is ${alignment / MiB(1)} MiB.`,
      'At which address does the area lie?',
    ].join('\n'),
    kind: 'hex',
    read: 'An area as 3.5 declared it',
    answer: hex(placeOf(kernel, size, base)),
    wrong: [
      {
        rule: 'ex-base-as-asked',
        answer: hex(base),
        text: 'that is what was asked for; it is no multiple of the alignment, and this kernel neither keeps nor refuses it',
      },
      {
        rule: 'ex-base-rounded-down',
        answer: hex(base - (base % alignment)),
        text: 'the base is rounded, in the other direction',
      },
      {
        rule: 'ex-searched-from-top',
        answer: hex(placeOf(kernel, size, 0)),
        text: 'a search from the top is made only when no base is given',
      },
    ],
  }
}

function placeOf(kernel: '3.5' | '3.9', size: number, base: number): number {
  const memblock = createMemblock(32, 4096)
  memblock_add(memblock, RAM, MiB(256))
  const cma = {
    ...{ kernel, memblock, log: new Printk(), minAlignment: ALIGNMENT[kernel] },
    ...{ maxAreas: 8, highmemStart: 0, areas: [] },
  }
  const areas = createDmaContiguous(cma, { choose: 'MBYTES', mbytes: 16, percentage: 10 })
  dma_declare_contiguous(areas, null, MiB(size), base, 0)
  return areas.cma.areas[0]?.base ?? 0
}
