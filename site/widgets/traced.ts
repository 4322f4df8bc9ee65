// SPDX-License-Identifier: MIT
//
// A trace that a reader brings to a widget: read as the movie reads it, in a worker, and made into the frames of the widget's
// kind. Fetched when the first one comes.
import { fill } from '../client/words.ts'
import { bitmapOfFilm, FRAMES_OF_TRACE } from './bitmap_trace.ts'
import type { Frame } from './frame.ts'
import { type Reading, readTrace } from './movie/ask_trace.ts'
import type { Film } from './movie/film_types.ts'
import { movieText } from './movie/text.ts'
import { verdictOf } from './movie/verdict.ts'
import type { TracedKind } from './traced_kinds.ts'

const TRACED = { 'cma-bitmap': bitmapOfFilm } satisfies Record<TracedKind, (film: Film) => readonly Frame[]>

/** What a widget makes of a trace. */
export interface Traced {
  /** None: nothing in it is of this kind. */
  readonly frames: readonly Frame[]
  /** What is said of the file. */
  readonly text: string
}

/** Reads one file at a time: the one before is let go, and its promise never settles. */
export function createTraceReader(kind: TracedKind): (file: Blob, name: string | null) => Promise<Traced> {
  let running: Reading | null = null
  return async (file, given) => {
    const words = await movieText()
    running?.stop()
    running = readTrace({ file }, () => undefined)
    const played = await running.played
    const { plays, text } = verdictOf(played, given ?? words.pasted, words)
    if (!plays) return { frames: [], text }
    // Of several areas the one with most to tell; requests that were refused at once name no page frame.
    const films = played.films.filter(({ span }) => span.end > span.start)
    const [film] = [...films].sort((a, b) => b.steps.length - a.steps.length)
    if (!film) return { frames: [], text: text + words.doneNowhere }
    const frames = TRACED[kind](film)
    const more = [
      text,
      films.length > 1
        ? fill(words.doneArea, { count: films.length, area: film.area ?? words.unnamedArea })
        : '',
      frames.length >= FRAMES_OF_TRACE ? fill(words.doneFrames, { frames: FRAMES_OF_TRACE }) : '',
    ]
    return { frames, text: more.join('') }
  }
}
