// SPDX-License-Identifier: MIT
//
// What a transfer of a list costs in cache operations, on 32-bit ARM with Linux 4.12: by one table or by the other. The
// model makes the calls and logs the operations of both cache levels; the mistakes are the same calls made otherwise.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { logCacheOps } from 'contiguous/arch/cpu'
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  type DmaDirection,
} from 'contiguous/arch/dma_direction'
import { get_dma_ops } from 'contiguous/dma/mapping'
import { sg_set_page, type Scatterlist } from 'contiguous/dma/scatterlist'
import { startSystem } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const DIRECTIONS: readonly [string, DmaDirection][] = [
  ['DMA_TO_DEVICE', DMA_TO_DEVICE],
  ['DMA_FROM_DEVICE', DMA_FROM_DEVICE],
  ['DMA_BIDIRECTIONAL', DMA_BIDIRECTIONAL],
]

/** A transfer: the list is mapped, handed to and fro, unmapped. */
interface Transfer {
  readonly coherent: boolean
  readonly entries: number
  readonly dir: DmaDirection
  /** How often it goes to the CPU and back in between. */
  readonly turns: number
}

export function ask(rng: Rng): Question {
  const coherent = rng.next(3) === 0
  const entries = 2 + rng.next(5)
  const [dirName, dir] = oneOf(rng, DIRECTIONS)
  const turns = 1 + rng.next(3)
  const transfer: Transfer = { coherent, entries, dir, turns }
  const beside = { ...transfer, coherent: false }
  return {
    text: textOf(transfer, dirName),
    kind: 'number',
    read: 'Two tables',
    answer: String(operations(transfer).length),
    wrong: [
      {
        rule: 'ex-other-table',
        answer: String(operations({ ...transfer, coherent: !coherent }).length),
        text: 'that is what the other table does; look at the node once more',
      },
      {
        rule: 'ex-one-level',
        answer: String(operations(beside).filter((level) => level === 'L1').length),
        text: 'that counts one level of cache, and for a device that asks neither of them',
      },
      {
        rule: 'ex-list-at-once',
        answer: String(operations({ ...beside, entries: 1 }).length),
        text: 'a list is mapped entry by entry, each with maintenance of its own, if there is any at all',
      },
    ],
  }
}

// The level of each cache operation that the transfer makes.
function operations({ coherent, entries, dir, turns }: Transfer): string[] {
  const tree = parseDts(
    `/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;
      memory@40000000 { device_type = "memory"; reg = <0x40000000 0x10000000>; }; };`,
    'board.dts',
  ).tree!
  const hardware = { outerCache: true }
  const { dma, vm } = startSystem({ tree, kernel: '4.12.4', arch: 'arm', cmdline: 'cma=0', image: null, hardware })
  const dev = createDevice('camera', null)
  dev.dma_coherent = coherent
  const sg = Array.from({ length: entries }, (_, i): Scatterlist => {
    const entry = { page: 0, offset: 0, length: 0, dma_address: 0, dma_length: 0 }
    sg_set_page(entry, 0x48000 + 2 * i, 4096, 0)
    return entry
  })
  const log = logCacheOps(vm.cpu)
  const ops = get_dma_ops(dma, dev)!
  ops.map_sg!(dma, dev, sg, entries, dir, 0)
  for (let turn = 0; turn < turns; turn++) {
    ops.sync_sg_for_cpu?.(dma, dev, sg, entries, dir)
    ops.sync_sg_for_device?.(dma, dev, sg, entries, dir)
  }
  ops.unmap_sg?.(dma, dev, sg, entries, dir, 0)
  return log.map(({ level }) => level)
}

function textOf({ coherent, entries, turns }: Transfer, dirName: string): string {
  const times = turns === 1 ? 'once' : `${turns} times, one after the other`
  return [
    'A 32-bit ARM board with an L1 and an outer cache runs Linux 4.12, with this camera in its tree:',
    '',
    '```dts',
    'camera {',
    '	compatible = "contiguous,camera";',
    ...(coherent ? ['	dma-coherent;'] : []),
    '};',
    '```',
    '',
    `Its driver maps a list of ${entries} pages with \`dma_map_sg()\`, direction \`${dirName}\`.`,
    `Then it calls \`dma_sync_sg_for_cpu()\` and \`dma_sync_sg_for_device()\` for the whole list, ${times}, and \`dma_unmap_sg()\` at the end.`,
    '',
    'Cleaning or invalidating one page in one level of cache is one operation, and handing a page that goes `DMA_TO_DEVICE` back to the processor needs none.',
    'How many operations are made in all?',
  ].join('\n')
}
