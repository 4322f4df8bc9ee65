// SPDX-License-Identifier: MIT
//
// The page's worker for exercises: one request comes, one check runs or one question is asked, and the page ends the
// worker. The reader's module is loaded by a blob: address, as a cell's is.
import { BEYOND } from '../../code/exercise/outcome.ts'
import type { Question } from '../../code/exercise/question.ts'
import { shutIn } from '../cells/sandbox.ts'
import { runCheck, shortConsole } from './in_worker.ts'
import type { AskRequest, CheckRequest, WorkerRequest, WorkerTold } from './types.ts'

/** The part of a worker's global scope that is used here (the project is typed with the DOM). */
interface Scope {
  postMessage(message: WorkerTold): void
  addEventListener(type: 'message', listener: (event: { data: WorkerRequest }) => void): void
  addEventListener(
    type: 'unhandledrejection',
    listener: (event: { reason: unknown; preventDefault(): void }) => void,
  ): void
  console: Console
}

const scope = globalThis as unknown as Scope
const tell = scope.postMessage.bind(scope)
const load = (address: string): Promise<unknown> => import(address)

async function check(request: CheckRequest): Promise<void> {
  const reader =
    request.module === null
      ? null
      : URL.createObjectURL(new Blob([request.module], { type: 'text/javascript' }))
  // What nobody awaited is not the answer: the check says what it says.
  scope.addEventListener('unhandledrejection', (event) => event.preventDefault())
  await runCheck(request, {
    load,
    reader,
    shutIn: () => {
      scope.console = shortConsole(tell)
      shutIn(scope, { beyond: BEYOND })
    },
    tell,
  })
}

async function ask({ question, seed }: AskRequest): Promise<void> {
  const { asked } = (await load(question)) as { asked(seed: number): Question }
  tell({ state: 'started' })
  tell({ state: 'asked', question: asked(seed) })
}

scope.addEventListener('message', ({ data }) => {
  // A module that does not load is a page that is no longer served; the error event says so.
  void (data.kind === 'check' ? check(data) : ask(data)).catch((error: unknown) => {
    setTimeout(() => {
      throw error
    })
  })
})
