// SPDX-License-Identifier: MIT
//
// chapters/ledger.json: the files that no chapter tells yet, each with the chapter that will.
//
//     { "why": "...", "files": { "code/of/dts_lexer.ts": "reading-a-device-tree" } }
//
// A file in the ledger is excused whole: it may carry regions, and no chapter may weave any of them. A file is either
// told or promised, never half of each, so that the ledger can only shrink and a reader never meets half a file. The
// promise names a chapter or appendix that is not written yet; when that chapter is written, the promise is due.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import type { Ledger, Weave } from './types.ts'

export const LEDGER = 'chapters/ledger.json'

/** Reads the ledger. Without one nothing is excused. Rule `ledger-syntax`. */
export function readLedger(root: string): { ledger: Ledger; diagnostics: Diagnostic[] } {
  const nothing: Ledger = { why: '', files: {} }
  if (!existsSync(join(root, LEDGER))) return { ledger: nothing, diagnostics: [] }
  try {
    const ledger = JSON.parse(readFileSync(join(root, LEDGER), 'utf8')) as Ledger
    if (typeof ledger.files === 'object' && typeof ledger.why === 'string') return { ledger, diagnostics: [] }
    throw new Error('it needs "why", a string, and "files", an object from file to chapter')
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return {
      ledger: nothing,
      diagnostics: [{ rule: 'ledger-syntax', severity: 'error', file: LEDGER, line: 0, column: 0, text }],
    }
  }
}

/** Line and column of a file's name in the ledger's text. */
function placeInLedger(text: string, file: string) {
  const at = text.indexOf(JSON.stringify(file))
  if (at < 0) return { line: 0, column: 0 }
  const before = text.slice(0, at).split('\n')
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

/**
 * Rules `ledger-missing` (no such woven file), `ledger-chapter` (no such chapter), `ledger-due` (the chapter is written
 * and does not tell it), `ledger-told` (chapters weave the file: take it out of the ledger and tell the rest).
 */
export function checkLedger(weave: Weave): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const path = join(weave.root, LEDGER)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const sources = new Map(weave.files.map((source) => [source.file, source]))
  const woven = new Map(
    weave.chapters.flatMap((chapter) =>
      chapter.fences.filter(({ kind }) => kind === 'weave').map((f) => [f.name, f]),
    ),
  )
  for (const [file, slug] of Object.entries(weave.ledger.files)) {
    const report = (rule: string, what: string, note: string) =>
      diagnostics.push({
        rule,
        severity: 'error',
        file: LEDGER,
        ...placeInLedger(text, file),
        text: what,
        note,
      })

    const source = sources.get(file)
    if (!source) {
      const note = existsSync(join(weave.root, file))
        ? 'Only files that must be woven stand here.'
        : 'Remove this line.'
      report('ledger-missing', `${file} is not a file of the weave`, note)
      continue
    }
    const told = source.regions.filter((region) => woven.has(region.name))
    const [first] = told
    if (first) {
      const fence = woven.get(first.name)
      const all = told.length === source.regions.length
      const how = all
        ? `all ${told.length} of its regions are`
        : `${told.length} of its ${source.regions.length} regions are`
      report(
        'ledger-told',
        `${file} is promised, but ${how} woven already (${first.name} at ${fence?.file}:${fence?.line})`,
        'Remove this line, and weave what is left of the file.',
      )
    }
    const chapter = weave.chapters.find((candidate) => candidate.slug === slug)
    if (!chapter) {
      report(
        'ledger-chapter',
        `${file} is promised to "${slug}", which book.json does not have`,
        'Name a slug of book.json.',
      )
    } else if (!chapter.planned && !first) {
      report(
        'ledger-due',
        `${file} is promised to ${slug}, which is written and does not weave it`,
        'Weave it there, or name the later chapter that will.',
      )
    }
  }
  return diagnostics
}
