// SPDX-License-Identifier: MIT
//
// The weave must hold both ways: what a chapter shows exists, and what exists is shown, once. Every finding has a file,
// a line, a column and a rule; the build fails on any that is an error.
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import { checkLedger } from './ledger.ts'
import { isMarker } from './regions.ts'
import type { Fence, Region, SourceFile, Weave } from './types.ts'
import { loadWeave } from './weave.ts'

/** A listing of about 25 lines can be read in one go. A longer one is cut, or folded. */
export const LONG_LISTING = 28

/** Everything that is wrong with the weave of the project at `root`, in the order of files and lines. */
export function checkWeave(root: string): Diagnostic[] {
  return checkLoaded(loadWeave(root))
}

/** The same, of a weave that is loaded already. */
export function checkLoaded(weave: Weave): Diagnostic[] {
  const ledgered = (source: SourceFile) => Object.hasOwn(weave.ledger.files, source.file)
  const open = weave.files.filter((source) => !ledgered(source))
  const findings = [
    ...weave.diagnostics,
    ...checkLedger(weave),
    ...checkFences(weave),
    ...open.flatMap(checkCoverage),
    ...checkTold(weave, open),
  ]
  return findings.sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  )
}

function atFence(fence: Fence, rule: string, text: string, note?: string): Diagnostic {
  const { file, line, column } = fence
  return { rule, severity: 'error', file, line, column, text, ...(note ? { note } : {}) }
}

/** Fences against regions: `weave-unknown`, `weave-twice`, `recall-early`, and what one fence may get wrong. */
export function checkFences(weave: Weave): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const first = new Map<string, Fence>()
  const original = new Set(weave.original.flatMap(({ fences }) => fences.map(({ name }) => name)))
  for (const fence of weave.chapters.flatMap((chapter) => chapter.fences)) {
    const region = weave.regions.get(fence.name)
    if (!region) {
      const near = nearest(fence.name, [...weave.regions.keys()])
      const note = near ? `Is it ${near}?` : 'Mark it in its source with #region and #endregion.'
      diagnostics.push(atFence(fence, 'weave-unknown', `no file holds a region ${fence.name}`, note))
      continue
    }
    diagnostics.push(...checkFence(weave, fence, region))
    const before = first.get(fence.name)
    if (fence.kind === 'recall' && !before && !original.has(fence.name)) {
      const text = `region ${fence.name} is recalled before any chapter has woven it`
      diagnostics.push(
        atFence(fence, 'recall-early', text, `Write weave=${fence.name} where it is told first.`),
      )
    } else if (fence.kind === 'weave' && before) {
      const text = `region ${fence.name} is woven already at ${before.file}:${before.line}`
      diagnostics.push(atFence(fence, 'weave-twice', text, `To show it again write recall=${fence.name}.`))
    } else if (fence.kind === 'weave') {
      first.set(fence.name, fence)
    }
  }
  return diagnostics
}

/** One fence against its region: `weave-not-empty`, `weave-language`, `weave-highlight`, `weave-long`. */
function checkFence(weave: Weave, fence: Fence, region: Region): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const listing = weave.listing(region.name)
  if (fence.content.trim() !== '') {
    const text = `the fence of ${fence.name} holds text of its own`
    diagnostics.push(atFence(fence, 'weave-not-empty', text, `It is filled from ${region.file}: empty it.`))
  }
  if (fence.lang !== listing.lang) {
    const text = `the fence of ${fence.name} says ${fence.lang || 'nothing'}, and ${region.file} is ${listing.lang}`
    diagnostics.push(
      atFence(fence, 'weave-language', text, `Write \`\`\`${listing.lang} ${fence.kind}=${fence.name}.`),
    )
  }
  const length = listing.sourceLines.length
  const beyond = fence.highlight.find((line) => line > length)
  if (beyond !== undefined) {
    const text = `line ${beyond} of ${fence.name} is to be highlighted, and the listing has ${length} lines`
    diagnostics.push(atFence(fence, 'weave-highlight', text))
  }
  if (length > LONG_LISTING && fence.kind === 'weave' && fence.fold === null) {
    const text = `the listing of ${fence.name} has ${length} lines, more than ${LONG_LISTING}`
    const note = 'Nest a region inside it, or fold it: fold="What it holds."'
    diagnostics.push(atFence(fence, 'weave-long', text, note))
  }
  return diagnostics
}

