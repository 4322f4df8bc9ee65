// SPDX-License-Identifier: MIT
//
// What is known of page frames, as runs of equal state: sorted, none touching, none empty. A page in no run is one that
// the trace has told nothing of. A trace names ranges, so there are as many runs as it has events, however large the memory.

/** A page as far as the trace has told. What each is called: site/text/en_movie.ts. */
export type PageState =
  | 'searched'
  | 'collected'
  | 'partly-collected'
  | 'moved'
  | 'partly-moved'
  | 'stuck'
  | 'held'
  | 'taken'
  | 'freed'

/** Page frames from `start` to, not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Pages that a step changes; null: nothing is known of them any more. */
export interface Paint extends Span {
  readonly state: PageState | null
}

export interface Run extends Span {
  readonly state: PageState
}

/** The runs after `paint`, in a new array; those that it does not touch are the same objects. */
export function painted(runs: readonly Run[], { start, end, state }: Paint): Run[] {
  if (start >= end) return [...runs]
  // Those that touch it may become one with it.
  const from = firstIndex(runs, (run) => run.end >= start)
  const to = firstIndex(runs, (run) => run.start > end)
  const touched = runs.slice(from, to)
  const before = touched.filter((run) => run.start < start).map((run) => clip(run, run.start, start))
  const after = touched.filter((run) => run.end > end).map((run) => clip(run, end, run.end))
  const middle = state === null ? [] : [{ start, end, state }]
  return runs.slice(0, from).concat(joined([...before, ...middle, ...after]), runs.slice(to))
}

/** Index of the first run for which `holds` does, as it does for all after it; their number for none. */
function firstIndex(runs: readonly Run[], holds: (run: Run) => boolean): number {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(runs[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

const clip = (run: Run, start: number, end: number): Run => ({
  start: Math.max(run.start, start),
  end: Math.min(run.end, end),
  state: run.state,
})

function joined(runs: readonly Run[]): Run[] {
  const out: Run[] = []
  for (const run of runs) {
    const last = out.at(-1)
    if (last && last.end === run.start && last.state === run.state)
      out[out.length - 1] = { ...last, end: run.end }
    else out.push(run)
  }
  return out
}

/** The parts of `runs` that lie in `span` and have one of `states`. */
export function within(runs: readonly Run[], span: Span, states: readonly PageState[]): Run[] {
  return runs
    .filter((run) => run.start < span.end && run.end > span.start && states.includes(run.state))
    .map((run) => clip(run, span.start, span.end))
}
