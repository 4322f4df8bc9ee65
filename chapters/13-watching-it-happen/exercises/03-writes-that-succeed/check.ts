// SPDX-License-Identifier: MIT
//
// Reads what the board put into its log: what each write said, what the trace counted, and whether a second load got memory.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'teller.c'
const READ = 'cma_test'
const NO_MEMORY = 'Cannot allocate memory'

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...labLines(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const lines = labLines(board)
  if (!board.finished)
    return finding('ex-board-stopped', 'the board did not get to its end', [...lines, ...board.complaints])
  const writes = lines.flatMap((line) => /write: (?:.*error: )?(.*)$/.exec(line)?.[1] ?? [])
  const [got, back] = counted(lines)
  if (writes.length === 4 && writes.every((said) => said === 'ok')) {
    const text = `four writes say that they succeeded, and the trace has ${got} allocations`
    return finding('ex-failure-hidden', text, lines)
  }
  const skipped = writes[2] === NO_MEMORY && writes[3] !== NO_MEMORY
  if (skipped) {
    const text = 'the fourth write does not try the slot again that the third one left empty'
    return finding('ex-slot-skipped', text, lines)
  }
  const other = writes.slice(2).find((said) => said !== NO_MEMORY)
  if (other !== undefined)
    return finding('ex-another-error', `a write without memory says "${other}", expected "${NO_MEMORY}"`, lines)
  if (got > 0 && back === 0) {
    const text = `${got} buffers were allocated and none released: unloading frees nothing by itself`
    return finding('ex-nothing-released', text, lines)
  }
  if (back < got)
    return finding('ex-some-not-released', `${got} buffers were allocated, and ${back} released`, lines)
  const again = lines.some((line) => line.endsWith('again: ok'))
  const right = writes[0] === 'ok' && writes[1] === 'ok' && got === 2 && back === 2 && again
  if (right && board.complaints.length === 0) return null
  const text = 'expected two writes with memory and two without, two releases, and a second load that gets memory'
  return finding('ex-board-objects', text, [...lines, ...board.complaints])
}

function counted(lines: readonly string[]): [number, number] {
  const [, got, back] = lines.map((line) => /(\d+) allocated, (\d+) released/.exec(line)).find(Boolean) ?? []
  return [Number(got ?? 0), Number(back ?? 0)]
}

// The compiler's first error, `line:column: error: text`, with the others as evidence.
function refused({ build }: BoardReport): Finding {
  const [, line, column, text] =
    build.map((each) => /^(\d+):(\d+): error: (.*)$/.exec(each)).find(Boolean) ?? []
  return {
    ...finding('ex-does-not-compile', text ?? 'the compiler refuses the file', build),
    line: Number(line ?? 0),
    column: Number(column ?? 0),
  }
}

const labLines = ({ dmesg }: BoardReport): string[] =>
  dmesg.filter((line) => line.startsWith('teller-lab: ')).map((line) => line.slice('teller-lab: '.length))
