// SPDX-License-Identifier: MIT
//
// The worker of worker.ts, in Node: same console, same limits, same reports. The module is a file here, because Node has
// no blob: modules.
import { parentPort, workerData } from 'node:worker_threads'
import { countedConsole, endOfThrown, shutIn } from './sandbox.ts'
import type { WorkerReport, WorkerRequest } from './types.ts'

const port = parentPort
if (!port) throw new Error('node_worker: not in a worker')
const { module: address, models, outputLimit } = workerData as WorkerRequest
const post = (report: WorkerReport) => port.postMessage(report)
const fail = (thrown: unknown) => post({ kind: 'end', end: endOfThrown(thrown, address) })

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)
// A cell that waits for ever is ended by its time, as in the page, not by Node's finding nothing more to do.
port.on('message', () => undefined)
try {
  await Promise.all(models.map((model) => import(model)))
  globalThis.console = countedConsole(outputLimit, post)
  shutIn(globalThis)
  post({ kind: 'started' })
  await import(address)
  post({ kind: 'end', end: { kind: 'done' } })
} catch (error) {
  fail(error)
}
