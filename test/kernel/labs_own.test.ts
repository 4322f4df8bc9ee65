// SPDX-License-Identifier: MIT
//
// Every lab on our own kernel `lab`, which boots in about a second; those of other boards and those that only look have tests
// of their own.
import { listLabs } from '../../code/lab/lab_list.ts'
import { root } from '../support/files.ts'
import { describeLab, ELSEWHERE } from '../support/lab_tests.ts'

for (const lab of listLabs(root)) {
  if (lab.kernels.includes('lab') && !ELSEWHERE.includes(lab.name)) describeLab(lab, 'lab')
}
