// SPDX-License-Identifier: MIT
//
// Reads what the board said about three loads of the reader's driver: one whose probe must fail, two that must
// work for the camera and fail for the spare one, which finds the region taken.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'camera_pool.c'
const READ = "The device's side"

/** What became of one load, from the driver core's line or from the driver's own. */
type Load = 'bound' | number

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
  const bad = board.dmesg.filter((line) =>
    /Bad page state|nonexistent vm area|Unable to handle|kernel BUG/.test(line),
  )
  if (bad.length > 0) {
    const text =
      'the buffer is freed after the region was released: the pool is not the device’s any more, so its pages go to ' +
      'the page allocator, which never had them'
    return finding('ex-free-after-release', text, [...lines, ...bad])
  }
  if (!board.finished) {
    const text = 'the board did not get to its end: the driver hangs, or the kernel stopped'
    return finding('ex-board-stopped', text, [...lines, ...board.complaints])
  }
  const loads = loadsOf(board, 'camera')
  const spare = loadsOf(board, 'spare')
  const attached = board.dmesg.filter((line) => line.includes('assigned reserved memory node')).length
  if (loads.length > 0 && attached === 0) {
    const text =
      'the region is never attached, so the frames come from memory that the kernel uses for other things'
    return finding('ex-pool-not-attached', text, lines)
  }
  const [failing, first, second] = loads
  if (failing === 'bound') {
    const text = 'the load with frames=32 must fail: the region has room for 16'
    return finding('ex-failure-hidden', text, lines)
  }
  if (first === -EBUSY) {
    const text = 'a probe that fails leaves its region attached: the next attach returns -EBUSY (-16)'
    return finding('ex-error-path-leaks', text, lines)
  }
  if (first === 'bound' && second === -EBUSY) {
    const text = 'remove() leaves the region attached: the next attach returns -EBUSY (-16)'
    return finding('ex-release-forgotten', text, lines)
  }
  if (first === 'bound' && second === -ENOMEM) {
    const text =
      'remove() does not free the buffer: its pages stay taken in the pool, and the next load finds none (-12)'
    return finding('ex-free-forgotten', text, lines)
  }
  if (failing === -ENOMEM && first === 'bound' && second === 'bound' && spare.includes(-EBUSY)) {
    const text =
      'frames=32 no longer gets as far as the path that was to be mended; the spare camera does, whenever the other one has ' +
      'the whole region, and its failed probe leaves the region attached: the next attach returns -EBUSY (-16)'
    return finding('ex-error-path-avoided', text, lines)
  }
  const three = [failing === -ENOMEM, first === 'bound', second === 'bound', spare.length === 3]
  if (three.every(Boolean) && spare.every((load) => load === -ENOMEM) && board.tests.every(({ ok }) => ok))
    return null
  const text =
    `three loads gave ${loads.join(', ') || 'nothing'}, and ${spare.join(', ') || 'nothing'} for the spare camera; ` +
    'expected -12, bound, bound, and -12 each time, and a quiet log'
  return finding('ex-board-objects', text, [...lines, ...board.complaints])
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

const ENOMEM = 12
const EBUSY = 16

// 6.1: `camera-pool: probe of camera failed with error -12`; 6.12: `camera-pool camera: probe with driver camera-pool failed …`.
function loadsOf({ dmesg }: BoardReport, device: string): Load[] {
  const failed = new RegExp(
    `camera-pool(?:: probe of ${device}| ${device}: probe with driver camera-pool) failed with error (-\\d+)`,
  )
  const bound = new RegExp(`camera-pool ${device}: \\d+ frames`)
  return dmesg.flatMap((line): Load[] => {
    const [, error] = failed.exec(line) ?? []
    if (error !== undefined) return [Number(error)]
    return bound.test(line) ? ['bound'] : []
  })
}

function driverLines(board: BoardReport): string[] {
  return board.dmesg.filter((line) => /^camera-pool|probe.*camera|camera.*probe/.test(line))
}
