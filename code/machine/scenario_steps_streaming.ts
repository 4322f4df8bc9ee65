// SPDX-License-Identifier: MIT
//
// Steps that lend ordinary memory to a device and take it back: dma_map_single, dma_map_sg, their syncs and unmaps.
//
//     - dma_map_single: { device: card, in: packet, dir: FROM_DEVICE }
//         as: lent
//         gives: { errno: 0, bounced: false }
//     - deviceWrite: { in: lent, bytes: a packet }
//     - dma_sync_single_for_cpu: { map: lent }          without it, the CPU may read what it had cached
//
// `bounced`: the device got a copy in the bounce buffer, because it does not reach the memory itself. Without a size, a
// mapping is all of what it maps from `offset` on.

// #region scenario-steps-streaming
import { __va } from '../arch/kernel_map.ts'
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  type DmaDirection,
} from '../arch/dma_direction.ts'
import { dma_to_phys } from '../dma/dma_address.ts'
import * as map from '../dma/map.ts'
import { dma_map_sg, dma_sync_sg_for_cpu, dma_sync_sg_for_device, dma_unmap_sg } from '../dma/map_sg.ts'
import { sg_set_page, type Scatterlist } from '../dma/scatterlist.ts'
import { swiotlb_find_pool } from '../dma/swiotlb_pool.ts'
import type { Bytes, DmaAddr } from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
import { bury, Fault, held, type Doers, type Outcome, type Run } from './scenario_context.ts'
import { pagesOf } from './scenario_steps_hardware.ts'
import type { VerbArgs } from './scenario_verbs.ts'

const DIRECTIONS: Readonly<Record<VerbArgs<'dma_map_single'>['dir'], DmaDirection>> = {
  BIDIRECTIONAL: DMA_BIDIRECTIONAL,
  TO_DEVICE: DMA_TO_DEVICE,
  FROM_DEVICE: DMA_FROM_DEVICE,
}

/** Bytes of pages: `size` from `offset` on. */
interface Part {
  readonly pa: number
  readonly size: Bytes
}

// @throws Fault behind the end of the pages
function partOf(run: Run, name: string, offset: Bytes, size: Bytes | undefined): Part {
  const { pageSize } = run.system.pgdat
  const { pfn, pages } = pagesOf(run, name)
  return { pa: pfn * pageSize + offset, size: inside(run, name, pages * pageSize, offset, size) }
}

function inside(run: Run, name: string, all: Bytes, offset: Bytes, size = all - offset): Bytes {
  if (size > 0 && offset + size <= all) return size
  const text = `${run.verb}: bytes ${offset} to ${offset + size - 1} of ${name}, expected inside 0 to ${all - 1}`
  throw new Fault({ rule: 'scenario-outside', key: 'offset', text })
}

// Whether this address of the device is in the bounce buffer.
function isBounced({ system: { dma } }: Run, dev: Device, handle: DmaAddr): boolean {
  return swiotlb_find_pool(dma.swiotlb, dma_to_phys(dma.kernel, dev, handle)) !== null
}

function mapSingle(run: Run, args: VerbArgs<'dma_map_single'>): Outcome {
  const { dma, kernelMap } = run.system
  const dev = held(run, args.device, 'device')
  const { pa, size } = partOf(run, args.in, args.offset, args.size)
  const dir = DIRECTIONS[args.dir]
  const handle = map.dma_map_single(dma, dev, __va(kernelMap, pa), size, dir)
  const errno = map.dma_mapping_error(dma, dev, handle)
  if (errno !== 0) return { fields: { handle: null, errno, bounced: false } }
  return { fields: { handle, errno, bounced: isBounced(run, dev, handle) }, made: { dev, handle, size, dir } }
}

// A sync of a mapping, or of a part of it.
function sync(
  run: Run,
  { map: name, offset, size }: VerbArgs<'dma_sync_single_for_cpu'>,
  call: typeof map.dma_sync_single_for_cpu,
): Outcome {
  const { dev, handle, size: all, dir } = held(run, name, 'map')
  call(run.system.dma, dev, handle + offset, inside(run, name, all, offset, size), dir)
  return {}
}

const singleDoers: Doers<
  'dma_map_single' | 'dma_unmap_single' | 'dma_sync_single_for_cpu' | 'dma_sync_single_for_device'
> = {
  dma_map_single: mapSingle,
  dma_unmap_single: (run, { map: name }) => {
    const { dev, handle, size, dir } = held(run, name, 'map')
    bury(run, name)
    map.dma_unmap_single(run.system.dma, dev, handle, size, dir)
    return {}
  },
  dma_sync_single_for_cpu: (run, args) => sync(run, args, map.dma_sync_single_for_cpu),
  dma_sync_single_for_device: (run, args) => sync(run, args, map.dma_sync_single_for_device),
}

function mapSg(run: Run, { device, parts, dir: word }: VerbArgs<'dma_map_sg'>): Outcome {
  const { dma, pgdat } = run.system
  const dev = held(run, device, 'device')
  const dir = DIRECTIONS[word]
  const sg = parts.map((each): Scatterlist => {
    const { pa, size } = partOf(run, each.in, each.offset, each.size)
    const entry: Scatterlist = { page: 0, offset: 0, length: 0, dma_address: 0, dma_length: 0 }
    sg_set_page(entry, Math.floor(pa / pgdat.pageSize), size, pa % pgdat.pageSize)
    return entry
  })
  const entries = dma_map_sg(dma, dev, sg, sg.length, dir)
  if (entries === 0) return { fields: { entries, handles: [] } }
  const handles = sg.slice(0, entries).map((entry) => entry.dma_address)
  return { fields: { entries, handles }, made: { dev, sg, dir } }
}

const sgDoers: Doers<'dma_map_sg' | 'dma_unmap_sg' | 'dma_sync_sg_for_cpu' | 'dma_sync_sg_for_device'> = {
  dma_map_sg: mapSg,
  dma_unmap_sg: (run, { map: name }) => {
    const { dev, sg, dir } = held(run, name, 'sgmap')
    bury(run, name)
    dma_unmap_sg(run.system.dma, dev, sg, sg.length, dir)
    return {}
  },
  dma_sync_sg_for_cpu: (run, { map: name }) => {
    const { dev, sg, dir } = held(run, name, 'sgmap')
    dma_sync_sg_for_cpu(run.system.dma, dev, sg, sg.length, dir)
    return {}
  },
  dma_sync_sg_for_device: (run, { map: name }) => {
    const { dev, sg, dir } = held(run, name, 'sgmap')
    dma_sync_sg_for_device(run.system.dma, dev, sg, sg.length, dir)
    return {}
  },
}

export const streamingDoers = { ...singleDoers, ...sgDoers }
// #endregion scenario-steps-streaming
