// SPDX-License-Identifier: MIT
//
// The page's worker for exercises (site/exercises/check_worker.ts) in Node: the same bundles, the same code around them,
// one thread for many answers, because the models take longest to load. Bundled by test/exercise/page.test.ts.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { Question } from '../../code/exercise/question.ts'
import { runCheck, shortConsole } from '../../site/exercises/in_worker.ts'
import type { WorkerRequest, WorkerTold } from '../../site/exercises/types.ts'

const { folder } = workerData as { folder: string }
const tell = (told: WorkerTold): void => parentPort?.postMessage(told)
const load = (address: string): Promise<unknown> => import(address)
let modules = 0

function moduleFile(text: string): string {
  const file = join(folder, `reader-${(modules += 1)}.js`)
  writeFileSync(file, text)
  return pathToFileURL(file).href
}

globalThis.console = shortConsole(tell)
parentPort?.on('message', (request: WorkerRequest) => {
  if (request.kind === 'ask') {
    void load(request.question).then((module) =>
      tell({ state: 'asked', question: (module as { asked(seed: number): Question }).asked(request.seed) }),
    )
    return
  }
  const reader = request.module === null ? null : moduleFile(request.module)
  void runCheck(request, { load, reader, shutIn: () => undefined, tell })
})
