// SPDX-License-Identifier: MIT
//
// Hands a trace to a worker of its own, which is ended when it has answered or is no longer wanted.
import type { Played, TraceSource } from './read_source.ts'
import type { Told } from './worker.ts'

/** Put in by site/assets.ts: the worker's file, relative to this one. */
declare const MOVIE_WORKER: string

export interface Reading {
  /** Rejects with why it could not be read; never settles after stop(). */
  readonly played: Promise<Played>
  stop(): void
}

export function readTrace(source: TraceSource, progress: (bytes: number) => void): Reading {
  const worker = new Worker(new URL(MOVIE_WORKER, import.meta.url), { type: 'module' })
  const played = new Promise<Played>((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
      if (data.kind === 'progress') return progress(data.bytes)
      worker.terminate()
      if (data.kind === 'done') resolve(data.played)
      else reject(new Error(data.why))
    })
    // It could not be loaded, or ran out of memory.
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      worker.terminate()
      reject(new Error(event.message || 'offline?'))
    })
  })
  worker.postMessage(source)
  return { played, stop: () => worker.terminate() }
}
