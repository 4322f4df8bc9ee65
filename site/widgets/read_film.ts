// SPDX-License-Identifier: MIT
//
// A trace that a reader brings to a widget, read as the movie reads it: in a worker, with a bound on what is kept.
import { fill } from '../client/words.ts'
import { oneReading, readTrace } from './movie/ask_trace.ts'
import type { Film } from './movie/film_types.ts'
import { movieText } from './movie/text.ts'
import { verdictOf } from './movie/verdict.ts'
import type { TraceReader } from './trace_desk.ts'

export interface ReadFilms {
  /** One for each area that page frames are named of, the one with most to tell in front; none: there is nothing to draw. */
  readonly films: readonly Film[]
  /** What is said of the file. */
  readonly text: string
  /** What is added once one of several was chosen. */
  chosen(film: Film): string
}

export function createFilmReader(): TraceReader<ReadFilms> {
  const reading = oneReading((file) => readTrace({ file }, () => undefined))
  return {
    stop: reading.stop,
    read: async (file, given) => {
      const words = await movieText()
      const played = await reading.begin(file)
      const { plays, text } = verdictOf(played, played.films.length > 0, given ?? words.pasted, words)
      // Requests that were refused at once name no page frame.
      const films = played.films
        .filter(({ span }) => span.end > span.start)
        .sort((a, b) => b.steps.length - a.steps.length)
      return {
        films: plays ? films : [],
        text: plays && films.length === 0 ? text + words.doneNowhere : text,
        chosen: ({ area }) =>
          films.length > 1
            ? fill(words.doneArea, { count: films.length, area: area ?? words.unnamedArea })
            : '',
      }
    },
  }
}
