// SPDX-License-Identifier: MIT
//
// What a run of a cell has to say against the book: nothing, or a message with the chapter's file and line.
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import type { Cell, CellRun } from './types.ts'

/** Null when the cell came to its end and printed what is recorded. */
export function checkRun(cell: Cell, { output, end }: CellRun): Diagnostic | null {
  const wrong = (line: number, rule: string, text: string, note?: string): Diagnostic => {
    const place = { file: cell.file, line, column: 1 }
    return { rule, severity: 'error', ...place, text: `cell ${cell.id} ${text}`, ...(note ? { note } : {}) }
  }
  if (end.kind === 'error')
    return wrong(cell.line + Math.max(end.line, 0), 'cell-throws', `throws ${end.text}`)
  if (end.kind !== 'done') {
    const limit =
      'limitMs' in end ? `${end.limitMs} ms` : 'limitBytes' in end ? `${end.limitBytes} bytes` : ''
    return wrong(cell.line, 'cell-limit', `ran past its limit of ${limit} (${end.kind})`)
  }
  if (output === cell.output) return null
  const printed = output.split('\n')
  const recorded = cell.output.split('\n')
  const first = printed.findIndex((line, index) => line !== recorded[index])
  const at = cell.outputLine + 1 + (first < 0 ? printed.length : first)
  const diff =
    recorded.length + printed.length > 400
      ? [...recorded.map((line) => `- ${line}`), ...printed.map((line) => `+ ${line}`)].slice(0, 400)
      : lineDiff(recorded, printed)
  const note = ['If the run is right: npm run cells:update', ...diff].join('\n')
  return wrong(at, 'cell-output', 'does not print what is recorded (- book, + run)', note)
}

/** Lines of both, common ones once, by their longest common subsequence. */
function lineDiff(a: readonly string[], b: readonly string[]): string[] {
  const length = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  const at = (i: number, j: number) => length[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = length[i] as Uint16Array
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: string[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i]}`)
      i += 1
      j += 1
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${a[i]}`)
      i += 1
    } else {
      lines.push(`+ ${b[j]}`)
      j += 1
    }
  }
  return lines
}
