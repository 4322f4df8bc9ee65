// SPDX-License-Identifier: MIT
//
// Regions in a source text. Markers are comments of the file's own language, so that no compiler sees them:
//
//     // #region memblock-add          /* #region coherent-probe */        # #region kbuild-flags
//     // #endregion memblock-add       /* #endregion coherent-probe */     # #endregion kbuild-flags
//
// Both ends carry the name. Regions nest and never cross; a name is kebab-case and unique in the whole project.
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import type { Region, SourceFile, WovenLanguage } from './types.ts'

const MARKER: Record<WovenLanguage, RegExp> = {
  ts: /^\s*\/\/\s*#(region|endregion)\b(.*)$/,
  c: /^\s*\/\*\s*#(region|endregion)\b(.*?)\*\/\s*$/,
  dts: /^\s*\/\*\s*#(region|endregion)\b(.*?)\*\/\s*$/,
  make: /^\s*#\s*#(region|endregion)\b(.*)$/,
}

const FORM: Record<WovenLanguage, string> = {
  ts: '// #region name',
  c: '/* #region name */',
  dts: '/* #region name */',
  make: '# #region name',
}

/** A comment, of any language, that begins as a marker does. */
const LOOKS_LIKE_MARKER = /^\s*(?:\/\/|\/\*|#)?\s*#(?:end)?region\b/

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

/** The language of a woven file by its name, or null when no such file is woven. */
export function languageOf(file: string): WovenLanguage | null {
  const base = file.slice(file.lastIndexOf('/') + 1)
  if (/\.ts$/.test(base)) return 'ts'
  if (/\.[ch]$/.test(base)) return 'c'
  if (/\.dts[oi]?$/.test(base)) return 'dts'
  if (base === 'Makefile' || base === 'Kbuild') return 'make'
  return null
}

/** True when this line of the file is a marker, well-formed or not. */
export function isMarker(line: string): boolean {
  return line.includes('region') && LOOKS_LIKE_MARKER.test(line)
}

interface OpenRegion {
  name: string
  startLine: number
  parent: OpenRegion | null
  children: string[]
  /** Lines of its own that are not blank. */
  content: number
}

/** The text of a marker after `#region`, cut into its name; the end of a region is the same with `#endregion`. */
function readMarker(line: string, lang: WovenLanguage): { end: boolean; name: string } | null {
  const match = MARKER[lang].exec(line)
  if (!match) return null
  return { end: match[1] === 'endregion', name: (match[2] ?? '').trim() }
}

/**
 * Finds the regions of one file. What is wrong is reported and stepped over, so that one mistake gives one message:
 * `region-form`, `region-name`, `region-unclosed`, `region-crossed`, `region-unopened`, `region-empty`.
 */
export function scanRegions(source: string, file: string, lang: WovenLanguage) {
  const lines = source.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const diagnostics: Diagnostic[] = []
  const regions: { order: number; region: Region }[] = []
  // Ends that stand too late: their regions were crossed, and that has been said.
  const crossed = new Set<string>()
  let open: OpenRegion | null = null

  const report = (rule: string, line: number, text: string, note?: string) => {
    const column = (lines[line - 1] ?? '').search(/\S/) + 1
    diagnostics.push({ rule, severity: 'error', file, line, column, text, ...(note ? { note } : {}) })
  }
  const close = (region: OpenRegion, endLine: number) => {
    const { name, startLine, parent, children } = region
    if (region.content === 0 && children.length === 0) {
      report('region-empty', startLine, `region ${name} holds nothing`, 'Fill it, or remove both markers.')
    }
    regions.push({
      order: startLine,
      region: { name, file, startLine, endLine, parent: parent?.name ?? null, children },
    })
    parent?.children.push(name)
  }

  for (const [index, text] of lines.entries()) {
    const line = index + 1
    if (!isMarker(text)) {
      if (open && text.trim() !== '') open.content += 1
      continue
    }
    const marker = readMarker(text, lang)
    if (!marker) {
      report('region-form', line, `marker "${text.trim()}" is not of the form "${FORM[lang]}"`)
    } else if (!NAME.test(marker.name)) {
      report('region-name', line, `region name "${marker.name}" is not kebab-case, such as memblock-add`)
    } else if (!marker.end) {
      open = { name: marker.name, startLine: line, parent: open, children: [], content: 0 }
    } else {
      if (!crossed.delete(marker.name)) open = closeNamed(open, marker.name, line, { report, close, crossed })
    }
  }
  for (let region: OpenRegion | null = open; region; region = region.parent) {
    const note = `End it with #endregion ${region.name}.`
    report('region-unclosed', region.startLine, `region ${region.name} is never closed`, note)
    close(region, lines.length + 1)
  }
  regions.sort((a, b) => a.order - b.order)
  const scanned: SourceFile = { file, lang, lines, regions: regions.map(({ region }) => region) }
  return { source: scanned, diagnostics }
}

interface Sink {
  report(rule: string, line: number, text: string, note?: string): void
  close(region: OpenRegion, endLine: number): void
  crossed: Set<string>
}

/** Closes `name`; the innermost open region afterwards. A region opened later and still open has been crossed. */
function closeNamed(open: OpenRegion | null, name: string, line: number, sink: Sink): OpenRegion | null {
  let target = open
  while (target && target.name !== name) target = target.parent
  if (!target) {
    sink.report('region-unopened', line, `#endregion ${name} ends a region that is not open here`)
    return open
  }
  for (let inner = open; inner && inner !== target; inner = inner.parent) {
    sink.report(
      'region-crossed',
      line,
      `region ${name} ends while ${inner.name}, opened inside it on line ${inner.startLine}, is still open`,
      `Close ${inner.name} first.`,
    )
    // It counts as closed here, so that one mistake gives one message.
    sink.crossed.add(inner.name)
    sink.close(inner, line)
  }
  sink.close(target, line)
  return target.parent
}

/** All regions by name. A name that two places use is an error at the second (`region-duplicate`). */
export function indexRegions(files: readonly SourceFile[]) {
  const regions = new Map<string, Region>()
  const diagnostics: Diagnostic[] = []
  for (const region of files.flatMap((source) => source.regions)) {
    const first = regions.get(region.name)
    if (!first) {
      regions.set(region.name, region)
      continue
    }
    diagnostics.push({
      rule: 'region-duplicate',
      severity: 'error',
      file: region.file,
      line: region.startLine,
      column: 1,
      text: `region ${region.name} is already at ${first.file}:${first.startLine}`,
      note: 'A name is unique in the whole project: put the name of the file in front.',
    })
  }
  return { regions, diagnostics }
}
