// SPDX-License-Identifier: MIT
//
// Two things timed in turn: ours and a peer, in one run, so that a noisy machine is noisy for both.

export interface BenchResult {
  /** What is done, and by whom else. */
  readonly what: string
  /** What the numbers are: milliseconds a round, unless it says so. */
  readonly unit?: string
  /** One a round. */
  readonly ours: readonly number[]
  readonly against: readonly number[]
  /** The ratio of the medians that is still good. */
  readonly limit: number
  /** What keeps it from its target where it is known to miss it. */
  readonly limitedBy?: string
}

/** A bench that cannot run here. */
export interface BenchSkip {
  readonly what: string
  readonly skip: string
}

/** What a file of this folder gives: a row of the table, or several by name. */
export type Bench = () => BenchRows | Promise<BenchRows>
export type BenchRows = BenchResult | BenchSkip | Readonly<Record<string, BenchResult | BenchSkip>>

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function milliseconds(work: () => void): number {
  const began = performance.now()
  work()
  return performance.now() - began
}

/**
 * Nanoseconds that this process has computed, with the kernel's share and that of the engine's own threads. A busy machine
 * does not change it: of wall time, it takes more from a side that needs longer than a time slice.
 */
export function cpuNanoseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** Time of the processor, for a target in seconds. */
export function cpuMilliseconds(work: () => void): number {
  const began = cpuNanoseconds()
  work()
  return (cpuNanoseconds() - began) / 1e6
}

/** Runs both in turn, `rounds` times after one round that does not count. */
export function sideBySide(
  rounds: number,
  ours: () => void,
  against: () => void,
): Pick<BenchResult, 'ours' | 'against'> {
  return inTurn(
    rounds,
    () => milliseconds(ours),
    () => milliseconds(against),
  )
}

/** The same for sides that take their own time and say what it was. */
export function inTurn(
  rounds: number,
  ours: () => number,
  against: () => number,
): Pick<BenchResult, 'ours' | 'against'> {
  ours()
  against()
  const times = Array.from({ length: rounds }, () => ({ ours: ours(), against: against() }))
  return { ours: times.map((time) => time.ours), against: times.map((time) => time.against) }
}
