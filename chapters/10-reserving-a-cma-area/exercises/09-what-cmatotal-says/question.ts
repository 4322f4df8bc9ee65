// SPDX-License-Identifier: MIT
//
// CmaTotal after cma_init_reserved_areas(), on a board with an area that lies across the border of the DMA zone.
import { hex, type Question, type Rng } from 'contiguous/exercise/question'
import { GiB, KiB, MiB } from 'contiguous/lib/units'
import { procMeminfo } from 'contiguous/machine/proc_meminfo'
import { startSystem } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'

interface Area {
  readonly base: number
  readonly size: number
}

export function ask(rng: Rng): Question {
  const mib = (most: number): number => MiB(4 * (1 + rng.next(most)))
  const low = { base: GiB(2) + MiB(64) * rng.next(8), size: mib(12) }
  const below = mib(6)
  const across = { base: GiB(4) - below, size: below + mib(6) }
  const high = { base: GiB(4) + MiB(256) + MiB(64) * rng.next(4), size: mib(12) }
  const all = [low, across, high]
  const kib = (areas: readonly Area[]): string =>
    String(areas.reduce((sum, { size }) => sum + size, 0) / KiB(1))
  return {
    text: textOf(all),
    kind: 'number',
    read: 'Given away',
    answer: String(totalOf(all)),
    wrong: [
      {
        rule: 'ex-all-areas-counted',
        answer: kib(all),
        text: 'one of the areas lies in two zones, and such an area is not activated',
      },
      {
        rule: 'ex-half-an-area',
        answer: kib([low, { base: across.base, size: below }, high]),
        text: 'there is no half of an area: the one that lies in two zones becomes ordinary memory whole',
      },
      {
        rule: 'ex-later-areas-lost',
        answer: kib([low]),
        text: 'that was 4.12, where the loop ended with the first area that failed',
      },
    ],
  }
}

const cells = (value: number): string => `${hex(Math.floor(value / 2 ** 32))} ${hex(value % 2 ** 32)}`

const nodesOf = (areas: readonly Area[]): string[] =>
  areas.map(
    ({ base, size }) =>
      `area@${base.toString(16)} { compatible = "shared-dma-pool"; reusable; reg = <${cells(base)} ${cells(size)}>; };`,
  )

function totalOf(areas: readonly Area[]): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x1 0x0>; };
	reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${nodesOf(areas).join(' ')} };
};`
  const { tree } = parseDts(source, 'board.dts')
  const { vm } = startSystem({ tree: tree!, kernel: '6.1.192', arch: 'arm64', cmdline: 'cma=0' })
  return Number(/^CmaTotal: +(\d+) kB$/m.exec(procMeminfo(vm))?.[1])
}

function textOf(areas: readonly Area[]): string {
  return [
    'A board has 4 GiB of RAM, from 0x40000000 on, and its DMA zone ends at 0x1_0000_0000.',
    'It boots 6.1 with `cma=0` and these regions:',
    '',
    '```dts',
    ...nodesOf(areas),
    '```',
    '',
    'How many kB does `CmaTotal` in `/proc/meminfo` give?',
  ].join('\n')
}
