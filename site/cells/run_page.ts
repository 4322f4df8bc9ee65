// SPDX-License-Identifier: MIT
//
// One run in the page: a worker is started for it and ended with it. The time limit runs from the moment at which the
// models are loaded; a page whose worker cannot load says so too.
//
// The worker starts from a blob: that imports the worker's file. So it inherits the policy of its page on any host, also
// on one that sends no headers: no script and no connection but to the site's own files, and no eval().
import type { CellWords } from './cell_words.ts'
import type { CellEnd, CellLimits, CellRun, WorkerReport, WorkerRequest } from './types.ts'

/** How long a worker may take to load itself and the models. */
const LOADING_LIMIT_MS = 30_000
/** Output is shown at once, and then so often at most: laying out 64 KiB takes its time. */
const SHOWN_EVERY_MS = 100

export interface PageRun {
  /** Resolves once, whatever happens. */
  readonly result: Promise<CellRun>
  /** Ends it now, as `stopped`. */
  stop(): void
}

/** A worker that inherits the page's policy. */
export function startWorker(address: string): Worker {
  const text = `import ${JSON.stringify(address)}`
  const blob = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  const worker = new Worker(blob, { type: 'module' })
  worker.addEventListener('message', () => URL.revokeObjectURL(blob), { once: true })
  return worker
}

/** Calls `show` with the newest text, at once and then at intervals. */
function paced(show: (text: string) => void): { show(text: string): void; stop(): void } {
  let newest: string | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  const next = () => {
    timer = undefined
    if (newest === null) return
    show(newest)
    newest = null
    timer = setTimeout(next, SHOWN_EVERY_MS)
  }
  return {
    show(text) {
      newest = text
      if (!timer) next()
    },
    stop: () => clearTimeout(timer),
  }
}

/** Runs a module; `onOutput` gets the whole output so far. */
export function runInPage(
  workerUrl: string,
  request: Pick<WorkerRequest, 'module' | 'models'>,
  limits: CellLimits,
  words: CellWords,
  onOutput: (text: string) => void,
): PageRun {
  const worker = startWorker(workerUrl)
  const pace = paced(onOutput)
  let output = ''
  let resolve: (run: CellRun) => void = () => undefined
  const result = new Promise<CellRun>((done) => (resolve = done))
  const finish = (end: CellEnd) => {
    worker.terminate()
    clearTimeout(timer)
    pace.stop()
    resolve({ output, end })
  }
  const loadingFailed = () => finish({ kind: 'error', text: words.noWorker, line: 0 })
  let timer = setTimeout(loadingFailed, LOADING_LIMIT_MS)

  worker.addEventListener('message', ({ data }: MessageEvent<WorkerReport>) => {
    if (data.kind === 'print') {
      output += data.text
      pace.show(output)
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
  const { beyond, nearest } = words
  const { outputLimit } = limits
  worker.postMessage({ ...request, outputLimit, words: { beyond, nearest } } satisfies WorkerRequest)
  return { result, stop: () => finish({ kind: 'stopped' }) }
}
