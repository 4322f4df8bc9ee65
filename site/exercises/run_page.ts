// SPDX-License-Identifier: MIT
//
// One request to one worker, in the page: started for it and ended with it, whatever the reader's code does.
import { CHECK_LIMIT_MS, PRINTED_LINES } from '../../code/exercise/outcome.ts'
import type { Question } from '../../code/exercise/question.ts'
import { startWorker } from '../cells/run_page.ts'
import type { Ended } from './answer.ts'
import type { AskRequest, CheckRequest, WorkerRequest, WorkerTold } from './types.ts'

/** Put in by site/cells/build.ts: addresses of the built files, relative to this one. */
declare const CELL_ASSETS: string

const built = JSON.parse(CELL_ASSETS) as { checkWorker: string; modules: Record<string, string> }

const here = (path: string): string => new URL(path, import.meta.url).href

/** The address of a model; null for a name that is none. */
export function addressOf(specifier: string): string | null {
  return Object.hasOwn(built.modules, specifier) ? here(built.modules[specifier] ?? '') : null
}

/** How long a worker may take to load itself, the models and the check. */
const LOADING_LIMIT_MS = 30_000

/** Nothing came: the page is offline, or is no longer served. */
export class NotLoaded extends Error {}

type Last = Ended | Extract<WorkerTold, { state: 'asked' }>

function send(request: WorkerRequest, signal: AbortSignal, heard: (line: string) => void): Promise<Last> {
  const worker = startWorker(here(built.checkWorker))
  let timer: ReturnType<typeof setTimeout> | undefined
  let started = false
  return new Promise<Last>((resolve, reject) => {
    timer = setTimeout(() => reject(new NotLoaded()), LOADING_LIMIT_MS)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    worker.addEventListener('message', ({ data }: MessageEvent<WorkerTold>) => {
      if (data.state === 'printed') heard(String(data.text))
      else if (data.state !== 'started') resolve(data)
      else if (!started) {
        started = true
        clearTimeout(timer)
        timer = setTimeout(() => resolve({ state: 'time', limitMs: CHECK_LIMIT_MS }), CHECK_LIMIT_MS)
      }
    })
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      if (started) resolve({ state: 'ended' })
      else reject(new NotLoaded())
    })
    worker.postMessage(request)
  }).finally(() => {
    clearTimeout(timer)
    worker.terminate()
  })
}

/** Runs a check; rejects with `NotLoaded` when there is nothing to run, with the signal's reason when it is aborted. */
export async function runCheck(
  request: CheckRequest,
  signal: AbortSignal,
): Promise<{ ended: Ended; printed: readonly string[] }> {
  const printed: string[] = []
  const last = await send(request, signal, (text) => {
    if (printed.length < PRINTED_LINES)
      printed.push(...text.split('\n').slice(0, PRINTED_LINES - printed.length))
  })
  return { ended: last.state === 'asked' ? { state: 'ended' } : last, printed }
}

/** Asks a question. */
export async function ask(request: AskRequest): Promise<Question> {
  const last = await send(request, new AbortController().signal, () => undefined)
  if (last.state === 'asked') return last.question
  throw new Error(`ask: ${request.question} did not ask, seed ${request.seed}: ${JSON.stringify(last)}`)
}
