// SPDX-License-Identifier: MIT
//
// The worker of worker.ts, in Node: same console, same limits, same reports. The module is a file here, because Node has
// no blob: modules.
import { parentPort, workerData } from 'node:worker_threads'
import { countedConsole, endOfThrown, shutIn } from './sandbox.ts'
import type { CellEnd, WorkerReport, WorkerRequest } from './types.ts'

const port = parentPort
if (!port) throw new Error('node_worker: not in a worker')
const { module: address, models, outputLimit, words } = workerData as WorkerRequest
const post = (report: WorkerReport) => port.postMessage(report)
const { console, flush } = countedConsole(outputLimit, post)
const end = (how: CellEnd) => {
  flush()
  post({ kind: 'end', end: how })
}
const fail = (thrown: unknown) => end(endOfThrown(thrown, address))

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)
// A cell that waits for ever is ended by its time, as in the page, not by Node's finding nothing more to do.
port.on('message', () => undefined)
try {
  await Promise.all(models.map((model) => import(model)))
  globalThis.console = console
  shutIn(globalThis, words)
  post({ kind: 'started' })
  await import(address)
  end({ kind: 'done' })
} catch (error) {
  fail(error)
}
