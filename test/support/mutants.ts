// SPDX-License-Identifier: MIT
//
// Wrong drivers, programs and device trees, each as a diff under test/kernel/mutants/<lab>/ whose head says what is wrong,
// how it was found out, and what the lab must say when it rejects it:
//
//     # Wrong: mmap maps whatever length it is asked for.
//     # Noticed by: reserved_coherent_test: past-end is not ok ("was mapped, expected ENXIO").
//     # Rejected by: /not ok \d+ past-end/
//     # Kernel: 6.12                                   (unsaid: lab)
//     # Boot: twice                                    (unsaid: every boot of the lab)
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KERNEL_NAMES, type KernelName } from '../../code/lab/kernels.ts'
import { root } from './files.ts'

export const MUTANTS = 'test/kernel/mutants'

export interface Mutant {
  readonly lab: string
  /** `<lab>/<slip>`. */
  readonly name: string
  /** Absolute. */
  readonly patch: string
  readonly kernel: KernelName
  readonly boots: readonly string[] | undefined
  /** Each must match a failed check or a line of the kernel's log. */
  readonly rejectedBy: readonly RegExp[]
}

/** The lines of a diff's head, joined where a line goes on in the next. */
function headOf(text: string): Map<string, string[]> {
  const head = new Map<string, string[]>()
  let values: string[] = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('#')) break
    const start = /^# (Wrong|Noticed by|Rejected by|Kernel|Boot): (.*)$/.exec(line)
    if (start) {
      values = head.get(start[1]!) ?? []
      head.set(start[1]!, [...values, start[2]!])
      values = head.get(start[1]!)!
    } else if (values.length > 0) {
      values[values.length - 1] += ` ${line.replace(/^#\s*/, '')}`
    }
  }
  return head
}

function readMutant(lab: string, file: string): Mutant {
  const patch = join(root, MUTANTS, lab, file)
  const name = `${lab}/${file.replace(/\.patch$/, '')}`
  const head = headOf(readFileSync(patch, 'utf8'))
  for (const need of ['Wrong', 'Noticed by', 'Rejected by'])
    if (!head.has(need)) throw new Error(`${name}: its head has no “# ${need}: …”`)
  const rejectedBy = head.get('Rejected by')!.map((text) => {
    const match = /^\/(.*)\/([imsu]*)$/.exec(text.trim())
    if (!match) throw new Error(`${name}: “Rejected by: ${text}” is no regular expression between slashes`)
    return new RegExp(match[1]!, match[2])
  })
  const kernel = head.get('Kernel')?.[0]?.trim() ?? 'lab'
  const known = KERNEL_NAMES.find((each) => each === kernel)
  if (!known) throw new Error(`${name}: there is no kernel ${kernel}`)
  return { lab, name, patch, kernel: known, boots: head.get('Boot'), rejectedBy }
}

/** Every mutant, by lab. */
export function listMutants(): Mutant[] {
  const folder = join(root, MUTANTS)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .flatMap((lab) =>
      readdirSync(join(folder, lab))
        .sort()
        .map((file) => readMutant(lab, file)),
    )
}
