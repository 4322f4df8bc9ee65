/** The free pages of a zone and its watermarks, in pages. */
interface Zone {
  free: number
  min: number
  low: number
  high: number
}

export function reclaimPages(
  zone: Zone,
  count: number,
  reclaim: () => number,
  outOfMemory: () => void,
): number {
  while (zone.free <= zone.low) {
    if (reclaim() === 0) outOfMemory()
  }
  return count
}
