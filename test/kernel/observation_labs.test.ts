// SPDX-License-Identifier: MIT
//
// The labs that only look: where memory is, free lists, CMA areas of every kind, their bitmap, and what changed between two
// releases. Every boot of each, on our own kernel and on one of Debian's, with the model beside those that it can follow;
// `contig lab all --kernel all` boots the rest. What a chapter quotes of such a boot is looked for in what was printed.
import { beforeAll, describe, expect, it } from 'vitest'
import { compareModel } from '../../code/lab/model_beside.ts'
import { findLab } from '../../code/lab/lab_list.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'

const missing = boardIsMissing()

/** Lab → the contracts that its boots hold the kernel and the model to. */
const LABS = [
  ['where-memory-is', 'MC-12.7, TV-39', ['lab', '6.1']],
  ['buddy-lists', 'MC-9.2, MC-9.3, MC-9.7, MC-9.9, MC-9.10, TV-25, TV-28', ['lab', '6.12']],
  ['reserving-cma', 'MC-4.1, MC-4.2, MC-4.3, MC-4.5, MC-4.7, MC-4.9, MC-4.10, MC-5.4, TV-9, TV-11', ['lab', '6.1']],
  ['cma-debugfs', 'MC-2.14, TV-41, TV-42', ['lab']],
  ['what-changed', 'MC-5.9, TV-13, TV-15', ['6.1', '6.12']],
] as const

describe.skipIf(missing !== null).each(LABS)(
  `contig lab %s (%s)${missing ? ` (${missing})` : ''}`,
  (name, _contracts, kernels) => {
    const lab = findLab(root, name)
    const cases = kernels.flatMap((kernel) => lab.boots.map((boot) => ({ kernel, boot: boot.name })))
    let boots: readonly BootResult[] = []

    beforeAll(async () => {
      boots = (await runLab(lab, { kernels, compare: compareModel })).boots
    }, 1_800_000)

    it.each(cases)('$boot on $kernel passes every check', ({ kernel, boot }) => {
      const found = boots.find((each) => each.name === kernel && each.boot === boot)!
      expect(found.checks.filter(({ ok }) => !ok)).toEqual([])
      const programs = (found.asked?.steps ?? []).filter(({ run }) => run !== undefined)
      expect(found.ktap).toHaveLength(programs.length)
      for (const report of found.ktap) expect(report.tests.length).toBeGreaterThan(4)
      if (found.asked?.compare) expect(found.compared?.compared).toBeGreaterThan(5)
    })
  },
)
