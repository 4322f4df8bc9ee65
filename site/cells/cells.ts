// SPDX-License-Identifier: MIT
//
// The cells of a chapter, and their recorded output. In Markdown a cell is two fences, one after the other:
//
//     ```ts run id=two-regions
//     import { bootMachine } from 'contiguous/machine/boot'
//     ...
//     ```
//
//     ```output
//     what it prints, to the byte
//     ```
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import { type RawFence, readFences } from '../weave/fences.ts'
import type { Cell } from './types.ts'

const ID = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

/**
 * Every well-formed cell of a Markdown text. Rules: `cell-id` (none, or not kebab-case), `cell-duplicate`,
 * `cell-language` (not ts), `cell-output` (no output block right after it), `cell-syntax` (unknown words),
 * `cell-stray-output` (an output block without a cell).
 */
export function extractCells(markdown: string, file: string): { cells: Cell[]; diagnostics: Diagnostic[] } {
  const cells: Cell[] = []
  const diagnostics: Diagnostic[] = []
  const report = (rule: string, fence: RawFence, text: string, note?: string) =>
    diagnostics.push({
      rule,
      severity: 'error',
      file,
      line: fence.line,
      column: fence.column,
      text,
      ...(note ? { note } : {}),
    })

  const fences = readFences(markdown)
  for (const [index, fence] of fences.entries()) {
    const { lang, words, unread } = fence.info
    const next = fences[index + 1]
    if (lang === 'output' && !(fence.follows && fences[index - 1]?.info.words.has('run'))) {
      report('cell-stray-output', fence, 'an output block that follows no cell')
    }
    if (!words.has('run')) continue
    const id = words.get('id') ?? ''
    const unknown = [...[...words.keys()].filter((word) => word !== 'run' && word !== 'id'), ...unread]
    if (unknown.length > 0) report('cell-syntax', fence, `cell: unknown words ${unknown.join(' ')}`)
    if (lang !== 'ts') report('cell-language', fence, `a cell is ts, and this one says ${lang || 'nothing'}`)
    if (!ID.test(id)) {
      report(
        'cell-id',
        fence,
        id === '' ? 'a cell without an id' : `cell id "${id}" is not kebab-case`,
        'Write id=name.',
      )
    }
    const twin = cells.find((cell) => cell.id === id)
    if (twin) report('cell-duplicate', fence, `cell ${id} is already at line ${twin.line}`)
    if (next?.info.lang !== 'output' || !next.follows) {
      const note = 'Write ```output and ``` right after it, then let `npm run cells:update` fill it.'
      report('cell-output', fence, `cell ${id} has no output block`, note)
    } else if (ID.test(id) && !twin) {
      const { line, content } = fence
      const recorded = { output: next.content, outputLine: next.line, outputEndLine: next.endLine }
      cells.push({ id, file, line, code: content.replace(/\n$/, ''), ...recorded })
    }
  }
  return { cells, diagnostics }
}

/**
 * The same Markdown with new outputs in place, by cell id; all else stays as it is, to the byte. A fence grows when the
 * output holds one as long.
 */
export function rewriteOutputs(markdown: string, outputs: ReadonlyMap<string, string>): string {
  const { cells } = extractCells(markdown, '')
  const lines = markdown.split('\n')
  // From the end, so that the line numbers of earlier cells stay true.
  for (const cell of cells.toReversed()) {
    const output = outputs.get(cell.id)
    if (output === undefined || output === cell.output) continue
    const [, indent = '', markup = '```', info = ''] =
      /^(.*?)(`{3,}|~{3,})(.*)$/.exec(lines[cell.outputLine - 1] ?? '') ?? []
    const inside = [...output.matchAll(/^\s*(`{3,}|~{3,})/gm)].map(([, fence = '']) => fence.length)
    const fence = (markup[0] ?? '`').repeat(Math.max(markup.length, ...inside.map((length) => length + 1)))
    const body = output === '' ? [] : output.replace(/\n$/, '').split('\n')
    const fresh = [`${indent}${fence}${info}`, ...body.map((line) => indent + line), indent + fence]
    lines.splice(cell.outputLine - 1, cell.outputEndLine - cell.outputLine + 1, ...fresh)
  }
  return lines.join('\n')
}