/** Regions that no chapter tells: `weave-never`, and `weave-file` when that is all of a file. */
function checkTold(weave: Weave, open: readonly SourceFile[]): Diagnostic[] {
  const told = new Set(
    weave.chapters.flatMap(({ fences }) =>
      fences.flatMap((fence) => (fence.kind === 'weave' ? fence.name : [])),
    ),
  )
  return open.flatMap((source) => {
    const untold = source.regions.filter((region) => !told.has(region.name))
    if (untold.length === source.regions.length && untold.length > 0) {
      return {
        rule: 'weave-file',
        severity: 'error' as const,
        file: source.file,
        line: untold[0]?.startLine ?? 1,
        column: 1,
        text: `no chapter tells this file (${untold.length} regions)`,
        note: 'Weave it, or promise it in chapters/ledger.json.',
      }
    }
    return untold.map((region) => ({
      rule: 'weave-never',
      severity: 'error' as const,
      file: region.file,
      line: region.startLine,
      column: (source.lines[region.startLine - 1] ?? '').search(/\S/) + 1,
      text: `region ${region.name} is woven in no chapter`,
      note: `Write an empty fence \`\`\`${source.lang} weave=${region.name} where it is told.`,
    }))
  })
}

/** How many lines at the head are comment: SPDX, the words on the file, blank lines between. */
function headLines(source: SourceFile): number {
  const { lines, lang } = source
  let inBlock = false
  for (const [index, line] of lines.entries()) {
    const text = line.trim()
    if (inBlock) {
      inBlock = !text.includes('*/')
      if (!inBlock && !text.endsWith('*/')) return index
      continue
    }
    const comment = lang === 'make' ? text.startsWith('#') : text.startsWith('//')
    if (text === '' || (comment && !isMarker(line)) || (index === 0 && text.startsWith('#!'))) continue
    if (lang === 'make' || !text.startsWith('/*') || isMarker(line)) return index
    const end = text.indexOf('*/', 2)
    if (end >= 0 && end !== text.length - 2) return index
    inBlock = end < 0
  }
  return lines.length
}

/**
 * Lines in no region: one `weave-uncovered` a run of lines. Blank lines, markers and the head comment are free. A file
 * without any region is reported once, at its first line of code.
 */
export function checkCoverage(source: SourceFile): Diagnostic[] {
  const covered = new Uint8Array(source.lines.length + 2)
  for (const region of source.regions) covered.fill(1, region.startLine, region.endLine + 1)
  const head = headLines(source)
  const diagnostics: Diagnostic[] = []
  let run: { first: number; last: number } | null = null
  const finish = () => {
    if (run) diagnostics.push(uncovered(source, run.first, run.last))
    run = null
  }
  for (let line = head + 1; line <= source.lines.length; line += 1) {
    const text = source.lines[line - 1] ?? ''
    if (covered[line] || isMarker(text)) finish()
    else if (text.trim() !== '') run = { first: (run as { first: number } | null)?.first ?? line, last: line }
  }
  finish()
  return diagnostics
}

function uncovered(source: SourceFile, first: number, last: number): Diagnostic {
  const text = source.lines[first - 1] ?? ''
  const which = first === last ? `line ${first} is` : `lines ${first}–${last} are`
  return {
    rule: 'weave-uncovered',
    severity: 'error',
    file: source.file,
    line: first,
    column: text.search(/\S/) + 1,
    text: `${which} in no region: ${text.trim().slice(0, 60)}`,
    note:
      source.regions.length === 0
        ? 'Cut the file into regions, or promise it in chapters/ledger.json.'
        : 'Put it in one.',
  }
}

/** The name closest to `wanted` by edits, if any is close enough to be a slip. */
export function nearest(wanted: string, names: readonly string[]): string | null {
  let best: string | null = null
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) >= least) continue
    const distance = edits(wanted, name)
    if (distance < least) [best, least] = [name, distance]
  }
  return best
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
