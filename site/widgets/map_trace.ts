// SPDX-License-Identifier: MIT
//
// A trace of a board on the map: where in the memory its page frames lie, step by step as in the movie. The map below stays
// the model's; of the board there is what the trace names. Fetched when the first trace comes.
import type { WidgetText } from '../text/en_widgets.ts'
import { makeControls } from './controls.ts'
import type { MapMarks } from './map_canvas.ts'
import type { Film } from './movie/film_types.ts'
import { openFilm } from './movie/frame.ts'
import { createPlayer, type Player, playerKey } from './movie/player.ts'
import { sentenceOfStep } from './movie/sentence.ts'
import { movieText } from './movie/text.ts'
import { createFilmReader } from './read_film.ts'

const STEP_MS = 500

/** A step, as the map shows it. */
export interface MapStep {
  readonly said: string
  readonly marks: MapMarks
  readonly playing: boolean
}

export interface ReadMapTrace {
  readonly film: Film | null
  readonly text: string
  /** Starts the film at its first step: a strip to go through it, and who to show each step to. */
  start(words: WidgetText['controls'], title: string, show: (step: MapStep) => void): MapTrace
}

export interface MapTrace {
  readonly strip: HTMLElement
  readonly player: Player
}

export function createMapTraceReader(): (file: Blob, name: string | null) => Promise<ReadMapTrace> {
  const read = createFilmReader()
  return async (file, given) => {
    const [said, words] = await Promise.all([read(file, given), movieText()])
    const { film, text } = said
    return {
      film,
      text,
      start: (controlWords, title, show) => {
        if (!film) throw new Error('map trace: it has no film, expected one that was looked at before')
        const frameAt = openFilm(film)
        const controls = makeControls(controlWords, title, {
          go: (at) => player.go(at),
          play: () => player.toggle(),
        })
        const player = createPlayer(STEP_MS, () => {
          const { at, count, playing } = player
          controls.show({ at, count, playing })
          const { step, runs } = frameAt(at)
          show({
            said: sentenceOfStep(step, words),
            playing,
            marks: {
              taken: runs.filter(({ state }) => state === 'taken'),
              about: step.paints.filter(({ start, end }) => end > start),
              tried: step.range,
            },
          })
        })
        controls.element.addEventListener('keydown', (event) => playerKey(player, event))
        player.load(film.steps.length)
        return { strip: controls.element, player }
      },
    }
  }
}
