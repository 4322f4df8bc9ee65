// SPDX-License-Identifier: MIT
//
// The last byte of the DMA zone: of a board whose narrowest bus, RAM and kernel are drawn.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { GiB, MiB } from 'contiguous/lib/units'
import { createMemblock, memblock_add } from 'contiguous/mm/memblock'
import { zoneLimits } from 'contiguous/mm/zones'

const NAMES: Record<string, string> = { '6.1.192': '6.1', '6.12.117': '6.12' }

interface Drawn {
  readonly base: number
  readonly size: number
  /** What the bus reaches from 0 on, in bytes; null when no node has `dma-ranges`. */
  readonly reach: number | null
  readonly kernel: KernelVersion
}

export function ask(rng: Rng): Question {
  const drawn: Drawn = {
    base: oneOf(rng, [0, MiB(256), MiB(512)]),
    size: GiB(3 + rng.next(14)),
    reach: oneOf(rng, [null, GiB(1), MiB(1280), MiB(1536), MiB(1792), GiB(2), MiB(768), MiB(896)]),
    kernel: oneOf(rng, ['6.1.192', '6.12.117'] as const),
  }
  const other: KernelVersion = drawn.kernel === '6.1.192' ? '6.12.117' : '6.1.192'
  return {
    text: textOf(drawn),
    kind: 'hex',
    read: 'Zones',
    answer: hex(lastOf(drawn)),
    wrong: [
      {
        rule: 'ex-isa-zone',
        answer: hex(MiB(16) - 1),
        text: '16 MiB is the DMA zone of x86, made for the ISA bus',
      },
      {
        rule: 'ex-bus-ignored',
        answer: hex(lastOf({ ...drawn, reach: null })),
        text: 'that would be the end of the zone if every bus of the tree were as wide as the CPU’s',
      },
      {
        rule: 'ex-other-kernels-zone',
        answer: hex(lastOf({ ...drawn, kernel: other })),
        text: 'one of the two kernels counts bits, the other takes the address; this is what the other one does',
        read: 'Then and now',
      },
      {
        rule: 'ex-zone-from-ram',
        answer: hex(drawn.base + lastOf(drawn)),
        text: 'the border is an address, counted from 0 and not from the beginning of RAM',
      },
      {
        rule: 'ex-all-of-ram',
        answer: hex(drawn.base + drawn.size - 1),
        text: 'that is the end of RAM; a DMA zone ends at 4 GiB at the latest if RAM begins below',
      },
    ],
  }
}

function lastOf({ base, size, reach, kernel }: Drawn): number {
  const memblock = createMemblock()
  memblock_add(memblock, base, size)
  const bus = reach === null ? {} : { dmaRangesLast: reach - 1 }
  return zoneLimits({ kernel, arch: 'arm64', memblock, ...bus })[0]!.end - 1
}

function textOf({ base, size, reach, kernel }: Drawn): string {
  const bus =
    reach === null
      ? 'No node of its tree has `dma-ranges`.'
      : `The narrowest \`dma-ranges\` of its tree lead to the ${reach / MiB(1)} MiB of memory from 0 on.`
  return [
    `An arm64 board has ${size / GiB(1)} GiB of RAM in one bank, from ${hex(base)} on, and boots ${NAMES[kernel]!}.`,
    bus,
    '',
    'The log says `Zone ranges:` and then `DMA      [mem 0x…-0x…]`.',
    'What is the second address?',
  ].join('\n')
}
