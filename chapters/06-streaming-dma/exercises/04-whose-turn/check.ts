// SPDX-License-Identifier: MIT
//
// Reads what the board said about the reader's driver: which byte came back, and which one was there after unmapping. The
// page held 0xee when it was lent, the pattern was written later, and the page is wiped before the card brings it back.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'edu_turns.c'
const READ = 'A copy in reach'

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...driverLines(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const lines = driverLines(board)
  if (!board.finished) {
    const text = 'the board did not get to its end: the driver hangs, or the kernel stopped'
    return finding('ex-board-stopped', text, [...lines, ...board.complaints])
  }
  const came = byteOf(lines, /byte 1 came back as (0x[0-9a-f]+|0),/)
  const atEnd = byteOf(lines, /after unmapping byte 1 is (0x[0-9a-f]+|0)$/)
  if (came !== null) return whatCame(came, atEnd, lines)
  const rounds = lines.filter((line) => line.includes('bytes came back')).length
  if (rounds === 2 && board.tests.every(({ ok }) => ok)) return null
  const text = `${rounds} rounds were right, expected 2, and a quiet log`
  return finding('ex-board-objects', text, [...lines, ...board.complaints])
}

function whatCame(came: number, atEnd: number | null, lines: readonly string[]): Finding {
  if (came === 0xee) {
    const text = 'the card sent what was in the page when it was lent; what the driver wrote since was not handed over'
    return finding('ex-card-sent-old-bytes', text, lines)
  }
  if (came === 0 && atEnd === 0) {
    const text = 'what the card wrote did not come back, at unmapping neither: the direction does not say that the card writes'
    return finding('ex-wrong-direction', text, lines)
  }
  if (came === 0 && atEnd === 0xee) {
    const text = 'neither side was told that bytes change hands: the card sent old ones, and the driver looked at its own'
    return finding('ex-never-synced', text, lines)
  }
  if (came === 0) {
    const text = 'the card has written, and the driver looks at the page before it got it back; unmapping brought the bytes'
    return finding('ex-looked-too-early', text, lines)
  }
  return finding('ex-other-bytes', 'other bytes came back than were sent', lines)
}

function byteOf(lines: readonly string[], pattern: RegExp): number | null {
  const found = lines.flatMap((line) => pattern.exec(line)?.[1] ?? [])[0]
  return found === undefined ? null : Number(found)
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

function driverLines(board: BoardReport): string[] {
  return board.dmesg.filter((line) => /^edu-turns/.test(line))
}
