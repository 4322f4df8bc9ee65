// SPDX-License-Identifier: MIT
//
// The page's worker: one message comes, one module runs, reports go back, and the page ends the worker. The module is
// text and becomes a module by a blob: address, which the page's policy allows (site/policy.ts).
import { fill } from '../client/fill.ts'
import { nearestWord } from '../../code/lib/nearest_word.ts'
import { countedConsole, endOfThrown, shutIn } from './sandbox.ts'
import type { CellEnd, WorkerReport, WorkerRequest } from './types.ts'

/** The part of a worker's global scope that is used here (the project is typed with the DOM). */
interface Scope {
  postMessage(message: WorkerReport): void
  addEventListener(type: 'message', listener: (event: { data: WorkerRequest }) => void): void
  addEventListener(
    type: 'unhandledrejection',
    listener: (event: { reason: unknown; preventDefault(): void }) => void,
  ): void
  console: Console
}

const scope = globalThis as unknown as Scope
const post = scope.postMessage.bind(scope)

/** The end of a cell that asked a model for a name it has not: with the nearest that it has. */
function withNearest(
  end: CellEnd,
  modules: ReadonlyMap<string, object>,
  words: WorkerRequest['words'],
): CellEnd {
  if (end.kind !== 'error') return end
  const [, model = '', name = ''] =
    /module '([^']+)' does not provide an export named '([^']+)'/.exec(end.text) ?? []
  const near = nearestWord(name, Object.keys(modules.get(model) ?? {}))
  return near === null ? end : { ...end, text: fill(words.nearest, { text: end.text, name: near }) }
}

async function run({ module, models, outputLimit, words }: WorkerRequest): Promise<void> {
  const address = URL.createObjectURL(new Blob([module], { type: 'text/javascript' }))
  const modules = new Map<string, object>()
  const { console, flush } = countedConsole(outputLimit, post)
  let ended = false
  const finish = (end: CellEnd) => {
    if (ended) return
    ended = true
    flush()
    post({ kind: 'end', end })
  }
  const fail = (thrown: unknown) => finish(withNearest(endOfThrown(thrown, address), modules, words))
  scope.addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    fail(event.reason)
  })
  try {
    await Promise.all(models.map(async (model) => modules.set(model, (await import(model)) as object)))
    scope.console = console
    shutIn(scope, words)
    post({ kind: 'started' })
    await import(address)
    finish({ kind: 'done' })
  } catch (error) {
    fail(error)
  }
}

scope.addEventListener('message', (event) => void run(event.data))
