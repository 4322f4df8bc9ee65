// SPDX-License-Identifier: MIT
//
// One run in the page: a worker is started for it and ended with it. The time limit runs from the moment at which the
// models are loaded; a page whose worker cannot load says so too.
import {
  type CellEnd,
  type CellLimits,
  type CellRun,
  type WorkerReport,
  type WorkerRequest,
} from './types.ts'

/** How long a worker may take to load itself and the models. */
const LOADING_LIMIT_MS = 30_000

export interface PageRun {
  /** Resolves once, whatever happens. */
  readonly result: Promise<CellRun>
  /** Ends it now, as `stopped`. */
  stop(): void
}

/** Runs a module; `onOutput` gets the whole output so far, at most once a frame. */
export function runInPage(
  workerUrl: string,
  request: Omit<WorkerRequest, 'outputLimit'>,
  limits: CellLimits,
  onOutput: (text: string) => void,
): PageRun {
  const worker = new Worker(workerUrl, { type: 'module' })
  let output = ''
  let frame = 0
  let resolve: (run: CellRun) => void = () => undefined
  const result = new Promise<CellRun>((done) => (resolve = done))
  const finish = (end: CellEnd) => {
    worker.terminate()
    clearTimeout(timer)
    cancelAnimationFrame(frame)
    resolve({ output, end })
  }
  const loadingFailed = () =>
    finish({
      kind: 'error',
      text: 'the worker or a model could not be loaded; is the page still served?',
      line: 0,
    })
  let timer = setTimeout(loadingFailed, LOADING_LIMIT_MS)

  worker.addEventListener('message', ({ data }: MessageEvent<WorkerReport>) => {
    if (data.kind === 'print') {
      output += data.text
      frame ||= requestAnimationFrame(() => {
        frame = 0
        onOutput(output)
      })
    } else if (data.kind === 'end') {
      finish(data.end)
    } else {
      clearTimeout(timer)
      timer = setTimeout(() => finish({ kind: 'time', limitMs: limits.timeoutMs }), limits.timeoutMs)
    }
  })
  worker.addEventListener('error', (event) => {
    event.preventDefault()
    loadingFailed()
  })
  worker.postMessage({ ...request, outputLimit: limits.outputLimit } satisfies WorkerRequest)
  return { result, stop: () => finish({ kind: 'stopped' }) }
}
