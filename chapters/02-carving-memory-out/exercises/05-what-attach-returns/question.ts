// SPDX-License-Identifier: MIT
//
// What of_reserved_mem_device_init() returns on a board that differs from a good one in one thing, or in none. Each number
// it can return is a wrong answer too; for the boards on which it is the right one it counts as right.
import { errnoName, hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init_by_idx } from 'contiguous/of/reserved_mem_device'
import { findNode } from 'contiguous/of/tree'

/** What the tree says beside the size and the place. */
interface Board {
  readonly parent: readonly string[]
  readonly region: readonly string[]
  readonly camera: string
  /** Entries of memory-region that the driver attaches, one after the other. */
  readonly attaches: number
}

const PARENT = ['#address-cells = <2>;', '#size-cells = <2>;', 'ranges;']
const POOL = ['compatible = "shared-dma-pool";', 'no-map;']
const GOOD: Board = { parent: PARENT, region: POOL, camera: 'memory-region = <&frames>;', attaches: 1 }

const BOARDS: readonly Board[] = [
  GOOD,
  { ...GOOD, region: POOL.slice(0, 1) },
  { ...GOOD, region: POOL.slice(1) },
  { ...GOOD, region: [...POOL, 'status = "disabled";'] },
  { ...GOOD, camera: '' },
  { ...GOOD, parent: PARENT.slice(0, 2) },
  { ...GOOD, camera: 'memory-region = <&frames>, <&more>;', attaches: 2 },
]

export function ask(rng: Rng): Question {
  const board = oneOf(rng, BOARDS)
  const base = 0x50000000 + MiB(16) * rng.next(16)
  const size = MiB(oneOf(rng, [4, 8, 16]))
  const nodes = nodesOf(board, base, size)
  return {
    text: textOf(nodes, board),
    kind: 'errno',
    read: "The device's side",
    answer: errnoName(attach(nodes, board)),
    wrong: [
      {
        rule: 'ex-attach-succeeds',
        answer: '0',
        text: '0 says that nothing is wrong; something here keeps the region from the camera, and the kernel notices',
      },
      {
        rule: 'ex-attach-no-entry',
        answer: '-ENODEV',
        text: '-ENODEV means that memory-region of the device has no such entry, and here it has',
      },
      {
        rule: 'ex-attach-no-region',
        answer: '-EINVAL',
        text: '-EINVAL is for an entry whose region is not in the table, has no driver, or refuses; that is not what happens here',
      },
      {
        rule: 'ex-attach-busy',
        answer: '-EBUSY',
        text: '-EBUSY is for a device that has a pool already; this one has none yet',
      },
      {
        rule: 'ex-attach-no-memory',
        answer: '-ENOMEM',
        text: 'the region was set aside at boot; attaching allocates a few bytes of bookkeeping, and this board has those',
      },
    ],
  }
}

function nodesOf({ parent, region, camera, attaches }: Board, base: number, size: number): string[] {
  const child = (label: string, at: number) => [
    `	${label}: buffer@${at.toString(16)} {`,
    ...[...region, `reg = <0x0 ${hex(at)} 0x0 ${hex(size)}>;`].map((line) => `		${line}`),
    '	};',
  ]
  return [
    'reserved-memory {',
    ...parent.map((line) => `	${line}`),
    ...child('frames', base),
    ...(attaches > 1 ? child('more', base + MiB(64)) : []),
    '};',
    camera === '' ? 'camera { };' : `camera { ${camera} };`,
  ]
}

// The model boots and attaches; what the last call returns.
function attach(nodes: readonly string[], { attaches }: Board): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x40000000>; };
	${nodes.join('\n')}
};`
  const tree = parseDts(source, 'board.dts').tree!
  const { reserved_mem } = bootMachine({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const node = findNode(tree, '/camera')
  const camera = createDevice('camera-driver camera', node)
  let ret = 0
  for (let idx = 0; idx < attaches; idx++)
    ret = of_reserved_mem_device_init_by_idx(reserved_mem, camera, node, idx)
  return ret
}

function textOf(nodes: readonly string[], { attaches }: Board): string {
  const calls = Array.from(
    { length: attaches },
    (_, idx) => `ret = of_reserved_mem_device_init_by_idx(dev, dev->of_node, ${idx});`,
  )
  return [
    'A board has 1 GiB of RAM, from 0x40000000 on; its root node counts with two cells and two.',
    'It boots 6.12 with this in its tree:',
    '',
    '```dts',
    ...nodes,
    '```',
    '',
    'The driver of the camera calls, in its probe,',
    '',
    '```c',
    ...calls,
    '```',
    '',
    attaches > 1 ? 'What is in `ret` after the second call?' : 'What is in `ret`?',
  ].join('\n')
}
