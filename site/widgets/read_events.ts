// SPDX-License-Identifier: MIT
//
// The events of some kinds in a trace that a reader brings to a widget, read in a worker.
import type { MovieText } from '../text/en_movie.ts'
import { type Reading, readEvents } from './movie/ask_trace.ts'
import type { KeptEvent } from './movie/film_types.ts'
import type { SourceRead } from './movie/read_source.ts'
import { movieText } from './movie/text.ts'
import { verdictOf } from './movie/verdict.ts'

export interface ReadEvents {
  /** None: there is nothing to draw. */
  readonly events: readonly KeptEvent[]
  /** What is said of the file. */
  readonly text: string
}

/**
 * Reads one file at a time: the one before is let go, and its promise never settles. `missing` is what is said of a trace
 * without such events.
 */
export function createEventReader(
  names: readonly string[],
  missing: keyof MovieText['missing'],
): (file: Blob, name: string | null) => Promise<ReadEvents> {
  let running: Reading<SourceRead> | null = null
  return async (file, given) => {
    const words = await movieText()
    running?.stop()
    running = readEvents({ file }, names, () => undefined)
    const { kept: events, ...read } = await running.answer
    const { none, unread, want } = words.missing[missing]
    const told = { ...words, want, problems: { ...words.problems, none, unread } }
    return {
      events,
      text: verdictOf({ ...read, kept: events.length }, events.length > 0, given ?? words.pasted, told).text,
    }
  }
}
