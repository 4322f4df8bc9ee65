// SPDX-License-Identifier: MIT
//
// Reads which pages the program got to see through the reader's samples_mmap().
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'samples.c'
const READ = 'Lent as a file'

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
  if (!board.tests.some(({ name }) => name === 'first-frame')) {
    const text = 'the program could not open /dev/samples: the probe failed'
    return finding('ex-no-device', text, [...board.dmesg.filter((line) => /sampl/.test(line)), ...evidence])
  }
  const ok = (name: string) => board.tests.some((test) => test.name === name && test.ok)
  const hidden = ok('counters-hidden')
  if (!hidden && !ok('far-past-end')) {
    const text = 'whatever is asked for is mapped, from the first page of the region on, counters included'
    return finding('ex-maps-anything', text, evidence)
  }
  if (!hidden) return finding('ex-counters-shown', 'offset 0 of the file shows the counters', evidence)
  if (!ok('far-past-end')) {
    const text = 'a mapping that goes beyond the region succeeds: what lies there is somebody else’s'
    return finding('ex-no-bounds', text, evidence)
  }
  if (!ok('frame-by-offset')) {
    const text = 'the offset of the mapping plays no part: every mapping shows the same frames'
    return finding('ex-offset-ignored', text, evidence)
  }
  if (!ok('page-past-end')) {
    const text = 'the window ends a page behind the region: it begins later than the region and is as long'
    return finding('ex-page-beyond-region', text, evidence)
  }
  if (!ok('last-frame') || !ok('all-frames')) {
    const text = 'not every frame can be mapped; there is one in each page behind the counters'
    return finding('ex-frame-missing', text, evidence)
  }
  if (board.tests.every((test) => test.ok)) return null
  return finding(
    'ex-board-objects',
    'the frames are right, and the board objects to something else',
    evidence,
  )
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
  const names = /^(counters|first|frame|last|all|far|page)-/
  return board.tests
    .filter(({ name }) => names.test(name))
    .map(({ name, ok }) => `${ok ? 'ok' : 'not ok'} ${name}`)
}
