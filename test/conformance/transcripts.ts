// SPDX-License-Identifier: MIT
//
// What a machine said, in a chapter: ` ```console boot=<boot> kernel=<series> `. Every line of such a fence must occur in
// that boot of a lab of the chapter, in the order printed. A line `…` stands for whatever comes between, and so does `…` in
// a line.
//
//   console          lines that begin with `$ ` or `# ` are what somebody typed, and are not looked for
//   text             all lines are looked for, those of a test (`# addresses: …`) too
//   lab=<lab>        the lab's name, where the boot is of another chapter, or of one of several that call a boot so
//   boot=<a>,<b>     first lines of the one boot, then of the other
//   numbers=vary     each number is of one run; the line is looked for with any numbers
//
// A fence of either language without `boot` begins with what somebody typed, or has a title that says whose words it holds.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../../code/lab/lab_file.ts'
import type { BootResult } from '../../code/lab/run_lab.ts'
import { readFences } from '../../site/weave/fences.ts'
import { root } from '../support/files.ts'

export interface Transcript {
  /** 1-based line of the opening fence. */
  readonly line: number
  /** Unsaid: a lab of the chapter. */
  readonly lab: string | null
  readonly boots: readonly string[]
  readonly kernel: string
  readonly numbersVary: boolean
  readonly lines: readonly string[]
}

interface Said {
  readonly line: number
  readonly lang: string
  readonly words: ReadonlyMap<string, string>
  readonly lines: readonly string[]
}

const PROMPT = /^[$#] /

/** Chapters and appendices. */
export function quotingFiles(): string[] {
  return readdirSync(join(root, 'chapters'))
    .map((slug) => `chapters/${slug}/index.md`)
    .filter((file) => existsSync(join(root, file)))
}

function said(chapter: string): Said[] {
  return readFences(readFileSync(join(root, chapter), 'utf8'))
    .filter(({ info }) => ['console', 'text', ''].includes(info.lang))
    .map(({ line, info, content }) => ({
      ...{ line, lang: info.lang || 'text', words: info.words },
      lines: content.trimEnd().split('\n'),
    }))
}

/** What a chapter quotes of boots. */
export function transcripts(chapter: string): Transcript[] {
  return said(chapter).flatMap(({ line, lang, words, lines }) => {
    const boots = words.get('boot')
    if (boots === undefined) return []
    return [
      {
        ...{
          line,
          boots: boots.split(','),
          lab: words.get('lab') ?? null,
          kernel: words.get('kernel') ?? '',
        },
        numbersVary: words.get('numbers') === 'vary',
        lines: lines.filter((each) => each !== '…' && !(lang === 'console' && PROMPT.test(each))),
      },
    ]
  })
}

/** Lines of the fences that name no boot, do not begin at a prompt, and have no title. */
export function untold(chapter: string): number[] {
  return said(chapter)
    .filter(({ words, lines }) => !words.has('boot') && !words.has('title') && !PROMPT.test(lines[0] ?? ''))
    .map(({ line }) => line)
}

/** The labs that a transcript can mean, of those of its chapter or of the one that it names: one, if all is well. */
export function labsOf(transcript: Transcript, chapter: string, labs: readonly Lab[]): Lab[] {
  const folder = chapter.replace(/index\.md$/, '')
  return labs.filter(
    (lab) =>
      (transcript.lab === null ? lab.file.startsWith(folder) : lab.name === transcript.lab) &&
      lab.kernels.some((kernel) => kernel === transcript.kernel) &&
      transcript.boots.every((boot) => lab.boots.some(({ name }) => name === boot)),
  )
}

// A line of a trace is quoted without its columns, and without what is hashed anew at each boot.
const bare = (line: string): string =>
  line.replace(/^.{1,60}\[\d{3}\] \S{5} +\d+\.\d{6}: /, '').replace(/ page=[0-9a-f]{16}(?= )/, '')

/** What the boot printed: the kernel log, /proc/iomem, then what came back from its steps, each line behind a `|`. */
export function printed({
  dmesg,
  iomem,
  console: serial,
}: Pick<BootResult, 'dmesg' | 'iomem' | 'console'>): string[] {
  const told = serial.split('\n').filter((line) => line.startsWith('|'))
  return [...dmesg, ...iomem.split('\n'), ...told.map((line) => bare(line.slice(1)))].map((line) =>
    line.trimEnd(),
  )
}

const NUMBER = /(?:0x)?[0-9a-f]*\d[0-9a-f.]*/gi
// Behind the number of free blocks of a size stand their types, ` (UMC)`, none when there are no such blocks.
const anyNumbers = (line: string): string => line.replace(/ \([UMEHCI]+\)/g, '').replace(NUMBER, '0')

function pattern(line: string): RegExp {
  const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}

/** Lines of the transcript that its boots did not print, or not in this order. */
export function missingLines(
  { lines, numbersVary }: Transcript,
  boots: readonly Pick<BootResult, 'dmesg' | 'iomem' | 'console'>[],
): string[] {
  const seen = (line: string): string => (numbersVary ? anyNumbers(line) : line)
  const all = boots.flatMap(printed).map(seen)
  let from = 0
  return lines.filter((line) => {
    const wanted = pattern(seen(bare(line)))
    const at = all.findIndex((each, index) => index >= from && wanted.test(each))
    if (at >= 0) from = at + 1
    return at < 0
  })
}
