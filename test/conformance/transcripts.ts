// SPDX-License-Identifier: MIT
//
// The kernel's own words in a chapter: ` ```console boot=<boot> kernel=<series> `. Every line of such a fence must occur in
// that boot of the chapter's lab, in the order printed. A line `…` stands for whatever comes between.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BootResult } from '../../code/lab/run_lab.ts'
import { root } from '../support/files.ts'

export interface Transcript {
  /** 1-based line of the opening fence. */
  readonly line: number
  readonly boot: string
  readonly kernel: string
  readonly lines: readonly string[]
}

const FENCE = /^```console (?=.*\bboot=([\w-]+))(?=.*\bkernel=([\d.]+))/

export function transcripts(chapter: string): Transcript[] {
  const found: Transcript[] = []
  const text = readFileSync(join(root, chapter), 'utf8').split('\n')
  for (const [index, line] of text.entries()) {
    const match = FENCE.exec(line)
    if (!match) continue
    const end = text.indexOf('```', index + 1)
    found.push({
      line: index + 1,
      boot: match[1] ?? '',
      kernel: match[2] ?? '',
      lines: text.slice(index + 1, end),
    })
  }
  return found
}

/** What the boot printed: the kernel log, /proc/iomem, then what came back from its steps, each line behind a `|`. */
function printed({ dmesg, iomem, console: serial }: BootResult): string[] {
  const told = serial.split('\n').filter((line) => line.startsWith('|'))
  return [...dmesg, ...iomem.split('\n'), ...told.map((line) => line.slice(1))].map((line) => line.trimEnd())
}

/** Lines of the transcript that the boot did not print, or not in this order. */
export function missingLines(transcript: Transcript, boot: BootResult): string[] {
  const all = printed(boot)
  let from = 0
  return transcript.lines
    .filter((line) => line !== '…' && !line.startsWith('$ ') && !line.startsWith('# '))
    .filter((line) => {
      const at = all.indexOf(line, from)
      if (at >= 0) from = at + 1
      return at < 0
    })
}
