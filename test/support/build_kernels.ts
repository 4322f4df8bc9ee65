// SPDX-License-Identifier: MIT
//
// Before any board boots: the kernels that the labs name, so that no test's time is spent on fetching or building one, and
// none waits for another to do so. With a warm cache this takes no time.
import { SERIES_NAMES } from '../../code/lab/kernels.ts'
import { listLabs } from '../../code/lab/lab_list.ts'
import { buildOwnKernel } from '../../code/lab/own_kernel_build.ts'
import { OWN_KERNELS, OWN_NAMES } from '../../code/lab/own_kernel.ts'
import { archOf } from '../../code/lab/plan.ts'
import { fetchKernels } from '../../code/lab/run_lab.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { root } from './files.ts'

export default async function buildKernels(): Promise<void> {
  const missing = missingTools(['board', 'kernel', 'arm32'])
  if (missing.length > 0) return
  const labs = listLabs(root)
  const first = labs.find((lab) => archOf(lab) === 'arm64')
  if (first) await fetchKernels(first, SERIES_NAMES)
  for (const name of OWN_NAMES) {
    if (name === 'debug' && process.env['CONTIG_LONG'] !== '1') continue
    for (const arch of OWN_KERNELS[name]) {
      const wanted = labs.some((lab) => archOf(lab) === arch && lab.kernels.includes(name))
      if (!wanted) continue
      await buildOwnKernel(name, arch, {
        progress: ({ title, state, seconds }) => {
          if (state === 'done' && seconds > 1) console.log(`${title}: ${seconds.toFixed(0)} s`)
        },
      })
    }
  }
}
