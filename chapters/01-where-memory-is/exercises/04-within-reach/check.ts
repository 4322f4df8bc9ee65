// SPDX-License-Identifier: MIT
//
// Reads what the board said about two loads of the reader's module: where the camera wrote, and whether the picture came.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'within_reach.c'
const READ = 'Zones'
const RAM = 0x4000_0000

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board, files } = context
  const wrong = judge(board, files[FILE] ?? '')
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...moduleLines(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function judge(board: BoardReport, source: string): Finding | null {
  if (!board.built) return refused(board)
  if (!hardwareIsThere(source)) {
    const text =
      'the camera, the size of its picture or the look at the buffer differ from the board: mend what is between the comments'
    return finding('ex-camera-changed', text, [])
  }
  const lines = moduleLines(board)
  if (!board.finished)
    return finding('ex-board-stopped', 'the board did not get to its end', [...lines, ...board.complaints])
  if (lines.some((line) => line.endsWith(': no pages'))) return noPages(board, lines)
  const written = lines
    .map((line) => /camera writes to 0x([0-9a-f]+)$/.exec(line)?.[1])
    .filter((each) => each !== undefined)
  if (written.length === 0) {
    const text = 'the module gives up before the camera is asked; there is room for the picture below 4 GiB'
    return finding('ex-picture-refused', text, [...lines, ...board.complaints])
  }
  const [first = 0] = written.map((digits) => parseInt(digits, 16))
  if (lines.some((line) => line.endsWith('nobody answers there'))) return nobody(first, lines)
  const arrived = lines.filter((line) => line.endsWith('the picture arrived')).length
  if (arrived === 2 && board.complaints.length === 0) return null
  const text = `the picture arrived ${arrived} times; expected twice, and a quiet log`
  return finding('ex-board-objects', text, [...lines, ...board.complaints])
}

// What the reader's file has to have as it was shipped, blanks apart.
const HARDWARE = [
  '#define PICTURE_SIZE SZ_64K',
  'pr_info("camera writes to 0x%08x\\n", reg); if (pfn_valid(PHYS_PFN(reg))) ' +
    'memset(phys_to_virt(reg), PICTURE_BYTE, PICTURE_SIZE); else pr_info("nobody answers there\\n");',
  'if (memchr_inv(page_address(buffer), PICTURE_BYTE, PICTURE_SIZE)) pr_err("the picture did not arrive\\n"); ' +
    'else pr_info("the picture arrived\\n");',
]

function hardwareIsThere(source: string): boolean {
  const plain = source.replace(/\s+/g, ' ')
  return HARDWARE.every((part) => plain.includes(part)) && plain.split('the picture arrived').length === 2
}

function noPages(board: BoardReport, lines: readonly string[]): Finding {
  // A kernel that was built without file names in its warnings tells the function alone.
  const warned = board.dmesg.filter((line) =>
    /WARNING: .*(mm\/page_alloc\.c|__alloc_pages)|page allocation failure/.test(line),
  )
  const text =
    warned.length > 0
      ? 'the request is for more than the largest block: the second argument of alloc_pages() is an order, the exponent, not a number of pages'
      : 'the page allocator has no such block'
  return finding(warned.length > 0 ? 'ex-order-is-count' : 'ex-no-pages', text, [...lines, ...warned])
}

// 64 KiB begin at a multiple of 64 KiB, and so does what the wires leave of their address; a frame number rarely is one.
function nobody(reg: number, lines: readonly string[]): Finding {
  if (reg % 0x1_0000 !== 0 && reg >= RAM / 4096 && reg < 2 ** 21) {
    const text = `0x${reg.toString(16)} is a page frame number; the camera wants an address, 4096 times that`
    return { ...finding('ex-frame-number-for-address', text, lines), read: 'Pages and frames' }
  }
  const text = `the page lies beyond 4 GiB, and 0x${reg.toString(16)} is what thirty-two wires leave of its address`
  return finding('ex-out-of-reach', text, lines)
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

function moduleLines(board: BoardReport): string[] {
  return board.dmesg.filter((line) => line.startsWith('within_reach: '))
}
