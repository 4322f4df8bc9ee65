// SPDX-License-Identifier: MIT
//
// The scenarios of the book: chapters/*/scenarios/*.yaml, each named as its file.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { Diagnostic } from '../lib/diagnostic.ts'
import { nearestWord } from '../lib/nearest_word.ts'
import { MiB } from '../lib/units.ts'
import { parseScenario, type Scenario } from '../machine/scenario_parse.ts'
import { readAtMost } from './read_file.ts'

/** A scenario and where it lies. */
export interface FoundScenario {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly scenario: Scenario
}

/** The names and files of all scenarios, in the order of the chapters. */
export function scenarioFiles(root: string): { name: string; path: string }[] {
  const chapters = join(root, 'chapters')
  return readdirSync(chapters)
    .sort()
    .map((chapter) => join(chapters, chapter, 'scenarios'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file.endsWith('.yaml'))
        .sort()
        .map((file) => ({ name: basename(file, '.yaml'), path: join(folder, file) })),
    )
}

/** Reads a scenario file. @throws Complaint (2) with every mistake at its place */
export function loadScenario(path: string, root: string): FoundScenario {
  const bytes = readAtMost(path, MiB(1), 'List the scenarios: contig run')
  const shown = relative(root, path)
  const file = shown.startsWith('..') ? path : shown
  const text = Buffer.from(bytes).toString('utf8')
  const wrong = notText(bytes, text, file)
  if (wrong) throw new Complaint({ text: '', exitCode: 2, diagnostics: [wrong] })
  const { scenario, diagnostics } = parseScenario(text, file)
  if (scenario) return { name: basename(path, '.yaml'), path, scenario }
  throw new Complaint({ text: '', exitCode: 2, diagnostics })
}

// The first byte that is not UTF-8, at its place.
function notText(bytes: Uint8Array, text: string, file: string): Diagnostic | null {
  const again = Buffer.from(text)
  const at = bytes.findIndex((byte, index) => byte !== again[index])
  if (at < 0) return null
  const before = Buffer.from(bytes.subarray(0, at)).toString('utf8').split('\n')
  return {
    ...{ rule: 'scenario-yaml', severity: 'error', file, line: before.length },
    column: (before.at(-1) ?? '').length + 1,
    text: `got the byte 0x${bytes[at]!.toString(16)}, expected text in UTF-8`,
    note: 'save the file as UTF-8',
  }
}

export const listScenarios = (root: string): FoundScenario[] =>
  scenarioFiles(root).map(({ path }) => loadScenario(path, root))

/** The scenario of this name, or the one in this file. @throws Complaint (2) offering the nearest name */
export function findScenario(root: string, name: string): FoundScenario {
  if (/\.ya?ml$|\//.test(name)) return loadScenario(resolve(name), root)
  const files = scenarioFiles(root)
  const found = files.find((each) => each.name === name)
  if (found) return loadScenario(found.path, root)
  const near = nearestWord(
    name,
    files.map((each) => each.name),
  )
  throw new Complaint({
    text: `there is no scenario ${name || '""'}` + (near ? `; did you mean ${near}?` : ''),
    exitCode: 2,
    next: ['List them: contig run'],
  })
}

/** What lies beside a scenario, for its board.tree. */
export const readBeside =
  ({ path }: FoundScenario) =>
  (file: string): string | null => {
    const beside = join(dirname(path), file)
    if (!existsSync(beside) || !statSync(beside).isFile()) return null
    return Buffer.from(readAtMost(beside, MiB(1), 'board.tree is device-tree source')).toString('utf8')
  }

export function listingText(found: readonly FoundScenario[], json: boolean): string {
  if (json) {
    const rows = found.map(({ name, scenario: { title, kernels, arch, shows, file } }) => {
      return { name, title, kernels, arch, shows: shows ?? [], file }
    })
    return `${JSON.stringify({ scenarios: rows }, null, 2)}\n`
  }
  const width = Math.max(0, ...found.map(({ name }) => name.length))
  const rows = found.map(({ name, scenario }) => {
    return `  ${name.padEnd(width)}  ${scenario.title} (Linux ${scenario.kernels.join(', ')})\n`
  })
  return [
    'Scenarios:\n',
    ...rows,
    '\nRun one: contig run NAME; see its trace: contig run NAME --trace\n',
  ].join('')
}
