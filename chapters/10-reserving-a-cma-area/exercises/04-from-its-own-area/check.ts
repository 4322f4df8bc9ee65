// SPDX-License-Identifier: MIT
//
// Reads what the board said about two loads of the reader's driver: where the frames lie, or why there are none.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'own_area.c'
const READ = 'Whose area'
const AREA = { base: 0x5000_0000, end: 0x5080_0000 }
const FRAMES = 6 * 2 ** 20

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board, files } = context
  const wrong = judge(board, files[FILE] ?? '')
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...driverLines(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport, source: string): Finding | null {
  if (!board.built) return refused(board)
  const lines = driverLines(board)
  if (!board.finished)
    return finding('ex-board-stopped', 'the board did not get to its end', [...lines, ...board.complaints])
  if (
    lines.some((line) => line.includes('frames at')) &&
    lines.some((line) => /failed with error -12$/.test(line))
  ) {
    const text = 'the second load finds no room: the frames of the first were never given back to the area'
    return finding('ex-frames-not-freed', text, lines)
  }
  const failed = lines
    .map((line) => /failed with error (-\d+)/.exec(line)?.[1])
    .find((each) => each !== undefined)
  if (failed) return probeFailed(Number(failed), source, lines)
  // The driver core keeps silent about -ENODEV; dev_err_probe() has told it by name, or by number where the kernel knows none.
  const named = lines
    .map((line) => /error -(ENODEV|EINVAL|19|22):/.exec(line)?.[1])
    .find((each) => each !== undefined)
  if (named) return probeFailed(['ENODEV', '19'].includes(named) ? -ENODEV : -EINVAL, source, lines)
  const frames = lines
    .map((line) => /frames at 0x([0-9a-f]+)/.exec(line)?.[1])
    .filter((each) => each !== undefined)
  const outside = frames
    .map((digits) => parseInt(digits, 16))
    .find((at) => at < AREA.base || at + FRAMES > AREA.end)
  if (outside !== undefined) return elsewhere(outside, lines)
  // A region that stays attached leaves no trace on a board that is switched off afterwards.
  if (frames.length === 2 && !/of_reserved_mem_device_release/.test(source)) {
    const text =
      'the region is never released: the entry that attaching made stays behind, one more with each load'
    return finding('ex-region-not-released', text, lines)
  }
  if (frames.length === 2 && board.complaints.length === 0) return null
  const text = `${frames.length} of two loads gave frames; expected both, and a quiet log`
  return finding('ex-board-objects', text, [...lines, ...board.complaints])
}

function probeFailed(ret: number, source: string, lines: readonly string[]): Finding {
  if (ret === -ENOMEM && /GFP_(ATOMIC|NOWAIT)/.test(source)) {
    const text =
      'a caller who may not sleep gets nothing from CMA, and no other allocator has 6 MiB in one piece'
    return finding('ex-may-not-sleep', text, lines)
  }
  if (ret === -ENODEV || ret === -EINVAL) {
    const text = `the region cannot be attached (${ret}): the device's memory-region has one entry, number 0`
    return finding('ex-no-second-region', text, lines)
  }
  return finding('ex-probe-fails', `probe() fails with ${ret}`, lines)
}

function elsewhere(at: number, lines: readonly string[]): Finding {
  const attached = lines.findIndex((line) => line.includes('assigned reserved memory node'))
  const where = `the frames lie at 0x${at.toString(16)}, in the default area`
  if (attached >= 0)
    return finding('ex-attached-too-late', `${where}: the region is attached after they were taken`, lines)
  return finding('ex-from-everybodys-area', `${where}: the driver never attached its own`, lines)
}

const ENOMEM = 12
const ENODEV = 19
const EINVAL = 22

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
  return board.dmesg.filter((line) => /^own-area|probe.*video|video.*probe/.test(line))
}
