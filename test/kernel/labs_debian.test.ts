// SPDX-License-Identifier: MIT
//
// Every lab on both kernels of Debian's; those of other boards and those that only look have tests of their own.
import { listLabs } from '../../code/lab/lab_list.ts'
import { root } from '../support/files.ts'
import { describeLab, ELSEWHERE } from '../support/lab_tests.ts'

const debian = listLabs(root).filter(
  ({ name, kernels }) => kernels.includes('6.1') && kernels.includes('6.12') && !ELSEWHERE.includes(name) && name !== 'carving',
)

for (const lab of debian) for (const kernel of ['6.1', '6.12'] as const) describeLab(lab, kernel)
