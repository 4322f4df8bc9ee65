// SPDX-License-Identifier: MIT
//
// Who gives a device its coherent buffer, on arm64 with Linux 6.12 and no IOMMU.

/** A CMA area, or none: `full` has no room for the request, `above` lies where the device does not reach. */
export type Area = 'none' | 'room' | 'full' | 'above'

/** A call of dma_alloc_coherent(), and the machine it meets. */
export interface Request {
  /** The device's own pool, of a no-map region; `room` is for this request. */
  readonly ownPool: 'none' | 'room' | 'full'
  /** The device's own CMA area, of a reusable region, and the default one. */
  readonly ownArea: Area
  readonly defaultArea: Area
  /** Whether the device asks the processor's caches. */
  readonly coherent: boolean
  /** False for GFP_ATOMIC. */
  readonly maySleep: boolean
  /** Size, in pages of 4 KiB. */
  readonly pages: number
}

/** Null is NULL: there is no buffer. */
export type Server = 'own pool' | 'atomic pool' | 'own area' | 'default area' | 'page allocator' | null

/** The atomic pool of this board, all of it free. Unit: pages. */
export const ATOMIC_PAGES = 32
/** The largest block of the page allocator, which has one within every device's reach. Unit: pages. */
export const BLOCK_PAGES = 1024

/** Who serves the request. */
export function whoServes(request: Request): Server {
  const { ownPool, ownArea, defaultArea, coherent, maySleep, pages } = request
  if (ownPool !== 'none') return ownPool === 'room' ? 'own pool' : null
  if (!coherent && !maySleep) return pages <= ATOMIC_PAGES ? 'atomic pool' : null
  if (maySleep) {
    if (ownArea === 'room') return 'own area'
    if (pages > 1 && defaultArea === 'room') return 'default area'
  }
  return pages <= BLOCK_PAGES ? 'page allocator' : null
}
