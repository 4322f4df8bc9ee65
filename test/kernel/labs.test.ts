// SPDX-License-Identifier: MIT
//
// The labs of both modules on real kernels, as a reader runs them.
import { beforeAll, describe, expect, it } from 'vitest'
import { findLab } from '../../code/lab/lab_list.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'

const missing = boardIsMissing()

describe.skipIf(missing !== null).each(['reserved-coherent', 'reserved-memremap'])(
  `contig lab %s${missing ? ` (${missing})` : ''}`,
  (name) => {
    const lab = findLab(root, name)
    const boots = new Map<string, BootResult>()
    const boot = (series: string): BootResult => {
      const found = boots.get(series)
      if (!found) throw new Error(`${name} was not booted on ${series}`)
      return found
    }

    beforeAll(async () => {
      for (const each of (await runLab(lab)).boots) boots.set(each.series, each)
    }, 900_000)

    it.each(lab.kernels)('passes every check on %s: KTAP, kernel log, unload', (series) => {
      expect(boot(series).checks.filter(({ ok }) => !ok)).toEqual([])
      expect(boot(series).checks.length).toBeGreaterThan(6)
    })

    it.each(lab.kernels)('runs every test of its program on %s, twice', (series) => {
      expect(boot(series).ktap).toHaveLength(2)
      for (const report of boot(series).ktap) expect(report.tests.length).toBeGreaterThan(20)
    })
  },
)
