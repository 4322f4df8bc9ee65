// SPDX-License-Identifier: MIT
//
// The labs as a reader runs them: each boot passes every check, and every test of its programs ran.
import { beforeAll, describe, expect, it } from 'vitest'
import { type KernelName, seriesOf } from '../../code/lab/kernels.ts'
import type { Lab } from '../../code/lab/lab_file.ts'
import { compareModel } from '../../code/lab/model_beside.ts'
import { bootsFor } from '../../code/lab/plan.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from './board.ts'

/** Labs that have tests of their own, which look at more. */
export const ELSEWHERE = [
  ...['conformance', 'stream-conformance'],
  ...['arm', 'zcu102', 'zynq'],
  ...['where-memory-is', 'buddy-lists', 'reserving-cma', 'cma-debugfs', 'what-changed'],
]

const missing = boardIsMissing()

/** Declares the tests of one lab on one kernel. */
export function describeLab(lab: Lab, name: KernelName): void {
  const boots = bootsFor(lab, { name, series: seriesOf(name) })
  describe.skipIf(missing !== null)(
    `contig lab ${lab.name} --kernel ${name}${missing ? ` (${missing})` : ''}`,
    () => {
      const done: BootResult[] = []
      const bootOf = (wanted: string): BootResult => {
        const found = done.find(({ boot }) => boot === wanted)
        if (!found) throw new Error(`${lab.name}: ${wanted} was not booted on ${name}`)
        return found
      }

      beforeAll(async () => {
        done.push(...(await runLab(lab, { kernels: [name], compare: compareModel })).boots)
      }, 900_000)

      it.each(boots)('$name passes every check', (boot) => {
        const { checks, verdict } = bootOf(boot.name)
        expect(checks.filter(({ ok }) => !ok)).toEqual([])
        expect(verdict).toBe('passed')
        expect(checks.length).toBeGreaterThan(2)
      })

      it.each(boots.filter(({ steps }) => steps?.some(({ run, ktap }) => run && ktap !== false)))(
        '$name: every program reported its tests',
        (boot) => {
          const programs = boot.steps?.filter(({ run, ktap }) => run && ktap !== false) ?? []
          const { ktap } = bootOf(boot.name)
          expect(ktap).toHaveLength(programs.length)
          for (const report of ktap) expect(report.tests.length).toBeGreaterThan(0)
        },
      )
    },
  )
}
