// SPDX-License-Identifier: MIT
//
// Reads what the board said: whether the page was pinned, is the program's own, let the area be taken, and was let go.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'keeper.c'
const READ = 'A pin that lasts'

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return {
    findings: [],
    shown: [`Linux ${board.kernel}: the page left the area, was held, and the area was taken from its beginning`],
  }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const { complaints, tests } = board
  const bad = board.dmesg.filter((line) => /Bad page|Unable to handle|kernel BUG|WARNING/.test(line))
  if (bad.length > 0) return finding('ex-kernel-objects', 'the kernel objects to what the driver does', bad)
  if (!board.finished) return finding('ex-board-stopped', 'the board did not get to its end', complaints)
  const ok = (name: string) => tests.find((test) => test.name === name)?.ok ?? false
  if (!ok('kept')) return finding('ex-not-kept', 'write() is refused: the page is not taken at all', complaints)
  if (!ok('same-page')) {
    const text = 'the device does not see what the program writes: what is held is not the program’s page'
    return finding('ex-not-the-page', text, complaints)
  }
  if (!ok('pinned')) {
    const text =
      'the page is held by an ordinary reference: nobody can tell that a device may be writing to it, and it keeps its place'
    return finding('ex-not-pinned', text, complaints)
  }
  if (!ok('first-place')) {
    const text = 'the area cannot be taken from its beginning: the page is held where it was, in the midst of it'
    return finding('ex-held-in-the-area', text, complaints)
  }
  if (!ok('let-go')) {
    const text = 'after close() the pin is still there: a pin that is taken must be given back as a pin'
    return finding('ex-pin-not-released', text, complaints)
  }
  if (tests.every((test) => test.ok)) return null
  return finding('ex-board-objects', 'the board is not content', complaints)
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
