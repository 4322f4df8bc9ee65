// SPDX-License-Identifier: MIT
//
// A whole `contig lab`, its caches warm, against QEMU started by hand with the same words on the same image.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Cache } from '../../code/lab/cache.ts'
import { rememberedKernel } from '../../code/lab/kernel_choice.ts'
import { findLab } from '../../code/lab/lab_list.ts'
import { planKernel } from '../../code/lab/plan.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { type BenchResult, type BenchSkip, sideBySide } from './measure.ts'

// Short programs; others take as long as theirs need.
const LAB = 'cma-debugfs'
const ROUNDS = 5
const root = fileURLToPath(new URL('..', import.meta.url))

export function labBench(): BenchResult | BenchSkip {
  const what = `contig lab ${LAB} --kernel lab, warm, against a bare QEMU with the same image`
  const missing = missingTools(['board', 'kernel'])
  if (missing.length > 0)
    return { what, skip: `${missing.map((tool) => tool.package).join(', ')} not installed` }
  const contig = fileURLToPath(new URL('../dist/contig.js', import.meta.url))
  const ours = (): void => {
    execFileSync(process.execPath, [contig, 'lab', LAB, '--kernel', 'lab'], { stdio: 'ignore' })
  }
  ours()
  const cache = new Cache()
  const known = rememberedKernel(cache, '', 'lab', 'arm64')
  if (!known) throw new Error(`${LAB} ran on the lab kernel, but the cache does not remember the kernel`)
  const plan = planKernel(findLab(root, LAB), {}, cache, { ...known, apt: '' }, 'bench')
  const boots = plan.boots.map(({ board }) => board.qemu.argv)
  return {
    what,
    limit: 1.25,
    ...sideBySide(ROUNDS, ours, () => {
      for (const [program = '', ...words] of boots) execFileSync(program, words, { stdio: 'ignore' })
    }),
  }
}
