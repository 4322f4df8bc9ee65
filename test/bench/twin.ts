// SPDX-License-Identifier: MIT
//
// Twins: the same algorithm in C (twins/*.c), built with `gcc -O2` for the run and removed after it. A twin does as many
// operations as it is told, prints the nanoseconds that they took and a sum over what they gave; the sum must be ours.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchResult, BenchSkip } from './measure.ts'

/** What a side has to say of a round. */
export interface Turn {
  readonly ns: number
  readonly sum: number
}

/** Runs the twin with these arguments. */
export type Twin = (...args: readonly number[]) => Turn

/** Builds a twin and hands it over; a machine without gcc skips. */
export function withTwin<T>(name: string, work: (twin: Twin) => T): T | BenchSkip {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-bench-'))
  const program = join(folder, name)
  try {
    const source = join(process.cwd(), 'test/bench/twins', `${name}.c`)
    try {
      execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source])
    } catch (failure) {
      if ((failure as { code?: string }).code !== 'ENOENT') throw failure
      return { what: `against twins/${name}.c`, skip: 'gcc is not installed' }
    }
    return work((...args) => {
      const [ns, sum] = execFileSync(program, args.map(String), { encoding: 'utf8' }).split(' ').map(Number)
      return { ns: ns!, sum: sum! }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Nanoseconds an operation of both sides, in turn. Throws when they did not do the same. */
export function againstTwin(
  rounds: number,
  operations: number,
  ours: () => Turn,
  twin: () => Turn,
): Pick<BenchResult, 'ours' | 'against' | 'unit'> {
  // A JavaScript engine compiles hot code while it runs: the first rounds are not those of a machine at work.
  for (let warm = 0; warm < 3; warm++) ours()
  const turns = Array.from({ length: rounds }, () => ({ ours: ours(), twin: twin() }))
  const differs = turns.find((turn) => turn.ours.sum !== turn.twin.sum)
  if (differs)
    throw new Error(`bench: the model adds up to ${differs.ours.sum}, its twin to ${differs.twin.sum}`)
  return {
    unit: 'ns',
    ours: turns.map((turn) => turn.ours.ns / operations),
    against: turns.map((turn) => turn.twin.ns / operations),
  }
}

/** The generator of the twins. Its state is kept as a signed number of 32 bits, which the engine does not put on the heap. */
export function twinSequence(): (below: number) => number {
  let state = 1
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) % below
  }
}
