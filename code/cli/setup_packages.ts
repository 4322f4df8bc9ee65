// SPDX-License-Identifier: MIT
//
// Installs what is missing with apt, as root or with a sudo that asks nothing; otherwise prints the one command.
import { spawn, spawnSync } from 'node:child_process'
import { installCommand, missingTools, type Tool } from '../lab/tools.ts'
import { Complaint } from '../lib/complaint.ts'

const EVERYTHING = ['board', 'kernel', 'arm32', 'check', 'browser', 'book'] as const

/** How apt can be run from here: as it is, through sudo, or not at all. */
function privilege(): 'root' | 'sudo' | null {
  if (process.getuid?.() === 0) return 'root'
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? 'sudo' : null
}

function run(command: readonly string[]): Promise<number> {
  const [program = '', ...rest] = command
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    child.once('error', () => resolve(127))
    child.once('close', (code) => resolve(code ?? 1))
  })
}

async function install(missing: readonly Tool[], as: 'root' | 'sudo'): Promise<void> {
  const sudo = as === 'sudo' ? ['sudo', '-n', 'DEBIAN_FRONTEND=noninteractive'] : []
  // The lists may be days old, and then name versions that the archive no longer has.
  if ((await run([...sudo, 'apt-get', 'update', '-qq'])) !== 0)
    console.log('setup: apt-get update failed; going on with the lists there are')
  await run([...sudo, ...installCommand(missing, true), '-qq'])
}

/**
 * Leaves with everything installed, or tells what is missing: a Complaint with exit code 4, or with `forTests` a note.
 */
export async function setup({ forTests }: { forTests: boolean }): Promise<void> {
  const before = missingTools(EVERYTHING)
  if (before.length === 0) {
    console.log('setup: everything that the labs and the browser tests need is here')
    return
  }
  const names = (tools: readonly Tool[]) => tools.map((tool) => `${tool.package} (${tool.why})`).join(', ')
  console.log(`setup: missing: ${names(before)}`)
  const as = privilege()
  if (as) await install(before, as)
  const after = as ? missingTools(EVERYTHING) : before
  if (after.length === 0) {
    console.log('setup: installed')
    return
  }
  const command = installCommand(after).join(' ')
  if (forTests) {
    console.log(`setup: tests that need ${names(after)} will be skipped; to run them:\n  ${command}`)
    return
  }
  throw new Complaint({
    text: `setup: ${after.length} packages are missing and cannot be installed from here`,
    exitCode: 4,
    next: [command],
  })
}
