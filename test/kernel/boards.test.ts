// SPDX-License-Identifier: MIT
//
// The other boards: three uses of a region on each, on every kernel that boots there, and the model beside each boot. The
// addresses are those of the kernel that runs: TV-49 and MC-4.6 for the ZCU102, MC-5.9 and MC-12.7 for both Xilinx boards.
import { beforeAll, describe, expect, it } from 'vitest'
import { compareModel } from '../../code/lab/model_beside.ts'
import { findLab } from '../../code/lab/lab_list.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'

const missing = boardIsMissing()

describe.skipIf(missing !== null).each(['zcu102', 'zynq', 'arm'])(
  `contig lab %s${missing ? ` (${missing})` : ''}`,
  (name) => {
    const lab = findLab(root, name)
    const cases = lab.kernels.flatMap((kernel) => lab.boots.map((boot) => ({ kernel, boot: boot.name })))
    let boots: readonly BootResult[] = []
    const bootOf = (kernel: string, boot: string): BootResult =>
      boots.find((each) => each.name === kernel && each.boot === boot)!

    beforeAll(async () => {
      boots = (await runLab(lab, { compare: compareModel })).boots
    }, 1_200_000)

    it.each(cases)('$boot on $kernel: every check passes (MC-5.4, MC-5.8, MC-5.9)', ({ kernel, boot }) => {
      expect(bootOf(kernel, boot).checks.filter(({ ok }) => !ok)).toEqual([])
      const tests = bootOf(kernel, boot).ktap.flatMap((report) => report.tests)
      expect(tests.length).toBeGreaterThan(10)
    })

    if (name === 'zcu102') {
      const debian = cases.filter(({ kernel, boot }) => kernel !== 'lab' && boot !== 'cma')
      it.each(debian)('$boot on $kernel: the default area lies at 0x69c00000 (TV-49)', ({ kernel, boot }) => {
        const line = bootOf(kernel, boot).dmesg.find((each) => each.startsWith('cma: Reserved'))
        expect(line).toContain('cma: Reserved 64 MiB at 0x0000000069c00000')
      })
    }

    it.each(cases)(
      '$boot on $kernel: the model says the same (MC-4.6, MC-5.9, MC-12.7, TV-49)',
      ({ kernel, boot }) => {
        expect(bootOf(kernel, boot).compared?.different).toEqual([])
        expect(bootOf(kernel, boot).compared?.compared).toBeGreaterThan(4)
      },
    )
  },
)
