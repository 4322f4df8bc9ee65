// SPDX-License-Identifier: MIT
//
// How much less MemTotal is for a pool, a mapped region and an area.
import { type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { procMeminfo } from 'contiguous/machine/proc_meminfo'
import { startSystem } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'

/** Sizes in MiB. */
interface Drawn {
  readonly pool: number
  readonly mapped: number
  readonly area: number
}

export function ask(rng: Rng): Question {
  const drawn: Drawn = { pool: 4 + 4 * rng.next(12), mapped: 2 + 2 * rng.next(15), area: 32 + 2 * rng.next(33) }
  const less = memTotal(null) - memTotal(drawn)
  return {
    text: textOf(drawn),
    kind: 'number',
    read: 'When the price is paid',
    answer: String(less),
    wrong: [
      {
        rule: 'ex-area-counted',
        answer: String(less + drawn.area),
        text: 'an area is lent to programs, and MemTotal counts what they can have',
      },
      {
        rule: 'ex-mapped-not-counted',
        answer: String(less - drawn.mapped),
        text: 'a region without no-map is mapped, and it is reserved all the same: nobody gets it from the page allocator',
      },
      {
        rule: 'ex-only-the-area',
        answer: String(drawn.area),
        text: 'that is the one of the three which costs nothing here',
      },
    ],
  }
}

const cells = (base: number, mib: number): string => `0x0 0x${base.toString(16)} 0x0 0x${MiB(mib).toString(16)}`

const nodesOf = ({ pool, mapped, area }: Drawn): string[] => [
  `pool@48000000 { compatible = "shared-dma-pool"; no-map; reg = <${cells(0x4800_0000, pool)}>; };`,
  `firmware@4c000000 { reg = <${cells(0x4c00_0000, mapped)}>; };`,
  `area@50000000 { compatible = "shared-dma-pool"; reusable; linux,cma-default; reg = <${cells(0x5000_0000, area)}>; };`,
]

/** MiB. */
function memTotal(drawn: Drawn | null): number {
  const { tree } = parseDts(
    `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${drawn ? nodesOf(drawn).join('\n') : ''} };
};`,
    'board.dts',
  )
  const { vm } = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: drawn ? '' : 'cma=0' })
  return Math.round(Number(/MemTotal: +(\d+)/.exec(procMeminfo(vm))?.[1]) / 1024)
}

function textOf(drawn: Drawn): string {
  return [
    'A board has 512 MiB of RAM, and in its `/reserved-memory`:',
    '',
    '```dts',
    ...nodesOf(drawn),
    '```',
    '',
    'By how many MiB is `MemTotal` less than it is with an empty `/reserved-memory` and `cma=0`?',
  ].join('\n')
}
