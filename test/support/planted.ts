// SPDX-License-Identifier: MIT
//
// Mistakes planted into our modules for the fuzzer to find, each a diff under test/kernel/planted/ whose head says what is
// wrong, how it was noticed, and the line by which the debug kernel, or the fuzzer itself, told of it:
//
//     # Device: cma_mem
//     # Wrong: FREE does not ask whether the buffer is mapped.
//     # Noticed by: …
//     # Rejected by: /kernel BUG at mm\/page_table_check\.c/
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { root } from './files.ts'
import { SOAK_DEVICES, type SoakDevice, soakLab } from '../soak/soak_lab.ts'

const PLANTED = 'test/kernel/planted'

export interface Planted {
  readonly name: string
  readonly device: SoakDevice
  /** Absolute. */
  readonly patch: string
  /** Each must match a failed check, what the fuzzer printed, or a line of the kernel's log. */
  readonly rejectedBy: readonly RegExp[]
}

function readPlanted(file: string): Planted {
  const patch = join(root, PLANTED, file)
  const name = file.replace(/\.patch$/, '')
  const text = readFileSync(patch, 'utf8')
  const of = (key: string): string[] =>
    [...text.matchAll(new RegExp(`^# ${key}: (.*)$`, 'gm'))].map((match) => match[1]!)
  for (const key of ['Device', 'Wrong', 'Noticed by', 'Rejected by'])
    if (of(key).length === 0) throw new Error(`${name}: its head has no “# ${key}: …”`)
  const device = SOAK_DEVICES.find((each) => each.name === of('Device')[0])
  if (!device) throw new Error(`${name}: there is no device ${of('Device')[0]}`)
  const rejectedBy = of('Rejected by').map((words) => {
    const match = /^\/(.*)\/$/.exec(words)
    if (!match) throw new Error(`${name}: “Rejected by: ${words}” is no regular expression between slashes`)
    return new RegExp(match[1]!)
  })
  return { name, device, patch, rejectedBy }
}

/** Every planted mistake. */
export const listPlanted = (): Planted[] =>
  readdirSync(join(root, PLANTED))
    .filter((file) => file.endsWith('.patch'))
    .sort()
    .map(readPlanted)

const CALLS = 8000
const SEED = 1
const LIMIT_S = 600

/** Fuzzes the module with the mistake in it, on the debug kernel. */
export async function fuzzPlanted({ device, patch }: Planted): Promise<{ verdict: string; said: string[] }> {
  const options = { calls: CALLS, seed: SEED, times: 0, failures: true, timeout: LIMIT_S }
  const lab = soakLab(device, { kernel: 'debug', ...options })
  const { boots, verdict } = await runLab(lab, { kernels: ['debug'], patches: [patch] })
  return { verdict, said: boots.flatMap(saidBy) }
}

function saidBy({ checks, dmesg, ktap }: BootResult): string[] {
  const failed = checks.filter(({ ok }) => !ok).flatMap(({ name, lines }) => [name, ...lines])
  const printed = ktap.flatMap(({ tests }) => tests.flatMap((test) => test.printed))
  return [...failed, ...printed, ...dmesg]
}
