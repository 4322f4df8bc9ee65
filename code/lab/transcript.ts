// SPDX-License-Identifier: MIT
//
// Reads what a guest handed over on its serial line (guest_init.ts says how), and keeps apart what anybody else printed.

/** What one step or question printed, and how it ended. */
export interface Piece {
  readonly exit: number
  readonly text: string
  /** False when what arrived is not as long as what was sent. */
  readonly whole: boolean
}

export interface Transcript {
  /** Steps by number. */
  readonly steps: ReadonlyMap<number, Piece>
  /** `dmesg`, `iomem`, …, and `own-NAME` for what the lab collects. */
  readonly texts: ReadonlyMap<string, Piece>
  /** The step that began last; null before the first. */
  readonly lastStep: number | null
  /** The guest reached its end. */
  readonly done: boolean
  /** Lines of nobody: the firmware, the kernel, a panic. */
  readonly other: readonly string[]
}

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8')

/** Reads a serial log. Bytes count here, so it is taken apart as bytes and decoded last. */
export function readTranscript(serial: Uint8Array): Transcript {
  const steps = new Map<number, Piece>()
  const texts = new Map<string, Piece>()
  const other: string[] = []
  let lastStep: number | null = null
  let done = false
  let open: string[] | null = null

  for (const line of Buffer.from(serial).toString('latin1').split('\n')) {
    // A kernel's line may stand before a mark on the same line.
    const at = line.indexOf('@contig ')
    const mark = at >= 0 && !line.startsWith('|') ? line.slice(at).trimEnd().split(' ').slice(1) : null
    if (!mark) {
      if (open && line.startsWith('|')) open.push(line.slice(1))
      else if (line.trim() !== '') other.push(utf8(line.trimEnd()))
      continue
    }
    const [verb, kind, name = '', , exit, , bytes] = mark
    if (verb === 'done') done = true
    else if (verb === 'step') lastStep = Number(kind)
    else if (verb === 'begin') open = []
    else if (verb === 'end') {
      const joined = (open ?? []).join('\n')
      const length = Number(bytes)
      // sed adds no line break to a last line without one: the length tells which it was.
      const text = length === joined.length + 1 ? `${joined}\n` : joined
      const piece = { exit: Number(exit), text: utf8(text), whole: text.length === length }
      if (kind === 'step') steps.set(Number(name), piece)
      else texts.set(name, piece)
      open = null
    }
  }
  return { steps, texts, lastStep, done, other }
}
