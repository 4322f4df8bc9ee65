// SPDX-License-Identifier: MIT
//
// Before any board boots: the kernels of our own that the labs name, so that no test's time is spent on building one. With
// a warm cache this takes no time.
import { BOARDS } from '../../code/lab/boards.ts'
import { listLabs } from '../../code/lab/lab_list.ts'
import { buildOwnKernel } from '../../code/lab/own_kernel_build.ts'
import { OWN_KERNELS, OWN_NAMES } from '../../code/lab/own_kernel.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { root } from './files.ts'

export default async function buildKernels(): Promise<void> {
  const missing = missingTools(['board', 'kernel', 'arm32'])
  if (missing.length > 0) return
  const labs = listLabs(root)
  for (const name of OWN_NAMES) {
    if (name === 'debug' && process.env['CONTIG_LONG'] !== '1') continue
    for (const arch of OWN_KERNELS[name]) {
      const wanted = labs.some(
        ({ board, kernels }) => BOARDS[board?.machine ?? 'virt'].arch === arch && kernels.includes(name),
      )
      if (!wanted) continue
      await buildOwnKernel(name, arch, {
        progress: ({ title, state, seconds }) => {
          if (state === 'done' && seconds > 1) console.log(`${title}: ${seconds.toFixed(0)} s`)
        },
      })
    }
  }
}
