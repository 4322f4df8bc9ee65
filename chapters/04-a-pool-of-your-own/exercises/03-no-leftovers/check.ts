// SPDX-License-Identifier: MIT
//
// Reads what three owners of one block found in it.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'frame.c'
const READ = 'Cleared, as far as you asked'
const NAMES = ['two-filled', 'one-mapped', 'one-clean', 'two-mapped', 'two-clean', 'third-refused']

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...reportOf(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const evidence = [...reportOf(board), ...board.complaints]
  if (!board.finished) {
    const text = 'the board did not get to its end: the driver hangs, or the kernel stopped'
    return finding('ex-board-stopped', text, evidence)
  }
  const ok = (name: string) => board.tests.some((test) => test.name === name && test.ok)
  const ran = (name: string) => board.tests.some((test) => test.name === name)
  if (!NAMES.every(ran)) {
    const text = 'a load of the three left no /dev/frame: its probe failed'
    return finding('ex-no-device', text, [
      ...board.dmesg.filter((line) => /frame|display/.test(line)),
      ...evidence,
    ])
  }
  if (!ok('one-mapped')) {
    const text = 'a buffer of 1000 bytes cannot be mapped at all; its page is to be shown, and clean'
    return finding('ex-mapping-refused', text, evidence)
  }
  if (!ok('two-filled') || !ok('two-mapped')) {
    const text = 'of a buffer of 5000 bytes, two pages, one can be mapped'
    return finding('ex-one-page-only', text, evidence)
  }
  if (!ok('one-clean') || !ok('two-clean')) {
    const text = 'the page shows what the last owner wrote behind the bytes that were asked for'
    return finding('ex-tail-shown', text, evidence)
  }
  if (!ok('third-refused')) {
    const text =
      'two pages hold 5000 bytes, and a third can be mapped: the buffer is larger than it has to be'
    return finding('ex-page-too-many', text, evidence)
  }
  if (board.tests.every((test) => test.ok)) return null
  return finding('ex-board-objects', 'the pages are clean, and the board objects to something else', evidence)
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
    .filter(({ name }) => NAMES.includes(name))
    .map(({ name, ok }) => `${ok ? 'ok' : 'not ok'} ${name}`)
}
