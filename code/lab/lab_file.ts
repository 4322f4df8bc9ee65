// SPDX-License-Identifier: MIT
//
// Reads a lab file. Whatever is wrong with it is told at its line and column: YAML's own errors, what the schema refuses,
// files that are not there, and steps that name a module or program that the lab does not build.
import { existsSync, readFileSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'
import { isNode, LineCounter, parseDocument, isMap, isScalar } from 'yaml'
import type { z } from 'zod'
import { Complaint } from '../lib/complaint.ts'
import type { Diagnostic } from '../lib/diagnostic.ts'
import { knownKeys, labSchema, type LabData } from './lab_schema.ts'
import { nearestWord } from './nearest_word.ts'

type Path = readonly PropertyKey[]

/** A program as its sources, spelled out. */
export interface LabProgram {
  readonly name: string
  readonly sources: readonly string[]
}

/** A lab as its file says it. Paths in it count from `root`. */
export interface Lab extends Omit<LabData, 'programs' | 'modules' | 'include'> {
  readonly root: string
  /** The lab file, from `root`. */
  readonly file: string
  readonly modules: readonly string[]
  readonly programs: readonly LabProgram[]
  readonly include: readonly string[]
}

/** Where a key or its value stands in the text. */
type Locate = (path: Path, what: 'key' | 'value') => { line: number; column: number }

function locator(text: string): { locate: Locate; data: unknown; problems: Omit<Diagnostic, 'file'>[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const problems = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0])
    return { rule: 'lab-yaml', severity: 'error' as const, line, column: col, text: error.message }
  })
  const locate: Locate = (path, what) => {
    // The nearest that stands there: a missing key is told at the object that misses it.
    for (let length = path.length; length >= 0; length--) {
      const parent = length === 0 ? null : document.getIn(path.slice(0, length - 1) as string[], true)
      const key = path[length - 1]
      if (what === 'key' && length === path.length && isMap(parent)) {
        const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key)
        if (pair && isNode(pair.key) && pair.key.range) return at(pair.key.range[0])
      }
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length) as string[], true)
      if (isNode(node) && node.range) return at(node.range[0])
    }
    return { line: 1, column: 1 }
  }
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  return { locate, data: problems.length > 0 ? null : document.toJS(), problems }
}

const spell = (path: Path): string =>
  path
    .map((each) => (typeof each === 'number' ? `[${each}]` : `.${String(each)}`))
    .join('')
    .replace(/^\./, '')

const kindOf = (value: unknown): string =>
  value === undefined
    ? 'nothing'
    : value === null
      ? 'nothing'
      : Array.isArray(value)
        ? 'a list'
        : JSON.stringify(value)

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[key] : undefined,
    data,
  )
}

/** What zod found, as lines for a person. An alternative's issues are those of the one that came closest. */
function diagnose(
  issues: readonly z.core.$ZodIssue[],
  data: unknown,
  locate: Locate,
  base: Path,
): Omit<Diagnostic, 'file'>[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const known = knownKeys(path)
        const near = nearestWord(key, known)
        return {
          rule: 'lab-unknown-key',
          severity: 'error' as const,
          ...locate([...path, key], 'key'),
          text: `${spell([...path, key])}: unknown key`,
          note: near ? `did you mean ${near}?` : `known here: ${known.join(', ')}`,
        }
      })
    }
    if (issue.code === 'invalid_union') {
      const fitting = issue.errors.filter(
        (each) => !each.every((one) => one.code === 'invalid_type' && one.path.length === 0),
      )
      const closest = fitting[0]
      if (closest) return diagnose(closest, data, locate, path)
    }
    const value = valueAt(data, path)
    if (value === undefined && issue.code !== 'custom') {
      const text = `${spell(path)}: missing`
      return [{ rule: 'lab-missing-key', severity: 'error' as const, ...locate(path, 'value'), text }]
    }
    const expected = issue.message
      .replace(/^Invalid input: expected (.*), received.*$/, 'expected $1')
      .replace(/^Invalid (input|option): /, '')
      .replace(/^Too /, 'too ')
    const text =
      issue.code === 'custom'
        ? `${spell(path)}: ${expected}`
        : `${spell(path)}: ${expected}, got ${kindOf(value)}`
    return [{ rule: 'lab-value', severity: 'error' as const, ...locate(path, 'value'), text }]
  })
}

