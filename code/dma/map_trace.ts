// SPDX-License-Identifier: MIT
//
// include/trace/events/dma.h, since 6.12: what streaming calls tell about themselves. A list tells its first 128 entries.

// #region map-trace-single
import type { DmaDirection } from '../arch/dma_direction.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { TraceValue } from '../lib/trace.ts'
import type { Device } from '../of/reserved_mem.ts'
import { dev_name, type Dma } from './dma_state.ts'
import type { Scatterlist } from './scatterlist.ts'

/** Whether events of the DMA API are wanted: ask before making their fields. */
export function tracesDma(dma: Dma): boolean {
  return dma.trace.enabled && kernelAtLeast(dma.kernel, '6.12.117')
}

/** An event with the fields that all of them have, and its own. */
export function traceDma(
  dma: Dma,
  event: string,
  dev: Device,
  dir: DmaDirection,
  fields: Readonly<Record<string, TraceValue>>,
): void {
  if (tracesDma(dma)) dma.trace.emit(event, { device: dev_name(dev), dir, ...fields })
}

const MOST = 128

// As __print_array() shows numbers.
function words(sg: readonly Scatterlist[], count: number, of: (each: Scatterlist) => number): string {
  return `{${sg
    .slice(0, count)
    .map((each) => `0x${of(each).toString(16)}`)
    .join(',')}}`
}

const physOf = (dma: Dma) => (each: Scatterlist) => each.page * dma.pageSize + each.offset

/** dma_map_sg: a list was mapped, `nents` pieces as `ents`. */
export function traceMapSg(
  dma: Dma,
  dev: Device,
  sg: readonly Scatterlist[],
  nents: number,
  ents: number,
  dir: DmaDirection,
  attrs: number,
): void {
  if (!tracesDma(dma)) return
  const shown = Math.min(ents, MOST)
  traceDma(dma, 'dma_map_sg', dev, dir, {
    ...{ nents, ents },
    dma_addrs: words(sg, shown, ({ dma_address }) => dma_address),
    sizes: words(sg, shown, ({ dma_length }) => dma_length),
    phys_addrs: words(sg, Math.min(nents, MOST), physOf(dma)),
    attrs,
  })
}

/** dma_unmap_sg: a list is about to be unmapped. All of it is told. */
export function traceUnmapSg(
  dma: Dma,
  dev: Device,
  sg: readonly Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): void {
  if (tracesDma(dma))
    traceDma(dma, 'dma_unmap_sg', dev, dir, { phys_addrs: words(sg, nents, physOf(dma)), attrs })
}

/** dma_sync_sg_for_cpu, dma_sync_sg_for_device: a list has changed hands. */
export function traceSyncSg(
  dma: Dma,
  event: string,
  dev: Device,
  sg: readonly Scatterlist[],
  nents: number,
  dir: DmaDirection,
): void {
  if (!tracesDma(dma)) return
  traceDma(dma, event, dev, dir, {
    dma_addrs: words(sg, nents, ({ dma_address }) => dma_address),
    sizes: words(sg, nents, ({ length }) => length),
  })
}
// #endregion map-trace-single
