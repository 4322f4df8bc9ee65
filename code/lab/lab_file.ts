// SPDX-License-Identifier: MIT
//
// Reads a lab file. Whatever is wrong with it is told at its line and column: YAML's own errors, what the schema refuses,
// files that are not there, and steps that name a module or program that the lab does not build.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { Diagnostic } from '../lib/diagnostic.ts'
import { nearestWord } from '../lib/nearest_word.ts'
import {
  diagnoseIssues,
  readYaml,
  spellPath,
  type FoundHere,
  type Locate,
  type YamlPath,
} from '../lib/yaml_schema.ts'
import { BOARDS } from './boards.ts'
import { labSchema, type LabData } from './lab_schema.ts'

/** A program as its sources, spelled out. */
export interface LabProgram {
  readonly name: string
  readonly sources: readonly string[]
  readonly bits: 32 | 64
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

// Files and names that the schema cannot know.
function diagnoseNames(lab: Lab, data: LabData, locate: Locate): FoundHere[] {
  const found: FoundHere[] = []
  const say = (rule: string, path: YamlPath, text: string, note?: string): void => {
    found.push({ rule, severity: 'error', ...locate(path, 'value'), text, ...(note ? { note } : {}) })
  }
  const needFile = (path: YamlPath, file: string): void => {
    if (!existsSync(join(lab.root, file)))
      say('lab-missing-file', path, `${spellPath(path)}: there is no ${file}`)
  }
  data.modules?.forEach((module, index) => needFile(['modules', index], module))
  data.include?.forEach((folder, index) => needFile(['include', index], folder))
  lab.programs.forEach((program, index) =>
    program.sources.forEach((source) => needFile(['programs', index], source)),
  )
  const modules = lab.modules.map((module) => basename(module))
  const programs = lab.programs.map((program) => program.name)
  const needName = (
    path: YamlPath,
    what: string,
    name: string | undefined,
    known: readonly string[],
  ): void => {
    if (name === undefined || known.includes(name)) return
    const near = nearestWord(name, known)
    const note = near ? `did you mean ${near}?` : `it has: ${known.join(', ') || 'none'}`
    say('lab-unknown-name', path, `${spellPath(path)}: this lab builds no ${what} ${name}`, note)
  }
  const { cpus } = BOARDS[data.board?.machine ?? 'virt']
  if (data.board?.cpu !== undefined && !cpus.includes(data.board.cpu))
    say(
      'lab-unknown-name',
      ['board', 'cpu'],
      `board.cpu: this board has no ${data.board.cpu}`,
      `it has: ${cpus.join(', ')}`,
    )
  const seen = new Set<string>()
  data.boots.forEach((boot, index) => {
    const path = ['boots', index]
    if (seen.has(boot.name))
      say('lab-same-name', [...path, 'name'], `${spellPath(path)}: a second boot ${boot.name}`)
    seen.add(boot.name)
    if (boot.tree) needFile([...path, 'tree'], boot.tree)
    if (boot.scenario) needFile([...path, 'scenario'], boot.scenario)
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
  const { locate, data, problems } = readYaml(text, 'lab')
  const here = (list: readonly FoundHere[]): Diagnostic[] => list.map((each) => ({ ...each, file }))
  if (problems.length > 0) return { lab: null, diagnostics: here(problems) }
  const parsed = labSchema.safeParse(data)
  if (!parsed.success)
    return {
      lab: null,
      diagnostics: here(
        diagnoseIssues({ schema: labSchema, kind: 'lab', data, locate }, parsed.error.issues),
      ),
    }
  const programs = (parsed.data.programs ?? []).map((program) =>
    typeof program === 'string'
      ? { name: program, sources: [`kernel/user/${program}.c`], bits: 64 as const }
      : { ...program, bits: program.bits ?? (64 as const) },
  )
  const { modules = [], include = [] } = parsed.data
  const lab: Lab = { ...parsed.data, programs, modules, include, root, file }
  const diagnostics = here(diagnoseNames(lab, parsed.data, locate))
  return { lab: diagnostics.length > 0 ? null : lab, diagnostics }
}

/** Reads a lab file. @throws Complaint (2) with every mistake at its place */
export function loadLab(file: string, root: string): Lab {
  const path = isAbsolute(file) ? file : join(root, file)
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new Complaint({ text: `there is no lab file ${path}`, exitCode: 2 })
  const shown = relative(root, path).startsWith('..') ? path : relative(root, path)
  const { lab, diagnostics } = parseLab(readFileSync(path, 'utf8'), shown, root)
  if (lab) return lab
  throw new Complaint({ text: '', exitCode: 2, diagnostics })
}