// Files and names that the schema cannot know.
function diagnoseNames(lab: Lab, data: LabData, locate: Locate): Omit<Diagnostic, 'file'>[] {
  const found: Omit<Diagnostic, 'file'>[] = []
  const say = (rule: string, path: Path, text: string, note?: string): void => {
    found.push({ rule, severity: 'error', ...locate(path, 'value'), text, ...(note ? { note } : {}) })
  }
  const needFile = (path: Path, file: string): void => {
    if (!existsSync(join(lab.root, file)))
      say('lab-missing-file', path, `${spell(path)}: there is no ${file}`)
  }
  data.modules?.forEach((module, index) => needFile(['modules', index], module))
  data.include?.forEach((folder, index) => needFile(['include', index], folder))
  lab.programs.forEach((program, index) =>
    program.sources.forEach((source) => needFile(['programs', index], source)),
  )
  const modules = lab.modules.map((module) => basename(module))
  const programs = lab.programs.map((program) => program.name)
  const needName = (path: Path, what: string, name: string | undefined, known: readonly string[]): void => {
    if (name === undefined || known.includes(name)) return
    const near = nearestWord(name, known)
    const note = near ? `did you mean ${near}?` : `it has: ${known.join(', ') || 'none'}`
    say('lab-unknown-name', path, `${spell(path)}: this lab builds no ${what} ${name}`, note)
  }
  const seen = new Set<string>()
  data.boots.forEach((boot, index) => {
    const path = ['boots', index]
    if (seen.has(boot.name))
      say('lab-same-name', [...path, 'name'], `${spell(path)}: a second boot ${boot.name}`)
    seen.add(boot.name)
    if (boot.tree) needFile([...path, 'tree'], boot.tree)
    boot.steps?.forEach((step, number) => {
      const at = [...path, 'steps', number]
      needName([...at, 'load'], 'module', step.load, modules)
      needName([...at, 'unload'], 'module', step.unload, modules)
      needName([...at, 'run'], 'program', step.run, programs)
    })
  })
  return found
}

/** A lab from its text. `root` is where its paths count from; `file` is how messages name it. */
export function parseLab(
  text: string,
  file: string,
  root: string,
): { lab: Lab | null; diagnostics: Diagnostic[] } {
  const { locate, data, problems } = locator(text)
  const here = (list: readonly Omit<Diagnostic, 'file'>[]): Diagnostic[] =>
    list.map((each) => ({ ...each, file }))
  if (problems.length > 0) return { lab: null, diagnostics: here(problems) }
  const parsed = labSchema.safeParse(data)
  if (!parsed.success)
    return { lab: null, diagnostics: here(diagnose(parsed.error.issues, data, locate, [])) }
  const programs = (parsed.data.programs ?? []).map((program) =>
    typeof program === 'string' ? { name: program, sources: [`kernel/user/${program}.c`] } : program,
  )
  const { modules = [], include = [] } = parsed.data
  const lab: Lab = { ...parsed.data, programs, modules, include, root, file }
  const diagnostics = here(diagnoseNames(lab, parsed.data, locate))
  return { lab: diagnostics.length > 0 ? null : lab, diagnostics }
}

/** Reads a lab file. @throws Complaint (2) with every mistake at its place */
export function loadLab(file: string, root: string): Lab {
  const path = isAbsolute(file) ? file : join(root, file)
  if (!existsSync(path)) throw new Complaint({ text: `there is no lab file ${file}`, exitCode: 2 })
  const shown = relative(root, path).startsWith('..') ? path : relative(root, path)
  const { lab, diagnostics } = parseLab(readFileSync(path, 'utf8'), shown, root)
  if (lab) return lab
  throw new Complaint({ text: '', exitCode: 2, diagnostics })
}
