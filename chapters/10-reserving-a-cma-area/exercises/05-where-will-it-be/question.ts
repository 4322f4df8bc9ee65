// SPDX-License-Identifier: MIT
//
// The address of a default area that is asked for in a range, part of which is a no-map region's.
import { hex, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'

const RAM = 0x4000_0000
const FROM = 0x5000_0000

interface Drawn {
  /** MiB, odd. */
  readonly size: number
  /** Bytes: the end of the range. */
  readonly to: number
  /** The camera's no-map region; null for none. */
  readonly camera: { readonly base: number; readonly size: number } | null
}

export function ask(rng: Rng): Question {
  const size = 5 + 2 * rng.next(24)
  const above = 2 * rng.next(4)
  const camera = { base: FROM + MiB(96 + 2 * rng.next(24)), size: MiB(4 + 2 * rng.next(8)) }
  const to = camera.base + camera.size + MiB(above)
  const drawn: Drawn = { size, to, camera }
  const place = placeOf(drawn)
  return {
    text: textOf(drawn),
    kind: 'hex',
    read: 'Where, and how much of it',
    answer: hex(place),
    wrong: [
      {
        rule: 'ex-lowest-place',
        answer: hex(FROM),
        text: 'that is the lowest place in the range; the search begins at the top',
      },
      {
        rule: 'ex-area-size-kept',
        answer: hex(camera.base - MiB(size)),
        text: 'an area is a whole number of pageblocks: the size is rounded up before the place is looked for',
      },
      {
        rule: 'ex-camera-forgotten',
        answer: hex(placeOf({ ...drawn, camera: null })),
        text: 'the camera’s region is not to be mapped, and nobody is given memory that is not',
      },
      {
        rule: 'ex-range-forgotten',
        answer: hex(placeOf({ ...drawn, to: RAM + MiB(512) })),
        text: 'that is the highest place of the board; the range ends before',
      },
    ],
  }
}

const cells = (value: number): string => `0x0 ${hex(value)}`
const cmdlineOf = ({ size, to }: Drawn): string => `cma=${size}M@${hex(FROM)}-${hex(to)}`

function regionOf({ camera }: Drawn): string {
  if (!camera) return ''
  return `camera@${camera.base.toString(16)} { no-map; reg = <${cells(camera.base)} ${cells(camera.size)}>; };`
}

function placeOf(drawn: Drawn): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${regionOf(drawn)} };
};`
  const { tree } = parseDts(source, 'board.dts')
  const machine = bootMachine({ tree: tree!, kernel: '6.1.192', arch: 'arm64', cmdline: cmdlineOf(drawn) })
  return machine.contiguous.dma_contiguous_default_area?.base ?? 0
}

function textOf(drawn: Drawn): string {
  return [
    'A board has 512 MiB of RAM, from 0x40000000 on, and this region:',
    '',
    '```dts',
    regionOf(drawn),
    '```',
    '',
    `6.1 is booted with \`${cmdlineOf(drawn)}\`; a pageblock is 2 MiB, and nothing else is reserved in that range.`,
    'At which address does the area begin?',
  ].join('\n')
}
