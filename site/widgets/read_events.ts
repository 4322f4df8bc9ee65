// SPDX-License-Identifier: MIT
//
// The events of some kinds in a trace that a reader brings to a widget, read in a worker, and made into its frames.
import type { MovieText } from '../text/en_movie.ts'
import type { Frame } from './frame.ts'
import { oneReading, readEvents } from './movie/ask_trace.ts'
import type { KeptEvent } from './movie/film_types.ts'
import { movieText } from './movie/text.ts'
import { verdictOf } from './movie/verdict.ts'
import type { TraceReader } from './trace_desk.ts'

export interface ReadFrames {
  /** None: there is nothing to draw. */
  readonly frames: readonly Frame[]
  /** What is said of the file. */
  readonly text: string
}

/** `missing` is what is said of a trace without such events. */
export function createEventReader(
  names: readonly string[],
  missing: keyof MovieText['missing'],
  framesOf: (events: readonly KeptEvent[]) => readonly Frame[],
): TraceReader<ReadFrames> {
  const reading = oneReading((file) => readEvents({ file }, names, () => undefined))
  return {
    stop: reading.stop,
    read: async (file, given) => {
      const words = await movieText()
      const { kept: events, ...facts } = await reading.begin(file)
      const frames = framesOf(events)
      const { none, unread, want } = words.missing[missing]
      const told = { ...words, want, problems: { ...words.problems, none, unread } }
      const read = { ...facts, kept: events.length }
      return { frames, text: verdictOf(read, frames.length > 0, given ?? words.pasted, told).text }
    },
  }
}
