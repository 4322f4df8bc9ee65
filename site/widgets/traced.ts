// SPDX-License-Identifier: MIT
//
// A trace as the frames of a widget's kind. Fetched when the first one comes.
import { fill } from '../client/words.ts'
import { addressesOfEvents, DMA_EVENTS } from './addresses_trace.ts'
import { bitmapOfFilm } from './bitmap_trace.ts'
import type { Frame } from './frame.ts'
import { movieText } from './movie/text.ts'
import { createEventReader } from './read_events.ts'
import { createFilmReader } from './read_film.ts'
import type { TraceReader } from './trace_desk.ts'
import type { TracedKind } from './traced_kinds.ts'

/** Of a longer trace the first pictures are shown. */
const MOST = 1000

/** What a widget makes of a trace. */
export interface Traced {
  /** None: nothing in it is of this kind. */
  readonly frames: readonly Frame[]
  /** What is said of the file. */
  readonly text: string
}

function readBitmap(): TraceReader<Traced> {
  const read = createFilmReader()
  return async (file, name) => {
    const { film, text } = await read(file, name)
    return { frames: film ? bitmapOfFilm(film, MOST) : [], text }
  }
}

function readAddresses(): TraceReader<Traced> {
  const read = createEventReader(DMA_EVENTS, 'dma')
  return async (file, name) => {
    const { events, text } = await read(file, name)
    return { frames: addressesOfEvents(events, MOST), text }
  }
}

const READERS = {
  'cma-bitmap': readBitmap,
  'three-addresses': readAddresses,
} satisfies Record<TracedKind, () => TraceReader<Traced>>

/** Reads one file at a time: the one before is let go, and its promise never settles. */
export function createTraceReader(kind: TracedKind): TraceReader<Traced> {
  const read = READERS[kind]()
  return async (file, name) => {
    const traced = await read(file, name)
    if (traced.frames.length < MOST) return traced
    return { ...traced, text: traced.text + fill((await movieText()).doneFrames, { frames: MOST }) }
  }
}
