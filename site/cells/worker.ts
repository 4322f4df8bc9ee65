// SPDX-License-Identifier: MIT
//
// The page's worker: one message comes, one module runs, reports go back, and the page ends the worker. The module is
// text and becomes a module by a blob: address; a server that sends a policy with this file must allow `blob:` in its
// script-src, see build.ts.
import { countedConsole, endOfThrown, shutIn } from './sandbox.ts'
import type { WorkerReport, WorkerRequest } from './types.ts'

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

async function run({ module, models, outputLimit }: WorkerRequest): Promise<void> {
  const address = URL.createObjectURL(new Blob([module], { type: 'text/javascript' }))
  const fail = (thrown: unknown) => post({ kind: 'end', end: endOfThrown(thrown, address) })
  scope.addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    fail(event.reason)
  })
  try {
    await Promise.all(models.map((model) => import(model)))
    scope.console = countedConsole(outputLimit, post)
    shutIn(scope)
    post({ kind: 'started' })
    await import(address)
    post({ kind: 'end', end: { kind: 'done' } })
  } catch (error) {
    fail(error)
  }
}

scope.addEventListener('message', (event) => void run(event.data))
