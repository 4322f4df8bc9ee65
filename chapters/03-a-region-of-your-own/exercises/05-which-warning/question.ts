// SPDX-License-Identifier: MIT
//
// Which warning memremap() leaves for a range at the edge of a region, or inside one that is still RAM.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { MEMREMAP_WC } from 'contiguous/mm/memremap'
import { parseDts } from 'contiguous/of/dts_parser'

interface Drawn {
  readonly base: number
  readonly size: number
  readonly noMap: boolean
  /** What the driver asks for. */
  readonly start: number
  readonly length: number
}

export function ask(rng: Rng): Question {
  const base = 0x48000000 + MiB(16) * rng.next(40)
  const size = MiB(oneOf(rng, [16, 32, 64]))
  const noMap = rng.next(2) === 0
  // Over the lower edge; without no-map now and then inside.
  const inside = !noMap && rng.next(3) === 0
  const ahead = MiB(1 + rng.next(4))
  const start = inside ? base + ahead : base - ahead
  const length = ahead + MiB(1 + rng.next(8))
  const drawn: Drawn = { base, size, noMap, start, length }
  return {
    text: textOf(drawn),
    kind: 'line',
    read: 'One function, three answers',
    answer: warning(drawn),
    wrong: [
      {
        rule: 'ex-warning-of-another-kind',
        answer: noMap
          ? warning(drawn).replace('mixed range', 'ram')
          : warning(drawn).replace('on ram', 'on mixed range'),
        text: noMap
          ? 'a region with no-map is a resource beside System RAM; the range meets both'
          : 'without no-map the region is no resource beside System RAM but lies in it',
      },
      {
        rule: 'ex-warning-names-the-region',
        answer: warning(drawn)
          .replace(hex(start).slice(2), hex(base).slice(2))
          .replace(/size: .*/, `size: ${hex(size)}`),
        text: 'the line names what was asked for, not the region that it met',
      },
      {
        rule: 'ex-warning-size-in-mib',
        answer: warning(drawn).replace(/size: .*/, `size: ${length / MiB(1)} MiB`),
        text: 'the size is printed in bytes, as a hexadecimal number',
      },
    ],
  }
}

function nodeOf({ base, size, noMap }: Drawn): string[] {
  return [
    `samples: buffer@${base.toString(16)} {`,
    ...(noMap ? ['	no-map;'] : []),
    `	reg = <0x0 ${hex(base)} 0x0 ${hex(size)}>;`,
    '};',
  ]
}

function warning(drawn: Drawn): string {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x40000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		${nodeOf(drawn).join('\n')}
	};
};`
  const { tree } = parseDts(source, 'board.dts')
  const machine = bootMachine({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  machine.memremap(drawn.start, drawn.length, MEMREMAP_WC)
  return machine.log.at(-1) ?? ''
}

function textOf(drawn: Drawn): string {
  return [
    'An arm64 board has 1 GiB of RAM, from 0x40000000 on, and this in its `/reserved-memory`:',
    '',
    '```dts',
    ...nodeOf(drawn),
    '```',
    '',
    'After the boot a driver calls, for the first time and with numbers of its own,',
    '',
    '```c',
    `addr = memremap(${hex(drawn.start)}, ${hex(drawn.length)}, MEMREMAP_WC);`,
    '```',
    '',
    'It gets NULL. Which line does the kernel print with its warning, without the time stamp?',
  ].join('\n')
}
