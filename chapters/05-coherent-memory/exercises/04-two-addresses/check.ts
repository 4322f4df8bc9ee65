// SPDX-License-Identifier: MIT
//
// Reads what the board said about two loads of the reader's driver: whether the page came back, what the SMMU refused,
// and whether freeing was quiet.
import type { BoardReport, CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'edu_echo.c'
const READ = {
  addresses: 'Two addresses for one byte',
  mask: 'How far a device reaches',
  free: 'Giving it back',
}

export async function check(context: CheckContext): Promise<CheckResult> {
  if (context.kind !== 'c') throw new Error('expected a board report')
  const { board } = context
  const wrong = judge(board)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [`Linux ${board.kernel}:`, ...driverLines(board)] }
}

function finding(rule: string, text: string, evidence: readonly string[], read: string): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

function judge(board: BoardReport): Finding | null {
  if (!board.built) return refused(board)
  const lines = driverLines(board)
  if (!board.finished) {
    const text =
      'the board did not get to its end: the driver hangs, the kernel stopped, or the card was told of bytes that it does not have'
    return finding('ex-board-stopped', text, [...lines, ...board.complaints], READ.addresses)
  }
  const faults = refusedAddresses(board)
  if (faults.length > 0) return outOfReach(faults, lines)
  if (lines.some((line) => line.includes('came back as'))) {
    const text = 'other bytes came back than were sent, and the SMMU refused none: the card met other memory'
    return finding('ex-other-memory', text, lines, READ.addresses)
  }
  const warnings = board.dmesg.filter((line) => /WARNING: .*dma_free_attrs/.test(line))
  if (warnings.length > 0) {
    const text = 'dma_free_coherent() is called with interrupts off, under the lock: freeing may sleep'
    return finding('ex-freed-with-interrupts-off', text, [...warnings, ...lines], READ.free)
  }
  const handles = lines.flatMap((line) => /came back through (0x[0-9a-f]+)/.exec(line)?.[1] ?? [])
  const [first, second] = handles
  if (first !== undefined && second !== undefined && first !== second) {
    const text = `the second load got another place than the first, ${second} and not ${first}: the page was never freed`
    return finding('ex-never-freed', text, lines, READ.free)
  }
  if (handles.length === 2 && board.tests.every(({ ok }) => ok)) return null
  const text = `two loads gave ${handles.length} pages that came back; expected 2, and a quiet log`
  return finding('ex-board-objects', text, [...lines, ...board.complaints], READ.addresses)
}

// The card is behind an SMMU, which refuses what the kernel did not map for it.
function outOfReach(faults: readonly number[], lines: readonly string[]): Finding {
  const shown = [...new Set(faults.map((address) => `0x${(address - (address % 4096)).toString(16)}`))]
  const evidence = [...lines, `the SMMU refused pages ${shown.slice(0, 4).join(', ')} of the card's addresses`]
  // Handles are given from the top of the mask downwards, and of one of 32 bits the card drives the lower 28.
  if (faults.every((address) => address >= 0x0ff00000 && address < 0x10000000)) {
    const text =
      'the card was given an address of 32 bits and drove the lower 28: nobody told the kernel how many lines it has'
    return finding('ex-mask-not-set', text, evidence, READ.mask)
  }
  const text =
    'the card was told an address that nobody mapped for it; the number for a device comes with the buffer, and from nowhere else'
  return finding('ex-told-no-handle', text, evidence, READ.addresses)
}

// `event 0x10 received:` is followed by four words; the third is the address that the device drove.
function refusedAddresses({ dmesg }: BoardReport): number[] {
  return dmesg.flatMap((line, i) => {
    if (!/smmuv3: event 0x10 received/.test(line)) return []
    const word = /(0x[0-9a-f]{16})$/.exec(dmesg[i + 3]?.trimEnd() ?? '')?.[1]
    return word ? [Number(word)] : []
  })
}

// The compiler's first error, `line:column: error: text`, with the others as evidence.
function refused({ build }: BoardReport): Finding {
  const [, line, column, text] =
    build.map((each) => /^(\d+):(\d+): error: (.*)$/.exec(each)).find(Boolean) ?? []
  return {
    ...finding('ex-does-not-compile', text ?? 'the compiler refuses the file', build, READ.addresses),
    line: Number(line ?? 0),
    column: Number(column ?? 0),
  }
}

function driverLines(board: BoardReport): string[] {
  return board.dmesg.filter((line) => /^edu-echo/.test(line))
}
