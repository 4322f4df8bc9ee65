// SPDX-License-Identifier: MIT
//
// A trace of a board on the map: where in the memory its page frames lie, step by step as in the movie. The map below stays
// the model's; of the board there is what the trace names. Fetched when the first trace comes.
import type { MovieText } from '../text/en_movie.ts'
import type { WidgetText } from '../text/en_widgets.ts'
import { makeControls } from './controls.ts'
import type { MapMarks } from './map_canvas.ts'
import type { Film } from './movie/film_types.ts'
import { openFilm } from './movie/frame.ts'
import { createPlayer, type Player, playerKey } from './movie/player.ts'
import { sentenceOfStep } from './movie/sentence.ts'
import { movieText } from './movie/text.ts'
import { createFilmReader, type ReadFilms } from './read_film.ts'
import type { TraceReader } from './trace_desk.ts'

const STEP_MS = 500

/** A step, as the map shows it. */
export interface MapStep {
  readonly said: string
  readonly marks: MapMarks
  readonly playing: boolean
}

export interface ReadMapTrace extends ReadFilms {
  /** Starts a film at its first step: a strip to go through it, and who to show each step to. */
  start(film: Film, words: WidgetText['controls'], title: string, show: (step: MapStep) => void): MapTrace
}

export interface MapTrace {
  readonly strip: HTMLElement
  readonly player: Player
}

export function createMapTraceReader(): TraceReader<ReadMapTrace> {
  const { read, stop } = createFilmReader()
  return {
    stop,
    read: async (file, name) => {
      const [films, words] = await Promise.all([read(file, name), movieText()])
      return {
        ...films,
        start: (film, controlWords, title, show) => startFilm(film, words, { controlWords, title, show }),
      }
    },
  }
}

interface Stage {
  readonly controlWords: WidgetText['controls']
  readonly title: string
  readonly show: (step: MapStep) => void
}

function startFilm(film: Film, words: MovieText, { controlWords, title, show }: Stage): MapTrace {
  const frameAt = openFilm(film)
  const controls = makeControls(controlWords, title, {
    go: (at) => player.go(at),
    play: () => player.toggle(),
  })
  const player = createPlayer(STEP_MS, () => {
    const { at, count, playing } = player
    controls.show({ at, count, playing })
    const { step, runs } = frameAt(at)
    const marks = {
      taken: runs.filter(({ state }) => state === 'taken'),
      about: step.paints.filter(({ start, end }) => end > start),
      tried: step.range,
    }
    show({ said: sentenceOfStep(step, words), playing, marks })
  })
  controls.element.addEventListener('keydown', (event) => playerKey(player, event))
  player.load(film.steps.length)
  return { strip: controls.element, player }
}
