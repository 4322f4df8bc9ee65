// SPDX-License-Identifier: MIT
//
// Reads what the board said about two loads of the reader's module.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'out_of_2013.c'
const READ = 'What the articles say'

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...moduleLines(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const lines = moduleLines(board)
  const oops = board.dmesg.filter((line) => /Unable to handle kernel|Internal error: Oops/.test(line))
  if (oops.length > 0)
    return finding('ex-device-is-null', 'the DMA API reads the device first, and there is none', [
      ...oops,
      ...lines,
    ])
  const warned = board.dmesg.filter((line) => /WARNING: .*dma_alloc_attrs/.test(line))
  if (warned.length > 0) {
    const text = 'the device has no mask, so there is no memory that it is known to reach'
    return finding('ex-device-without-mask', text, [...warned, ...lines])
  }
  const twice = board.dmesg.filter((line) => /cannot create duplicate filename/.test(line))
  if (twice.length > 0)
    return finding(
      'ex-device-left-behind',
      'the first load leaves its device behind, and the second wants one of that name',
      twice,
    )
  if (!board.finished)
    return finding('ex-board-stopped', 'the board did not get to its end', [...lines, ...board.complaints])
  const white = lines.filter((line) => / white from 0x[0-9a-f]+ on$/.test(line)).length
  if (white === 2 && board.complaints.length === 0) return null
  const text = `the buffer was white ${white} times; expected twice, and a quiet log`
  return finding('ex-board-objects', text, [...lines, ...board.complaints])
}

// The compiler's first error, `line:column: error: text`, with the others as evidence.
function refused({ build }: BoardReport): Finding {
  const gone = build.find((each) => /dma_(alloc|free)_writecombine/.test(each))
  const error = (gone ? [gone] : build).map((each) => /^(\d+):(\d+): error: (.*)$/.exec(each)).find(Boolean)
  const [, line, column, text] = error ?? []
  const rule = gone ? 'ex-name-is-gone' : 'ex-does-not-compile'
  return {
    ...finding(rule, text ?? 'the compiler refuses the file', build),
    line: Number(line ?? 0),
    column: Number(column ?? 0),
  }
}

function moduleLines(board: BoardReport): string[] {
  return board.dmesg.filter((line) => line.startsWith('out_of_2013: '))
}
