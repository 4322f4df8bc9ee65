// SPDX-License-Identifier: MIT
//
// `contig --help` against Node starting and doing nothing. Help must come in under 150 ms where Node itself takes 50.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type BenchResult, sideBySide } from './measure.ts'

export function startBench(): BenchResult {
  const contig = fileURLToPath(new URL('../dist/contig.js', import.meta.url))
  return {
    what: 'contig --help against an empty Node program',
    limit: 3,
    ...sideBySide(
      15,
      () => execFileSync(process.execPath, [contig, '--help']),
      () => execFileSync(process.execPath, ['--eval', '0']),
    ),
  }
}
