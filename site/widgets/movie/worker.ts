// SPDX-License-Identifier: MIT
//
// The worker that reads a trace, for the movie and for other widgets. It reads one source and is thrown away: stopping is terminating it.
import { type Played, playSource, readSource, type SourceRead, type TraceSource } from './read_source.ts'

/** What is wanted of a source: the events of these names; null: the films. */
export interface TraceAsk {
  readonly source: TraceSource
  readonly names: readonly string[] | null
}

/** What the page is told. */
export type Told =
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'done'; readonly answer: Played | SourceRead }
  | { readonly kind: 'failed'; readonly why: string }

/** The part of a worker's global scope that is used here (the project is typed with the DOM). */
interface Scope {
  postMessage(message: Told): void
  addEventListener(type: 'message', listener: (event: { data: TraceAsk }) => void): void
}

const scope = globalThis as unknown as Scope
const PROGRESS_MS = 100

scope.addEventListener('message', ({ data: { source, names } }) => {
  let told = performance.now()
  const progress = (bytes: number): void => {
    if (performance.now() - told < PROGRESS_MS) return
    told = performance.now()
    scope.postMessage({ kind: 'progress', bytes })
  }
  const reading = names ? readSource(source, names, progress) : playSource(source, progress)
  reading.then(
    (answer) => scope.postMessage({ kind: 'done', answer }),
    (error: unknown) =>
      scope.postMessage({ kind: 'failed', why: error instanceof Error ? error.message : String(error) }),
  )
})
