// SPDX-License-Identifier: MIT
//
// Hands a trace to a worker of its own, which is ended when it has answered or is no longer wanted.
import type { Played, SourceRead, TraceSource } from './read_source.ts'
import type { Told, TraceAsk } from './worker.ts'

/** Put in by site/assets.ts: the worker's file, relative to this one. */
declare const MOVIE_WORKER: string

export interface Reading<Answer> {
  /** Rejects with why it could not be read; never settles after stop(). */
  readonly answer: Promise<Answer>
  stop(): void
}

type Progress = (bytes: number) => void

/** The films in a trace. */
export const readTrace = (source: TraceSource, progress: Progress): Reading<Played> =>
  ask({ source, names: null }, progress) as Reading<Played>

/** The events of these names in a trace. */
export const readEvents = (
  source: TraceSource,
  names: readonly string[],
  progress: Progress,
): Reading<SourceRead> => ask({ source, names }, progress) as Reading<SourceRead>

function ask(wanted: TraceAsk, progress: Progress): Reading<Played | SourceRead> {
  const worker = new Worker(new URL(MOVIE_WORKER, import.meta.url), { type: 'module' })
  const answer = new Promise<Played | SourceRead>((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
      if (data.kind === 'progress') return progress(data.bytes)
      worker.terminate()
      if (data.kind === 'done') resolve(data.answer)
      else reject(new Error(data.why))
    })
    // It could not be loaded, or ran out of memory.
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      worker.terminate()
      reject(new Error(event.message || 'offline?'))
    })
  })
  worker.postMessage(wanted)
  return { answer, stop: () => worker.terminate() }
}

/** Reads one file after the other: what is being read when the next one comes, or at stop(), is let go. */
export function oneReading<Answer>(ask: (file: Blob) => Reading<Answer>): {
  begin(file: Blob): Promise<Answer>
  stop(): void
} {
  let running: Reading<Answer> | null = null
  const stop = (): void => running?.stop()
  return {
    begin: (file) => {
      stop()
      running = ask(file)
      return running.answer
    },
    stop,
  }
}
