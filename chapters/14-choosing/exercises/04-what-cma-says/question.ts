// SPDX-License-Identifier: MIT
//
// The line that CMA leaves when one buffer too many is asked for.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { KiB, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

interface Drawn {
  readonly kernel: '6.1.192' | '6.12.117'
  /** MiB of the area. */
  readonly area: number
  /** MiB of each buffer. */
  readonly each: number
  /** KiB of the last. */
  readonly last: number
}

export function ask(rng: Rng): Question {
  const area = 16 + 2 * rng.next(17)
  const each = 3 + 2 * rng.next(3)
  const drawn: Drawn = {
    ...{ kernel: oneOf(rng, ['6.1.192', '6.12.117']), area, each },
    last: 4 * 1024 + 1024 * each + 4 * rng.next(60) + 300,
  }
  const line = lineOf(drawn)
  const pages = drawn.last / 4
  return {
    text: textOf(drawn),
    kind: 'line',
    read: 'The same request, three answers',
    answer: line,
    wrong: [
      {
        rule: 'ex-power-of-two',
        answer: line.replace(`req-size: ${pages}`, `req-size: ${2 ** Math.ceil(Math.log2(pages))}`),
        text: 'CMA is asked for whole pages, and for no more of them than the buffer has',
      },
      {
        rule: 'ex-kib-for-pages',
        answer: line.replace(`req-size: ${pages}`, `req-size: ${drawn.last}`),
        text: 'the size is printed in pages of 4 KiB',
      },
      {
        rule: 'ex-busy-for-full',
        answer: line.replace('ret: -12', 'ret: -16'),
        text: 'no place was tried, so none was busy; devices have the area',
      },
      {
        rule: 'ex-function-of-the-other',
        answer: line.includes('__cma_alloc')
          ? line.replace('__cma_alloc', 'cma_alloc')
          : line.replace('cma_alloc', '__cma_alloc'),
        text: 'the function that speaks has another name on this kernel',
      },
    ],
  }
}

function lineOf({ kernel, area, each, last }: Drawn): string {
  const { tree } = parseDts(
    `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`,
    'board.dts',
  )
  const cmdline = `cma=${area}M@0x50000000`
  const system = startSystem({ tree: tree!, kernel, arch: 'arm64', cmdline, image: null })
  const dev = createDevice('camera', null)
  const inside = (at: number): boolean => at >= 0x5000_0000 && at < 0x5000_0000 + MiB(area)
  while (inside(dma_alloc_coherent(system.dma, dev, MiB(each), GFP_KERNEL)?.dma_handle ?? 0));
  const from = system.machine.log.length
  dma_alloc_coherent(system.dma, dev, KiB(last), GFP_KERNEL)
  return system.machine.log.slice(from).find((line) => line.includes('alloc failed')) ?? ''
}

function textOf({ kernel, area, each, last }: Drawn): string {
  return [
    `A board with ${kernel} has an area of ${area} MiB, named on the command line and lent to nobody.`,
    `A driver takes buffers of ${each} MiB until the area gives it no more.`,
    `Then it asks for one of ${last} KiB.`,
    '',
    'Which line does CMA print, without the time stamp?',
  ].join('\n')
}
