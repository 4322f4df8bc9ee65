// SPDX-License-Identifier: MIT
//
// The table contract or vector → tests → passes, from a run of the tests (`npm run contracts`). It fails when a contract has
// no test and no reason, or when a test that proves one fails.
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { idsIn, rows } from './contracts.ts'

interface Proof {
  readonly place: string
  readonly passed: boolean
}

// An id may stand in the title of the test or of a suite around it.
const proofOf = (test: TestCase): Proof => ({
  place: test.module.relativeModuleId,
  passed: test.result().state === 'passed',
})

export default class ContractReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const proofs = new Map<string, Proof[]>()
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        for (const id of idsIn(test.fullName)) proofs.set(id, [...(proofs.get(id) ?? []), proofOf(test)])
      }
    }
    const known = new Set(rows.map(({ id }) => id))
    const strangers = [...proofs.keys()].filter((id) => !known.has(id))
    const lines = rows.map(({ id, unproven }) => line(id, proofs.get(id) ?? [], unproven))
    console.log(lines.map(({ text }) => text).join('\n'))
    for (const id of strangers) console.log(`${id} stands in a test's title, but not in test/contracts`)
    const bad = lines.filter(({ good }) => !good).length
    const proven = lines.filter(({ good, proof }) => good && proof).length
    console.log(
      `${rows.length} in all: ${proven} proven, ${rows.length - proven - bad} with a reason, ${bad} bad`,
    )
    if (bad > 0 || strangers.length > 0) process.exitCode = 1
  }
}

function line(
  id: string,
  found: readonly Proof[],
  unproven?: string,
): { text: string; good: boolean; proof: boolean } {
  const name = id.padEnd(8)
  if (found.length === 0) {
    const text = unproven === undefined ? 'MISSING: no test names it' : `no test: ${unproven}`
    return { text: `${name} ${text}`, good: unproven !== undefined, proof: false }
  }
  const failed = found.filter(({ passed }) => !passed)
  const places = [...new Set(found.map(({ place }) => place))].join(', ')
  const verdict = failed.length > 0 ? `FAILS (${failed.length} of ${found.length})` : 'passes'
  return {
    text: `${name} ${verdict}  ${found.length} ${found.length === 1 ? 'test' : 'tests'} in ${places}`,
    good: failed.length === 0,
    proof: true,
  }
}
