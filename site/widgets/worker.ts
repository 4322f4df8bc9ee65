// SPDX-License-Identifier: MIT
//
// The worker in which the models run for the widgets of a page, so that no run holds up a click.
import type { Answer, Question } from './ask.ts'
import { framesOf } from './kinds_frames.ts'

/** The part of a worker's global scope that is used here (the project is typed with the DOM). */
interface Scope {
  postMessage(message: Answer): void
  addEventListener(type: 'message', listener: (event: { data: Question }) => void): void
}

const scope = globalThis as unknown as Scope

scope.addEventListener('message', ({ data: { number, kind, scenario } }) => {
  try {
    scope.postMessage({ number, frames: framesOf(kind, scenario), failure: null })
  } catch (error) {
    scope.postMessage({ number, frames: [], failure: error instanceof Error ? error.message : String(error) })
  }
})
