// SPDX-License-Identifier: MIT
//
// Reads what the program found out about the reader's driver: whose the buffers are, and for how long.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'frame.c'
const OWN = 'One buffer for each open file'
const ALIVE = 'Who keeps what alive'
const TESTS = ['files-apart', 'without-buffer', 'second-refused', 'mapping-stays', 'given-back']

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...reportOf(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[], read = OWN): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const evidence = [...reportOf(board), ...board.complaints]
  if (!board.finished) {
    const text = 'the board did not get to its end: the driver hangs, or the kernel stopped'
    return finding('ex-board-stopped', text, evidence)
  }
  if (!board.tests.some(({ name }) => TESTS.includes(name))) {
    const text = 'the program could not open /dev/frame'
    return finding('ex-no-device', text, [...board.dmesg.filter((line) => line.includes('frame')), ...evidence])
  }
  const ok = (name: string) => board.tests.some((test) => test.name === name && test.ok)
  if (!ok('files-apart')) {
    const text = 'what one file writes, the other one shows: they have the same buffer'
    return finding('ex-one-for-all', text, evidence)
  }
  if (!ok('without-buffer')) {
    const text = 'a file that has allocated nothing must not be mapped, -EINVAL'
    return finding('ex-mapped-without-buffer', text, evidence)
  }
  if (!ok('second-refused')) {
    const text = 'a second allocation of one file replaces the first, which nobody can free any more; expected -EBUSY'
    return finding('ex-second-overwrites', text, evidence)
  }
  if (!ok('mapping-stays')) {
    const text = 'the buffer is freed while a program has it mapped, and its pages are given to the next one'
    return finding('ex-freed-under-mapping', text, evidence, ALIVE)
  }
  if (!ok('given-back')) {
    const text = 'files are closed and nothing is mapped, and still the memory runs out: it is never freed'
    return finding('ex-never-freed', text, evidence, ALIVE)
  }
  if (board.complaints.length === 0 && board.tests.every((test) => test.ok)) return null
  return finding('ex-board-objects', 'the buffers are right, and the board objects to something else', evidence)
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

function reportOf(board: BoardReport): string[] {
  return board.tests
    .filter(({ name }) => TESTS.includes(name))
    .map(({ name, ok }) => `${ok ? 'ok' : 'not ok'} ${name}`)
}
