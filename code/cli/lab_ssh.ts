// SPDX-License-Identifier: MIT
//
// contig lab NAME --on ssh:user@host: the same labs on a real board.
import { existsSync } from 'node:fs'
import { Complaint } from '../lib/complaint.ts'
import type { Lab } from '../lab/lab_file.ts'
import { progressPrinter, resultJson, resultText } from '../lab/lab_report.ts'
import { isSshAddress, parseSshAddress } from '../lab/ssh_address.ts'
import { runLabOverSsh, type SshBoard, type SshLabResult } from '../lab/ssh_run.ts'

/** The words of `contig lab` that a real board knows, and those that it cannot. */
export interface SshWords {
  readonly on: string
  readonly headers?: string
  readonly sshConfig?: string
  readonly timeout?: number
  readonly json?: true
  readonly kernel?: string
  readonly dryRun?: true
}

const usage = (text: string, ...next: string[]): Complaint => new Complaint({ text, exitCode: 2, next })

function boardOf(words: SshWords): SshBoard {
  if (!isSshAddress(words.on))
    throw usage(
      `--on ${words.on}: there is no such board`,
      'there are: qemu, and ssh:[user@]host[:port] for a real one',
    )
  const address = parseSshAddress(words.on)
  if (words.kernel !== undefined)
    throw usage(`--kernel ${words.kernel}: a real board runs the kernel that it was booted with`)
  if (words.dryRun)
    throw usage('--dry-run prints the commands for the virtual board; on a real one, ask it by hand')
  if (words.sshConfig !== undefined && !existsSync(words.sshConfig))
    throw usage(`--ssh-config ${words.sshConfig}: there is no such file`)
  if (words.headers !== undefined && !existsSync(words.headers))
    throw usage(`--headers ${words.headers}: there is no such folder`)
  return { address, config: words.sshConfig ?? null, headers: words.headers ?? null }
}

/** Runs labs on a real board, one after the other. Exit code 1 when one failed, 4 when none could be run. */
export async function runOverSsh(labs: readonly Lab[], words: SshWords): Promise<void> {
  const board = boardOf(words)
  const results: SshLabResult[] = []
  for (const lab of labs) {
    const result = await runLabOverSsh(lab, board, {
      ...(words.timeout === undefined ? {} : { timeout: words.timeout }),
      progress: progressPrinter(process.stderr),
    })
    results.push(result)
    if (!words.json) process.stdout.write(resultText(result))
  }
  const [only] = results
  if (words.json && only)
    process.stdout.write(
      results.length === 1 ? resultJson(only) : `{"labs":[${results.map(resultJson).join(',')}]}\n`,
    )
  const verdicts = results.map(({ verdict }) => verdict)
  if (verdicts.includes('failed')) process.exitCode = 1
  else if (!verdicts.includes('passed')) process.exitCode = 4
}
