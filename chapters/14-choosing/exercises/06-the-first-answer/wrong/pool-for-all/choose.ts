// SPDX-License-Identifier: MIT
//
// Which way a device gets its buffer, and what programs pay for it.

/** What is known of a device and its one buffer. */
export interface Need {
  /** Size of the buffer. Unit: MiB. */
  readonly mib: number
  /** An IOMMU translates for the device. */
  readonly iommu: boolean
  /** The buffer must lie at one address. */
  readonly fixed: boolean
  /** One driver is all that uses the memory, and it does not need the DMA API to hand it out. */
  readonly oneDriver: boolean
  /** It is taken at boot, and kept. */
  readonly atBoot: boolean
  /** It may fail now and then, or be late. */
  readonly mayFail: boolean
}

export interface Choice {
  readonly road: 'pages' | 'region' | 'pool' | 'buddy' | 'area'
  /** By how much `MemTotal` is less. Unit: MiB. */
  readonly costs: number
}

/** The first answer that fits. */
export function choose(need: Need): Choice {
  const pool: Choice = { road: 'pool', costs: 2 ** Math.ceil(Math.log2(need.mib)) }
  if (need.iommu) return { road: 'pages', costs: 0 }
  if (need.fixed) return need.oneDriver ? { road: 'region', costs: need.mib } : pool
  if (need.mib <= 4 && need.atBoot) return { road: 'buddy', costs: 0 }
  return pool
}
