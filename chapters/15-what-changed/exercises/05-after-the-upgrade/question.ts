// SPDX-License-Identifier: MIT
//
// Two regions without an address, and where the second of them lies on 6.12.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'

interface Drawn {
  /** Where the camera's range begins. */
  readonly from: number
  readonly size: number
  readonly alignment: number
  readonly modem: number
  /** Whether the modem stands first in the tree. */
  readonly modemFirst: boolean
  /** Bytes between the modem's range and the camera's. */
  readonly gap: number
}

export function ask(rng: Rng): Question {
  const from = 0x5000_0000 + MiB(32) * rng.next(12)
  const size = MiB(oneOf(rng, [6, 10, 14]))
  const alignment = MiB(oneOf(rng, [4, 8]))
  const modem = MiB(2 ** rng.next(3))
  // Mostly the two meet.
  const modemFirst = rng.next(6) !== 0
  const gap = rng.next(6) === 0 ? MiB(16) : 0
  const drawn: Drawn = { from, size, alignment, modem, modemFirst, gap }
  const end = from + MiB(64)
  // As 6.1 does it, and as 6.12 does it beside a neighbour.
  const high = placed(drawn, '6.1.192')
  const low = placed({ ...drawn, modemFirst: true, gap: 0 }, '6.12.117')
  const answer = placed(drawn, '6.12.117')
  return {
    text: textOf(drawn),
    kind: 'hex',
    read: 'An order that nobody promised',
    answer: hex(answer),
    wrong: [
      {
        rule: 'ex-from-the-other-end',
        answer: hex(answer === low ? high : low),
        text: 'the range is searched from its other end; which regions are placed by then, and does one of them end where the range begins?',
      },
      {
        rule: 'ex-not-aligned',
        answer: hex(end - size),
        text: 'the highest place that there is for so many bytes does not begin at a multiple of the alignment',
      },
    ],
  }
}

function nodesOf({ from, size, alignment, modem, modemFirst, gap }: Drawn): string[] {
  const node = (name: string, bytes: number, align: string[], at: number, length: number) => [
    `${name} {`,
    '	compatible = "shared-dma-pool";',
    '	no-map;',
    `	size = <0x0 ${hex(bytes)}>;`,
    ...align,
    `	alloc-ranges = <0x0 ${hex(at)} 0x0 ${hex(length)}>;`,
    '};',
  ]
  const one = node('modem', modem, [], from - gap - MiB(16), MiB(16))
  const other = node('camera', size, [`	alignment = <0x0 ${hex(alignment)}>;`], from, MiB(64))
  return modemFirst ? [...one, '', ...other] : [...other, '', ...one]
}

function placed(drawn: Drawn, kernel: KernelVersion): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x40000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		${nodesOf(drawn).join('\n')}
	};
};`
  const { tree } = parseDts(source, 'board.dts')
  const machine = bootMachine({ tree: tree!, kernel, arch: 'arm64', cmdline: 'cma=0' })
  const made = machine.log.findIndex((line) => line.includes('initialized node camera,'))
  const [, address = '0'] = /pool at 0x([0-9a-f]+)/.exec(machine.log[made - 1] ?? '') ?? []
  return parseInt(address, 16)
}

function textOf(drawn: Drawn): string {
  return [
    'An arm64 board has 1 GiB of RAM, from 0x40000000 on, and this in its `/reserved-memory`, in this order:',
    '',
    '```dts',
    ...nodesOf(drawn),
    '```',
    '',
    'Nothing else is reserved in either range.',
    'At which address does 6.12 put the camera?',
  ].join('\n')
}
