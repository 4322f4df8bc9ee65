// SPDX-License-Identifier: MIT
//
// Every lab on a kernel of Debian's: on 6.1 and on 6.12 in turn, so that both boot in every run and the run stays short.
// `contig lab all --kernel all` is the whole table.
import { listLabs } from '../../code/lab/lab_list.ts'
import { root } from '../support/files.ts'
import { describeLab, ELSEWHERE } from '../support/lab_tests.ts'

const debian = listLabs(root).filter(
  ({ name, kernels }) => kernels.includes('6.1') && kernels.includes('6.12') && !ELSEWHERE.includes(name) && name !== 'carving',
)

debian.forEach((lab, number) => describeLab(lab, number % 2 === 0 ? '6.12' : '6.1'))
