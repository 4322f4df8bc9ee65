// SPDX-License-Identifier: MIT
//
// The DMA address of a second buffer, on a bus that counts from elsewhere than the processor, from a CMA area whose first
// buffers are known. The model allocates; nothing is computed beside it but the mistakes.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_to_phys } from 'contiguous/dma/dma_address'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { KiB, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { of_dma_configure } from 'contiguous/of/device'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode } from 'contiguous/of/tree'

const KERNEL = '6.12.117'

export function ask(rng: Rng): Question {
  const ram = oneOf(rng, [0x40000000, 0x80000000])
  const bus = oneOf(rng, [0x0, 0x10000000, 0x20000000])
  const area = ram + MiB(64) + MiB(16) * rng.next(8)
  const first = oneOf(rng, [3, 5, 6, 7, 9, 11])
  const second = oneOf(rng, [4, 8, 16])
  const nodes = nodesOf(ram, bus, area)
  const tree = parseDts(nodes.join('\n'), 'board.dts').tree!
  const { dma, machine } = startSystem({ tree, kernel: KERNEL, arch: 'arm64', cmdline: 'cma=0', image: null })
  const camera = createDevice('camera', findNode(tree, '/soc/camera'))
  of_dma_configure(KERNEL, camera)
  of_reserved_mem_device_init(machine.reserved_mem, camera)
  const [before, wanted] = [first, second].map(
    (pages) => dma_alloc_coherent(dma, camera, pages * KiB(4), GFP_KERNEL)!.dma_handle,
  ) as [number, number]
  const phys = dma_to_phys(KERNEL, camera, wanted)
  return {
    text: textOf(nodes, first, second),
    kind: 'hex',
    read: 'Two addresses for one byte',
    answer: hex(wanted),
    wrong: [
      {
        rule: 'ex-physical',
        answer: hex(phys),
        text: 'that is where the buffer lies in RAM; the camera’s bus counts from elsewhere',
      },
      {
        rule: 'ex-offset-added',
        answer: hex(phys + (phys - wanted)),
        text: 'the offset between bus and processor is taken in the wrong direction',
      },
      {
        rule: 'ex-not-aligned',
        answer: hex(before + first * KiB(4)),
        text: 'the second buffer does not begin where the first ends: a buffer is aligned to its size, as a power of two of pages',
        read: 'Who serves',
      },
    ],
  }
}

function nodesOf(ram: number, bus: number, area: number): string[] {
  return [
    '/dts-v1/;',
    '/ {',
    '	#address-cells = <2>;',
    '	#size-cells = <2>;',
    `	memory@${ram.toString(16)} { device_type = "memory"; reg = <0x0 ${hex(ram)} 0x0 0x20000000>; };`,
    '	reserved-memory {',
    '		#address-cells = <2>;',
    '		#size-cells = <2>;',
    '		ranges;',
    `		frames: area@${area.toString(16)} {`,
    '			compatible = "shared-dma-pool";',
    '			reusable;',
    `			reg = <0x0 ${hex(area)} 0x0 0x1000000>;`,
    '		};',
    '	};',
    '	soc {',
    '		#address-cells = <1>;',
    '		#size-cells = <1>;',
    `		dma-ranges = <${hex(bus)} 0x0 ${hex(ram)} 0x20000000>;`,
    '		camera { memory-region = <&frames>; };',
    '	};',
    '};',
  ]
}

function textOf(nodes: readonly string[], first: number, second: number): string {
  return [
    'An arm64 board boots 6.12 with this tree; `cma=0` is on its command line, and nobody else uses the area `frames`.',
    '',
    '```dts',
    ...nodes.slice(1),
    '```',
    '',
    'The camera’s driver attaches its region and allocates two coherent buffers:',
    '',
    '```c',
    `a = dma_alloc_coherent(dev, ${first} * PAGE_SIZE, &a_dma, GFP_KERNEL);`,
    `b = dma_alloc_coherent(dev, ${second} * PAGE_SIZE, &b_dma, GFP_KERNEL);`,
    '```',
    '',
    'Which address does it write into the camera’s register for `b`?',
  ].join('\n')
}
