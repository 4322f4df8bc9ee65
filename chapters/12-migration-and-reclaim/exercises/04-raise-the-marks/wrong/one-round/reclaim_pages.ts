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
  raise(zone, count)
  if (zone.free <= zone.low && reclaim() === 0) outOfMemory()
  raise(zone, -count)
  return count
}

function raise(zone: Zone, count: number): void {
  zone.min += count
  zone.low += count
  zone.high += count
}
