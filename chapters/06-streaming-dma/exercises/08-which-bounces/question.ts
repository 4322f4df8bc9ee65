// SPDX-License-Identifier: MIT
//
// How many of five small objects are copied when they are lent on 6.12. The model maps them on a machine whose device
// reaches all memory, so that only their sizes can make them bounce.
import type { Question, Rng } from 'contiguous/exercise/question'
import { oneOf } from 'contiguous/exercise/question'
import { DMA_FROM_DEVICE, DMA_TO_DEVICE, type DmaDirection } from 'contiguous/arch/dma_direction'
import { dma_map_page } from 'contiguous/dma/map'
import { mem_used } from 'contiguous/dma/swiotlb_pool'
import { startSystem } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

interface Case {
  readonly sizes: readonly number[]
  readonly kernel: '6.1.192' | '6.12.117'
  readonly coherent: boolean
  readonly dir: DmaDirection
}

export function ask(rng: Rng): Question {
  const sizes = [
    oneOf(rng, [8, 16, 24, 32]),
    oneOf(rng, [33, 48, 64]),
    oneOf(rng, [65, 80, 96]),
    oneOf(rng, [97, 120, 128, 150]),
    oneOf(rng, [192, 200, 256, 300]),
  ]
  const dir = rng.next(4) === 0 ? DMA_TO_DEVICE : DMA_FROM_DEVICE
  const drawn: Case = { sizes, kernel: '6.12.117', coherent: rng.next(5) === 0, dir }
  return {
    text: textOf(drawn),
    kind: 'number',
    read: 'Half a line',
    answer: String(bounced(drawn)),
    wrong: [
      {
        rule: 'ex-below-a-line',
        answer: String(sizes.filter((size) => size < 64).length),
        text: 'an object shorter than a line may be alone in it, and a longer one may not be; what size does kmalloc() make of the length?',
      },
      {
        rule: 'ex-length-not-size',
        answer: String(sizes.filter((size) => size % 64 !== 0).length),
        text: 'the length that was asked for is not what decides, but the size of kmalloc() that it lies in',
      },
      {
        rule: 'ex-who-writes',
        answer: String(
          bounced({
            ...drawn,
            coherent: false,
            dir: drawn.coherent || dir === DMA_TO_DEVICE ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
          }),
        ),
        text: 'who writes to the objects while they are lent, and does it ask the caches?',
      },
    ],
  }
}

function bounced({ sizes, kernel, coherent, dir }: Case): number {
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
      memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; }; };`,
    'board.dts',
  )
  const { dma } = startSystem({ tree: tree!, kernel, arch: 'arm64', image: null, cmdline: 'cma=0' })
  const card = createDevice('card', null)
  card.dma_coherent = coherent
  for (const [i, size] of sizes.entries()) dma_map_page(dma, card, 0x48000, i * 512, size, dir)
  return mem_used(dma.swiotlb)
}

function textOf({ sizes, coherent, dir }: Case): string {
  const name = dir === DMA_TO_DEVICE ? 'DMA_TO_DEVICE' : 'DMA_FROM_DEVICE'
  return [
    `A device reaches all memory of an arm64 board with cache lines of 64 bytes, and ${coherent ? 'asks the processor’s caches' : 'sees RAM and only RAM'}.`,
    `On 6.12 its driver lends it five objects from \`kmalloc()\`, of ${sizes.slice(0, -1).join(', ')} and ${sizes.at(-1)} bytes, each with a \`dma_map_single()\` of its own of that length, direction \`${name}\`.`,
    '`kmalloc()` has the sizes 8, 16, 32, 64, 96, 128, 192 and 256, and powers of two from there.',
    '',
    'How many of the five does the device get as a copy?',
  ].join('\n')
}
