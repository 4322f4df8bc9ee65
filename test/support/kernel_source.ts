// SPDX-License-Identifier: MIT
//
// A few files of Debian's linux-source-6.12, for a benchmark to build or a check to run.
import type { Progress } from '../../code/lab/execute.ts'
import { partsOfKernelSource as partsOf } from '../../code/lab/kernel_parts.ts'

export const tellStderr: Progress = ({ title, state, seconds }) => {
  if (state === 'start') console.error(`${title} …`)
  if (state === 'failed') console.error(`${title}: failed after ${seconds.toFixed(0)} s`)
}

/** The folder with these paths of the kernel's tree, fetched if they must be. */
export const partsOfKernelSource = (wanted: readonly string[]): Promise<string> =>
  partsOf(wanted, { progress: tellStderr })
