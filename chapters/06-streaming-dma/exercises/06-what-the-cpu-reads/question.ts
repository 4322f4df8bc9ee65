// SPDX-License-Identifier: MIT
//
// A transfer from a device with some of its steps left out: which byte the processor reads. The model makes the calls that
// the driver makes, and no others.
import type { Question, Rng } from 'contiguous/exercise/question'
import { hex, oneOf } from 'contiguous/exercise/question'
import { prefetch } from 'contiguous/arch/cache'
import { deviceWrite } from 'contiguous/arch/cpu'
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from 'contiguous/arch/dma_direction'
import { __va, kernelRead, kernelWrite } from 'contiguous/arch/kernel_map'
import {
  dma_map_single,
  dma_sync_single_for_cpu,
  dma_sync_single_for_device,
  dma_unmap_single,
} from 'contiguous/dma/map'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { __alloc_pages } from 'contiguous/mm/page_alloc'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

/** What happens, in this order. A step that is left out is not in the driver. */
interface Story {
  readonly coherent: boolean
  readonly sync: boolean
  readonly back: boolean
  readonly unmap: boolean
  /** The direction that the driver says; the device writes in any case. */
  readonly toDevice: boolean
  /** Bytes: before, first packet, second packet. */
  readonly bytes: readonly [number, number, number]
}

const STORIES = [
  { sync: true, back: true, unmap: false, toDevice: false },
  { sync: true, back: false, unmap: false, toDevice: false },
  { sync: false, back: false, unmap: false, toDevice: false },
  { sync: true, back: true, unmap: true, toDevice: false },
  { sync: true, back: true, unmap: true, toDevice: true },
] as const

export function ask(rng: Rng): Question {
  const before = 0x10 + rng.next(0x40)
  const bytes = [before, before + 0x40, before + 0x80] as const
  const story: Story = { ...oneOf(rng, STORIES), coherent: rng.next(6) === 0, bytes }
  return {
    text: textOf(story),
    kind: 'hex',
    read: 'Whose bytes',
    answer: hex(run(story)),
    wrong: [
      {
        rule: 'ex-newest',
        answer: hex(bytes[2]),
        text: 'that is in RAM; the processor reads its cache, as long as the line is there',
      },
      {
        rule: 'ex-middle',
        answer: hex(bytes[1]),
        text: 'that came with the first packet; was the line taken out when it should have been, no more and no less often?',
      },
      {
        rule: 'ex-oldest',
        answer: hex(bytes[0]),
        text: 'that was there before the transfer, and somebody has taken its line out of the cache since',
      },
    ],
  }
}

function run({ coherent, sync, back, unmap, toDevice, bytes }: Story): number {
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
      memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x10000000>; }; };`,
    'board.dts',
  )
  const { dma, kernelMap, pgdat, vm } = startSystem({
    tree: tree!,
    kernel: '6.12.117',
    arch: 'arm64',
    image: null,
    cmdline: 'cma=0',
  })
  const card = createDevice('card', null)
  card.dma_coherent = coherent
  const dir = toDevice ? DMA_TO_DEVICE : DMA_FROM_DEVICE
  const pa = __alloc_pages(pgdat, GFP_KERNEL, 0)! * 4096
  const va = __va(kernelMap, pa)
  const [before, first, second] = bytes
  const arrives = (byte: number): void => {
    prefetch(vm.cpu.l1, pa)
    deviceWrite(vm.cpu, pa, new Uint8Array(1500).fill(byte), coherent)
  }
  const look = (): number => kernelRead(kernelMap, va, 1)[0]!

  kernelWrite(kernelMap, va, new Uint8Array(1500).fill(before))
  const packet = dma_map_single(dma, card, va, 1500, dir)
  arrives(first)
  if (sync) dma_sync_single_for_cpu(dma, card, packet, 1500, dir)
  look()
  if (back) dma_sync_single_for_device(dma, card, packet, 1500, dir)
  arrives(second)
  if (unmap) dma_unmap_single(dma, card, packet, 1500, dir)
  return look()
}

function textOf({ coherent, sync, back, unmap, toDevice, bytes }: Story): string {
  const [before, first, second] = bytes
  const dir = toDevice ? 'DMA_TO_DEVICE' : 'DMA_FROM_DEVICE'
  const call = (name: string): string => `dma_${name}(dev, packet, 1500, ${dir});`
  return [
    `A network card ${coherent ? 'asks the processor’s caches' : 'sees RAM and only RAM'}, on an arm64 board that runs 6.12 and whose card reaches all memory.`,
    'Its driver does this, and nothing else about DMA:',
    '',
    '```c',
    `memset(data, ${hex(before)}, 1500);`,
    `packet = dma_map_single(dev, data, 1500, ${dir});`,
    `/* the card writes ${hex(first)} to all 1500 bytes */`,
    ...(sync ? [call('sync_single_for_cpu')] : []),
    'looked = data[0];',
    ...(back ? [call('sync_single_for_device')] : []),
    `/* the card writes ${hex(second)} to all 1500 bytes */`,
    ...(unmap ? [call('unmap_single')] : []),
    'looked = data[0];',
    '```',
    '',
    'Each time before the card writes, the processor happens to fetch the first line of `data` into its cache, if it is not there; no line is ever evicted.',
    'What is in `looked` at the end?',
  ].join('\n')
}
