// SPDX-License-Identifier: MIT
//
// Asks the models from the page: one worker for all widgets, started with the first question. Two questions of one
// asker overtake each other; the asker drops what it no longer wants.
import type { FilmKind } from './kinds_frames.ts'
import type { Frame } from './frame.ts'

/** Put in by site/assets.ts: the worker's file, relative to this one. */
declare const WIDGET_WORKER: string

/** What the page sends to the worker. */
export interface Question {
  readonly number: number
  readonly kind: FilmKind
  readonly scenario: unknown
}

/** What it gets back. */
export interface Answer {
  readonly number: number
  readonly frames: readonly Frame[]
  /** Why there are none; null when there are. */
  readonly failure: string | null
}

let worker: Worker | null = null
let asked = 0
const open = new Map<number, { resolve: (frames: readonly Frame[]) => void; reject: (why: Error) => void }>()

function started(): Worker {
  const made = new Worker(new URL(WIDGET_WORKER, import.meta.url), { type: 'module' })
  made.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const waiting = open.get(data.number)
    open.delete(data.number)
    if (data.failure === null) waiting?.resolve(data.frames)
    else waiting?.reject(new Error(data.failure))
  })
  // It could not be loaded: the next question tries again.
  made.addEventListener('error', (event) => {
    event.preventDefault()
    worker = null
    made.terminate()
    for (const { reject } of open.values()) reject(new Error(event.message))
    open.clear()
  })
  return made
}

/** The frames of a scenario; rejects with what the models said against it, without a message when they cannot be loaded. */
export function askFrames(kind: FilmKind, scenario: unknown): Promise<readonly Frame[]> {
  worker ??= started()
  const number = (asked += 1)
  const answer = new Promise<readonly Frame[]>((resolve, reject) => open.set(number, { resolve, reject }))
  worker.postMessage({ number, kind, scenario } satisfies Question)
  return answer
}
