// SPDX-License-Identifier: MIT
//
// Reads what a program found when it mapped each of the four frames, and what is none.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'frames.c'
const READ = 'Inside the buffer or not at all'
const NAMES = [
  'frame-zero',
  'each-frame',
  'second-pages',
  'not-beyond-a-frame',
  'offset-of-the-file',
  'not-behind-the-last',
]

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...reportOf(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[], read = READ): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const evidence = [...reportOf(board), ...board.complaints]
  const ok = (name: string) => board.tests.some((test) => test.name === name && test.ok)
  const ran = (name: string) => board.tests.some((test) => test.name === name)
  if (!ran('frame-zero')) {
    const text = 'there is no /dev/frames: the probe failed, or the board stopped before'
    const lines = board.dmesg.filter((line) => /frames|recorder/.test(line))
    return finding('ex-no-device', text, [...lines, ...evidence])
  }
  if (!ok('frame-zero')) {
    return finding('ex-frame-zero-lost', 'not even frame 0 can be mapped any more', evidence)
  }
  if (!ok('each-frame') || !ok('second-pages')) {
    const text =
      'frames behind the first are refused, or another one comes: dma_mmap_coherent() takes vm_pgoff for an offset inside the buffer that it is given'
    return finding('ex-offset-not-inside', text, evidence)
  }
  if (!ok('not-beyond-a-frame')) {
    const text = 'a mapping goes on behind the end of its frame, into memory that belongs to somebody else'
    return finding('ex-size-of-all', text, evidence)
  }
  if (!ok('offset-of-the-file')) {
    const text = 'after the call the VMA says that it begins elsewhere in the file than the program asked for'
    return finding('ex-offset-not-put-back', text, evidence, 'Cut, moved, inherited')
  }
  if (!ok('not-behind-the-last')) {
    const text = 'an offset behind the last frame is not refused with ENXIO: the array has four entries'
    return finding('ex-index-unchecked', text, evidence)
  }
  if (!board.finished) {
    const text = 'the board did not get to its end: the driver hangs, or the kernel stopped'
    return finding('ex-board-stopped', text, evidence)
  }
  if (NAMES.every(ok) && board.tests.every((test) => test.ok)) return null
  return finding('ex-board-objects', 'the frames are right, and the board objects to something else', evidence)
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
