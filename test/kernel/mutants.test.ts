// SPDX-License-Identifier: MIT
//
// A lab is worth what it rejects. Each mutant makes one realistic slip in a driver, a program or a device tree of ours;
// the lab must fail, and for that reason. `npm run mutants` runs all of them, also the few that only the debug
// kernel notices, whose boots take longer than everything here.
import { afterAll, describe, expect, it } from 'vitest'
import { findLab, listLabs } from '../../code/lab/lab_list.ts'
import { compareModel } from '../../code/lab/model_beside.ts'
import { runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'
import { listMutants, type Mutant } from '../support/mutants.ts'

const ENOUGH = 3
const LONG = process.env['CONTIG_LONG'] === '1'
const missing = boardIsMissing()
const mutants = listMutants()

// Every run has three of each lab; `npm run mutants` has all of them, with the debug kernel's.
const chosen = mutants.filter(
  ({ lab, kernel, name }) =>
    LONG ||
    mutants
      .filter((each) => each.lab === lab && each.kernel !== 'debug')
      .slice(0, ENOUGH)
      .some((each) => kernel !== 'debug' && each.name === name),
)

async function saidOf({ lab, kernel, patch, boots }: Mutant): Promise<{ verdict: string; said: string }> {
  const result = await runLab(findLab(root, lab), {
    kernels: [kernel],
    patches: [patch],
    ...(boots ? { boots } : {}),
    timeout: kernel === 'debug' ? 900 : 90,
    compare: compareModel,
  })
  const said = result.boots.flatMap(({ checks, dmesg }) => [
    ...checks.filter(({ ok }) => !ok).flatMap((check) => [check.name, ...check.lines]),
    ...dmesg,
  ])
  return { verdict: result.verdict, said: said.join('\n') }
}

const rejectedBy = new Map<string, string>()
// What matched may be several lines: the first stands for them.
const lineOf = (said: string, words: RegExp): string =>
  (said.split('\n').find((line) => words.test(line)) ?? words.exec(said)?.[0].split('\n')[0] ?? '').trim()

describe('mutants', () => {
  it('are at least three for each lab, and for no other', () => {
    const counts = listLabs(root).map(({ name }) => [name, mutants.filter(({ lab }) => lab === name).length])
    expect(counts.filter(([, count]) => Number(count) < ENOUGH)).toEqual([])
    const labs = counts.map(([name]) => name)
    expect(mutants.filter(({ lab }) => !labs.includes(lab)).map(({ name }) => name)).toEqual([])
  })

  describe.skipIf(missing !== null)(`on a real kernel${missing ? ` (${missing})` : ''}`, () => {
    it.each(chosen)('$name: the lab rejects it, for its reason', async (mutant) => {
      const { verdict, said } = await saidOf(mutant)
      expect(verdict, said).toBe('failed')
      for (const words of mutant.rejectedBy) expect(said).toMatch(words)
      rejectedBy.set(mutant.name, lineOf(said, mutant.rejectedBy[0]!))
    })
    afterAll(() => console.log([...rejectedBy].map(([name, line]) => `${name}: ${line}`).join('\n')))
  })
})
