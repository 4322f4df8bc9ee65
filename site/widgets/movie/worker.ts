// SPDX-License-Identifier: MIT
//
// The worker that reads a trace for the movie. It reads one source and is thrown away: stopping is terminating it.
import { type Played, playSource, type TraceSource } from './read_source.ts'

/** What the page is told. */
export type Told =
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'done'; readonly played: Played }
  | { readonly kind: 'failed'; readonly why: string }

/** The part of a worker's global scope that is used here (the project is typed with the DOM). */
interface Scope {
  postMessage(message: Told): void
  addEventListener(type: 'message', listener: (event: { data: TraceSource }) => void): void
}

const scope = globalThis as unknown as Scope
const PROGRESS_MS = 100

scope.addEventListener('message', ({ data }) => {
  let told = performance.now()
  const progress = (bytes: number): void => {
    if (performance.now() - told < PROGRESS_MS) return
    told = performance.now()
    scope.postMessage({ kind: 'progress', bytes })
  }
  playSource(data, progress).then(
    (played) => scope.postMessage({ kind: 'done', played }),
    (error: unknown) =>
      scope.postMessage({ kind: 'failed', why: error instanceof Error ? error.message : String(error) }),
  )
})
