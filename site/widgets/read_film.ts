// SPDX-License-Identifier: MIT
//
// A trace that a reader brings to a widget, read as the movie reads it: in a worker, with a bound on what is kept.
import { fill } from '../client/words.ts'
import { type Reading, readTrace } from './movie/ask_trace.ts'
import type { Film } from './movie/film_types.ts'
import type { Played } from './movie/read_source.ts'
import { movieText } from './movie/text.ts'
import { verdictOf } from './movie/verdict.ts'

export interface ReadFilm {
  /** Null: there is nothing to draw. */
  readonly film: Film | null
  /** What is said of the file. */
  readonly text: string
}

/** Reads one file at a time: the one before is let go, and its promise never settles. */
export function createFilmReader(): (file: Blob, name: string | null) => Promise<ReadFilm> {
  let running: Reading<Played> | null = null
  return async (file, given) => {
    const words = await movieText()
    running?.stop()
    running = readTrace({ file }, () => undefined)
    const played = await running.answer
    const { plays, text } = verdictOf(played, played.films.length > 0, given ?? words.pasted, words)
    if (!plays) return { film: null, text }
    // Of several areas the one with most to tell; requests that were refused at once name no page frame.
    const films = played.films.filter(({ span }) => span.end > span.start)
    const [film] = [...films].sort((a, b) => b.steps.length - a.steps.length)
    if (!film) return { film: null, text: text + words.doneNowhere }
    const values = { count: films.length, area: film.area ?? words.unnamedArea }
    return { film, text: films.length > 1 ? text + fill(words.doneArea, values) : text }
  }
}
