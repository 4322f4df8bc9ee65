// SPDX-License-Identifier: MIT
//
// Reads what the board's shell said about three writes to the reader's driver, and about two more after it was loaded anew.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'takes.c'
const READ = 'Ten writes'
const WRITE = /^takes: load (\d), write (\d): (.*)$/
const NO_MEMORY = /Cannot allocate memory|Out of memory/

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const wrong = judge(context.board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${context.board.kernel}:`, ...linesOf(context.board)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const linesOf = ({ dmesg }: BoardReport): string[] =>
  dmesg.filter((line) => /^takes|^cma: .*alloc failed/.test(line))

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const lines = linesOf(board)
  if (!board.finished)
    return finding('ex-board-stopped', 'the board did not get to its end', [...lines, ...board.complaints])
  const said = new Map<string, string>(
    lines.flatMap((line) => {
      const [, load, write, what = ''] = WRITE.exec(line) ?? []
      return load === undefined ? [] : [[`${load}.${write}`, what] as const]
    }),
  )
  const of = (write: string): string => said.get(write) ?? 'nothing'
  if (of('1.1') !== 'done' || of('1.2') !== 'done') {
    const text = 'the first two buffers fit into the area, and a write does not get one'
    return finding('ex-no-buffer', text, lines)
  }
  if (of('1.3') === 'done') {
    const text = 'there is no third buffer, and the write that asked for it says that all went well'
    return finding('ex-failure-swallowed', text, lines)
  }
  if (!NO_MEMORY.test(of('1.3'))) {
    const text = 'the third write fails with an error that does not mean that memory is lacking'
    return finding('ex-another-errno', text, lines)
  }
  if (of('2.1') !== 'done') {
    const text = 'after the second load there is no room in the area: what the first load took is still out'
    return finding('ex-buffers-kept', text, lines)
  }
  if (of('2.2') !== 'done') {
    const text = 'after the second load there is room for one buffer: only one of two was given back'
    return finding('ex-one-given-back', text, lines)
  }
  if (board.complaints.length === 0) return null
  return finding('ex-board-objects', 'the writes are right, and the log is not quiet', [
    ...lines,
    ...board.complaints,
  ])
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
