// SPDX-License-Identifier: MIT
//
// Where a dynamic region ends up in a window that a static one shares. Everything is drawn in whole mebibytes, and the two
// ends from which the search could start are odd ones, so that the alignment has something to do.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB, round_up } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { memblock_find_in_range_node, withDirection } from 'contiguous/mm/memblock_find'
import { parseDts } from 'contiguous/of/dts_parser'

const WINDOW = 0x60000000

interface Drawn {
  /** Of the window, from WINDOW on. */
  readonly window: number
  /** Where the camera's static region begins, and how long it is; null for none. */
  readonly camera: { readonly base: number; readonly size: number } | null
  readonly size: number
  readonly alignment: number
}

export function ask(rng: Rng): Question {
  const alignment = oneOf(rng, [4, 8, 16])
  const size = alignment * (1 + rng.next(2)) + 1 + rng.next(alignment - 1)
  // What lies above the camera is too little, but for one board in five.
  const above = rng.next(5) === 0 ? size + alignment + rng.next(8) : rng.next(size - 1)
  const camera = 2 + rng.next(12)
  const base = 81 + 2 * rng.next(16)
  const window = base + camera + above
  const drawn: Drawn = {
    window: MiB(window % 2 ? window : window + 1),
    camera: { base: WINDOW + MiB(base), size: MiB(camera) },
    size: MiB(size),
    alignment: MiB(alignment),
  }
  return {
    text: textOf(drawn),
    kind: 'hex',
    read: 'What is left, and from which end',
    answer: hex(place(drawn)),
    wrong: [
      {
        rule: 'ex-bottom-up',
        answer: hex(lowest(drawn)),
        text: 'that is the lowest place; memblock takes the highest that fits',
      },
      {
        rule: 'ex-static-forgotten',
        answer: hex(place({ ...drawn, camera: null })),
        text: 'the region has to leave room for the camera’s: static regions have their places before any dynamic one is placed',
        read: 'One node at a time',
      },
      {
        rule: 'ex-not-aligned',
        answer: hex(place({ ...drawn, alignment: 0x1000 })),
        text: 'this place is free and the highest, and it is no multiple of the alignment: round it down',
      },
      {
        rule: 'ex-size-aligned',
        answer: hex(place({ ...drawn, alignment: 0x1000 }) + drawn.size - round_up(drawn.size, drawn.alignment)),
        text: 'the size was rounded up to the alignment; the size stays as it is, and the start is rounded down',
      },
    ],
  }
}

const cells = (value: number): string => `0x0 ${hex(value)}`

function nodesOf({ window, camera, size, alignment }: Drawn): string[] {
  const name = (base: number) => `camera_buffer: buffer@${base.toString(16)}`
  const fixed = camera
    ? [`${name(camera.base)} {`, `	reg = <${cells(camera.base)} ${cells(camera.size)}>;`, '	no-map;', '};']
    : []
  return [
    ...fixed,
    'display_buffer {',
    `	size = <${cells(size)}>;`,
    `	alignment = <${cells(alignment)}>;`,
    `	alloc-ranges = <${cells(WINDOW)} ${cells(window)}>;`,
    '	no-map;',
    '};',
  ]
}

function boot(drawn: Drawn) {
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
  return bootMachine({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
}

function place(drawn: Drawn): number {
  return boot(drawn).reserved_mem.regions.find(({ name }) => name === 'display_buffer')?.base ?? 0
}

// As if memblock searched from the bottom, on the same board before the region has a place.
function lowest({ window, camera, size, alignment }: Drawn): number {
  const { memblock } = boot({ window, camera, size: MiB(1024), alignment })
  const find = () => memblock_find_in_range_node(memblock, size, alignment, WINDOW, WINDOW + window)
  return withDirection(memblock, true, find)
}

function textOf(drawn: Drawn): string {
  return [
    'A board has 1 GiB of RAM, from 0x40000000 on, and boots 6.12 with this in its `/reserved-memory`:',
    '',
    '```dts',
    ...nodesOf(drawn),
    '```',
    '',
    'Nothing else claims memory in that window.',
    'At which address does `display_buffer` begin?',
  ].join('\n')
}
