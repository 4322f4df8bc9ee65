// SPDX-License-Identifier: MIT
//
// Two things timed in turn.

export interface BenchResult {
  readonly what: string
  /** Milliseconds, one a round. */
  readonly ours: readonly number[]
  readonly against: readonly number[]
  /** The ratio of the medians that is still good. */
  readonly limit: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function milliseconds(work: () => void): number {
  const began = performance.now()
  work()
  return performance.now() - began
}

/** Runs both in turn, `rounds` times after one round that does not count. */
export function sideBySide(
  rounds: number,
  ours: () => void,
  against: () => void,
): Pick<BenchResult, 'ours' | 'against'> {
  ours()
  against()
  const times = Array.from({ length: rounds }, () => ({
    ours: milliseconds(ours),
    against: milliseconds(against),
  }))
  return { ours: times.map((time) => time.ours), against: times.map((time) => time.against) }
}
