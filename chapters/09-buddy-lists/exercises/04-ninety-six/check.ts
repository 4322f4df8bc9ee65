// SPDX-License-Identifier: MIT
//
// Reads what the board said about two loads of the reader's module: what was free while it was loaded, and after.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'ninety_six.c'
const READ = 'Free memory in powers of two'

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}: 96 pages for each buffer, and all of them back, twice`] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const bad = board.dmesg.filter((line) => /Bad page|Unable to handle|kernel BUG|WARNING/.test(line))
  if (bad.length > 0) {
    const text = 'pages were freed that were free already, or with an order that is not theirs'
    return finding('ex-bad-page', text, [...bad, ...board.complaints])
  }
  if (!board.finished) {
    const text = 'the board did not get to its end: the module hangs, or the kernel stopped'
    return finding('ex-board-stopped', text, board.complaints)
  }
  // The first load decides: after it what is lost is lost for the second too.
  const ok = (name: string) => board.tests.find((test) => test.name === name)?.ok ?? false
  if (!board.dmesg.some((line) => /ninety_six: \d+ buffers/.test(line))) {
    return finding('ex-no-buffers', 'the module was not loaded: take_buffer() gives nothing', board.complaints)
  }
  if (!ok('holds-enough')) {
    const text = 'while the module is loaded, fewer pages are taken than 96 for each buffer'
    return finding('ex-too-few-pages', text, board.complaints)
  }
  if (!ok('holds-no-more') && !ok('some-back')) {
    const text =
      'the 32 pages are not free, and of each buffer only one page comes back: the others have no reference to drop'
    return finding('ex-not-split', text, board.complaints)
  }
  if (!ok('holds-no-more')) {
    const text = 'while the module is loaded, more pages are taken than 96 for each buffer'
    return finding('ex-tail-kept', text, board.complaints)
  }
  if (!ok('all-back')) return lost(board, ok('some-back'))
  if (board.tests.every((test) => test.ok)) return null
  return finding('ex-board-objects', 'the second load went otherwise than the first', board.complaints)
}

function lost({ complaints }: BoardReport, some: boolean): Finding {
  const text = some
    ? 'give_buffer() does not give back all of the 96 pages'
    : 'of each buffer one page comes back at most: __free_page() drops one reference, of one page'
  return finding(some ? 'ex-some-lost' : 'ex-head-only', text, complaints)
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
