// SPDX-License-Identifier: MIT
//
// A trace as the frames of a widget's kind. Fetched when the first one comes.
import { fill } from '../client/words.ts'
import { addressesOfEvents, DMA_EVENTS } from './addresses_trace.ts'
import { bitmapOfFilm } from './bitmap_trace.ts'
import { movieText } from './movie/text.ts'
import { createEventReader, type ReadFrames } from './read_events.ts'
import { createFilmReader } from './read_film.ts'
import type { TraceReader } from './trace_desk.ts'
import type { TracedKind } from './traced_kinds.ts'

/** Of a longer trace the first pictures are shown. */
const MOST = 1000

function bitmapReader(): TraceReader<ReadFrames> {
  const { read, stop } = createFilmReader()
  return {
    stop,
    read: async (file, name) => {
      const { films, text, chosen } = await read(file, name)
      const [film] = films
      return film ? { frames: bitmapOfFilm(film, MOST), text: text + chosen(film) } : { frames: [], text }
    },
  }
}

const READERS = {
  'cma-bitmap': bitmapReader,
  'three-addresses': () => createEventReader(DMA_EVENTS, 'dma', (events) => addressesOfEvents(events, MOST)),
} satisfies Record<TracedKind, () => TraceReader<ReadFrames>>

export function createTraceReader(kind: TracedKind): TraceReader<ReadFrames> {
  const { read, stop } = READERS[kind]()
  return {
    stop,
    read: async (file, name) => {
      const traced = await read(file, name)
      if (traced.frames.length < MOST) return traced
      return { ...traced, text: traced.text + fill((await movieText()).doneFrames, { frames: MOST }) }
    },
  }
}
