// SPDX-License-Identifier: MIT
//
// What a teacher sees of result files, as text.
import pc from 'picocolors'
import type { Exercise } from './catalog.ts'
import type { CheckedEntry, CheckedResults, Verdict } from './results_check.ts'

const SIGNS: Record<Verdict, string> = { right: '✓', unproven: '·', wrong: '✗' }
const PAINT: Record<Verdict, (text: string) => string> = {
  right: pc.green,
  unproven: (text) => text,
  wrong: pc.red,
}

function line({ id, verdict, text, notes }: CheckedEntry, width: number): string {
  return `  ${PAINT[verdict](SIGNS[verdict])} ${id.padEnd(width)}  ${[text, ...notes].join('; ')}`
}

/** One file: who, how many, then a line an exercise. */
export function formatChecked(checked: CheckedResults, exercises: readonly Exercise[]): string {
  const { file, reader, faults, notes, entries } = checked
  const width = Math.max(0, ...entries.map(({ id }) => id.length))
  const count = (verdict: Verdict) => entries.filter((each) => each.verdict === verdict).length
  const counted = `${count('right')} right, ${count('unproven')} unproven, ${count('wrong')} wrong`
  return [
    `${file}: ${reader ?? 'no name'}, ${entries.length} of ${exercises.length} exercises: ${counted}`,
    ...faults.map((fault) => pc.red(`  ✗ ${fault}`)),
    ...notes.map((note) => `  ${note}`),
    ...entries.map((entry) => line(entry, width)),
    '',
  ].join('\n')
}

/** What several files share, and what none can prove. */
export function formatLimits(common: readonly string[], limits: readonly string[]): string {
  return [
    ...(common.length > 0 ? ['', 'In common:', ...common.map((each) => `  ${each}`)] : []),
    '',
    'Such a file cannot prove',
    ...limits.map((limit) => `  ${limit}`),
    '',
  ].join('\n')
}
