// SPDX-License-Identifier: MIT
//
// Sources and chapters, read once and put together. Ask `listing(name)` for what a fence shows and `placesOf(file)` for
// where each line of a source is told; nothing is written anywhere.
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import { readChapters } from './chapters.ts'
import { readLedger } from './ledger.ts'
import { indexRegions } from './regions.ts'
import type { Chapter, Hole, Listing, Place, Region, SourceFile, Weave, WovenLanguage } from './types.ts'
import { readWovenFiles } from './woven_files.ts'

/** A nested region inside a listing: a comment in the listing's language, so that highlighting goes on unharmed. */
export function holeText(name: string, lang: WovenLanguage): string {
  if (lang === 'ts') return `// ⟨${name}⟩`
  return lang === 'make' ? `# ⟨${name}⟩` : `/* ⟨${name}⟩ */`
}

/** The white space that all lines share, tabs and blanks taken literally. */
function commonIndent(lines: readonly string[]): string {
  let common: string | null = null
  for (const line of lines) {
    if (line.trim() === '') continue
    const indent = /^[ \t]*/.exec(line)?.[0] ?? ''
    if (common === null) common = indent
    while (!indent.startsWith(common)) common = common.slice(0, -1)
  }
  return common ?? ''
}

const EXPORTED =
  /^\s*export\s+(?:declare\s+|abstract\s+|async\s+)*(?:function\*?|class|interface|type|const|let)\s+([A-Za-z_$][\w$]*)/

/** Cuts one region out of its file. */
function cut(region: Region, source: SourceFile, regions: ReadonlyMap<string, Region>) {
  const lines: string[] = []
  const sourceLines: number[] = []
  const holes = new Map<number, string>()
  const children = region.children.flatMap((name) => regions.get(name) ?? [])
  for (let line = region.startLine + 1; line < region.endLine; line += 1) {
    const child = children.find((candidate) => candidate.startLine === line)
    const text = source.lines[line - 1] ?? ''
    sourceLines.push(line)
    if (!child) {
      lines.push(text)
      continue
    }
    holes.set(line, child.name)
    lines.push((/^[ \t]*/.exec(text)?.[0] ?? '') + holeText(child.name, source.lang))
    line = child.endLine
  }
  while (lines[0]?.trim() === '') {
    lines.shift()
    sourceLines.shift()
  }
  while (lines.at(-1)?.trim() === '') {
    lines.pop()
    sourceLines.pop()
  }
  const indent = commonIndent(lines).length
  const found: Hole[] = sourceLines.flatMap((line, index) => {
    const name = holes.get(line)
    return name === undefined ? [] : { line: index + 1, name }
  })
  return { lines: lines.map((line) => line.slice(indent).trimEnd()), sourceLines, holes: found }
}

/** Which chapter weaves each region first. */
function tellers(chapters: readonly Chapter[]): Map<string, Chapter> {
  const first = new Map<string, Chapter>()
  for (const chapter of chapters) {
    for (const fence of chapter.fences) {
      if (fence.kind === 'weave' && !first.has(fence.name)) first.set(fence.name, chapter)
    }
  }
  return first
}

/**
 * Reads the project at `root`, or a translation of its chapters, whose folder is `zh/`. Never throws on what authors
 * write: see `diagnostics`, and `checkWeave`.
 */
export function loadWeave(root: string, folder = ''): Weave {
  const read = readWovenFiles(root)
  const book = readChapters(root, folder)
  const original = folder === '' ? [] : readChapters(root).chapters
  const index = indexRegions(read.files)
  const { ledger, diagnostics: ledgerDiagnostics } = readLedger(root)
  const sources = new Map(read.files.map((source) => [source.file, source]))
  const told = tellers([...book.chapters, ...original])
  const listings = new Map<string, Listing>()
  const diagnostics: Diagnostic[] = [
    ...book.diagnostics,
    ...ledgerDiagnostics,
    ...read.diagnostics,
    ...index.diagnostics,
  ]

  const listing = (name: string): Listing => {
    const known = listings.get(name)
    if (known) return known
    const region = index.regions.get(name)
    const source = region && sources.get(region.file)
    if (!region || !source) {
      throw new Error(
        `listing: no file holds a region "${name}", among ${index.regions.size}; run checkWeave`,
      )
    }
    const { lines, sourceLines, holes } = cut(region, source, index.regions)
    const made: Listing = {
      region: name,
      file: region.file,
      startLine: sourceLines[0] ?? region.startLine,
      endLine: lastLine(sourceLines, holes, index.regions) ?? region.endLine,
      lang: source.lang,
      text: lines.join('\n'),
      sourceLines,
      holes,
      symbols: source.lang === 'ts' ? lines.flatMap((line) => EXPORTED.exec(line)?.[1] ?? []) : [],
      chapter: told.get(name) ?? null,
      anchor: anchorOf(name),
    }
    listings.set(name, made)
    return made
  }

  return {
    root,
    title: book.title,
    chapters: book.chapters,
    original,
    files: read.files,
    regions: index.regions,
    ledger,
    diagnostics,
    listing,
    placesOf: (file) => placesOf(sources.get(file), index.regions, told),
  }
}

/** The id of a listing in the page of its chapter. */
export function anchorOf(name: string): string {
  return `listing-${name}`
}

/** Where the listing ends in the source: with its last line, or with the end of the region nested there. */
function lastLine(
  sourceLines: readonly number[],
  holes: readonly Hole[],
  regions: ReadonlyMap<string, Region>,
) {
  const hole = holes.find(({ line }) => line === sourceLines.length)
  return hole ? regions.get(hole.name)?.endLine : sourceLines.at(-1)
}

function placesOf(
  source: SourceFile | undefined,
  regions: ReadonlyMap<string, Region>,
  told: ReadonlyMap<string, Chapter>,
): Map<number, Place> {
  const places = new Map<number, Place>()
  // Regions come in the order in which they open, so that a nested one writes over the lines of its parent.
  for (const region of source?.regions ?? []) {
    if (regions.get(region.name) !== region) continue
    const chapter = told.get(region.name)
    for (let line = region.startLine + 1; line < region.endLine; line += 1) {
      if (chapter) places.set(line, { region: region.name, chapter, anchor: anchorOf(region.name) })
      else places.delete(line)
    }
  }
  return places
}
