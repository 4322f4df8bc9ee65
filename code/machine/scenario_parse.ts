// SPDX-License-Identifier: MIT
//
// A scenario from its text, or every mistake in it at its line and column:
//
//     scenario-yaml            not YAML                      scenario-unknown-name   no step before makes it
//     scenario-unknown-step    no verb of this name          scenario-wrong-kind     it is something else
//     scenario-unknown-key     no key of this name           scenario-same-name      made already
//     scenario-missing-key     it needs one                  scenario-field          a step does not give that
//     scenario-value           not a value for this key      scenario-board          a mistake in its device tree
//     scenario-unknown-event   no event of the kernel        scenario-outside-ram    a region where no memory is
//
// What only shows when it runs (a page freed twice, an order too high) is told by scenario_run.ts in the same form.

// #region scenario-parse
import type { Diagnostic } from '../lib/diagnostic.ts'
import { nearestWord } from '../lib/nearest_word.ts'
import { TRACE_EVENTS } from '../lib/trace_events.ts'
import {
  diagnoseIssues,
  readYaml,
  spellPath,
  valueAt,
  type FoundHere,
  type Locate,
  type LocateWithin,
  type YamlPath,
} from '../lib/yaml_schema.ts'
import {
  doingOf,
  givesCases,
  scenarioSchema,
  type ScenarioData,
  type ScenarioStep,
} from './scenario_schema.ts'
import type { Kind } from './scenario_verb.ts'
import { VERB_NAMES, VERBS } from './scenario_verbs.ts'

/** A scenario, and where its parts stand in its text. */
export interface Scenario extends ScenarioData {
  readonly file: string
  readonly locate: Locate
  readonly locateWithin: LocateWithin
}

interface Reader {
  readonly data: ScenarioData
  readonly locate: Locate
  readonly found: FoundHere[]
}

/** Reads a scenario; `file` is how messages name it. Null when a diagnostic is an error. */
export function parseScenario(
  text: string,
  file: string,
): { scenario: Scenario | null; diagnostics: Diagnostic[] } {
  const { locate, locateWithin, data, problems } = readYaml(text, 'scenario')
  const named = (list: readonly FoundHere[]): Diagnostic[] => list.map((each) => ({ ...each, file }))
  if (problems.length > 0) return { scenario: null, diagnostics: named(problems) }
  const parsed = scenarioSchema.safeParse(data)
  if (!parsed.success) {
    const reader = { schema: scenarioSchema, kind: 'scenario', data, locate }
    const found = diagnoseIssues(reader, parsed.error.issues).map((each) => asUnknownStep(each, data))
    return { scenario: null, diagnostics: named(withoutEchoes(found)) }
  }
  const reader: Reader = { data: parsed.data, locate, found: [] }
  checkNames(reader)
  checkBoard(reader)
  checkEvents(reader)
  if (reader.found.length > 0) return { scenario: null, diagnostics: named(reader.found) }
  return { scenario: { ...parsed.data, file, locate, locateWithin }, diagnostics: [] }
}

// A key that is not known, of a step without a verb, is most likely meant to be one.
function asUnknownStep(found: FoundHere, data: unknown): FoundHere {
  const match = /^(steps\[(\d+)\])\.([^.]+): unknown key$/.exec(found.text)
  if (found.rule !== 'scenario-unknown-key' || !match) return found
  const step = valueAt(data, ['steps', Number(match[2])])
  if (Object.keys(step ?? {}).some((key) => Object.hasOwn(VERBS, key))) return found
  const near = nearestWord(match[3]!, VERB_NAMES)
  return {
    ...found,
    rule: 'scenario-unknown-step',
    text: `${match[1]}: there is no step ${match[3]}`,
    note: near ? `did you mean ${near}?` : `the steps are: ${VERB_NAMES.join(', ')}`,
  }
}

// A step whose verb is misspelt also does nothing: once is enough.
function withoutEchoes(found: readonly FoundHere[]): FoundHere[] {
  const unknown = found.filter(({ rule }) => rule === 'scenario-unknown-step').map(({ text }) => text)
  return found.filter(({ text }) => {
    const echo = /^(steps\[\d+\]): expected one thing to do, got none$/.exec(text)
    return !echo || !unknown.some((each) => each.startsWith(`${echo[1]}: `))
  })
}

type Named = { readonly kind: Kind | null; readonly kernels: readonly string[] | null }

function checkNames(reader: Reader): void {
  const known = new Map<string, Named>()
  reader.data.steps.forEach((step, index) => {
    const path: YamlPath = ['steps', index]
    checkRefs(reader, step, path, known)
    checkGives(reader, step, path, known)
    if (step.as === undefined) return
    const { verb } = doingOf(step)
    const before = known.get(step.as)
    const both =
      before?.kernels && step.kernels && !step.kernels.some((each) => before.kernels!.includes(each))
    if (before && !both) {
      say(
        reader,
        'scenario-same-name',
        [...path, 'as'],
        `${spellPath([...path, 'as'])}: ${step.as} is made already, expected a name of its own`,
      )
    }
    const { makes } = VERBS[verb] as { makes?: Kind }
    known.set(step.as, { kind: makes ?? null, kernels: step.kernels ?? null })
  })
}

function say(
  reader: Reader,
  rule: string,
  path: YamlPath,
  text: string,
  note?: string,
  what: 'key' | 'value' = 'value',
): void {
  const at = reader.locate(path, what)
  reader.found.push({ rule, severity: 'error', ...at, text, ...(note === undefined ? {} : { note }) })
}

// Names among the arguments: each was made before, and is of a kind that will do.
function checkRefs(reader: Reader, step: ScenarioStep, path: YamlPath, known: Map<string, Named>): void {
  const { verb, args } = doingOf(step)
  const { refs = {} } = VERBS[verb] as { refs?: Readonly<Record<string, readonly Kind[]>> }
  for (const [key, kinds] of Object.entries(refs)) {
    for (const { name, at } of namesAt(args, key.split('.'), [...path, verb])) {
      const found = checkName(reader, name, at, known)
      if (!found || (found.kind !== null && kinds.includes(found.kind))) continue
      const got = found.kind ?? 'only numbers'
      const text = `${spellPath(at)}: ${name} is ${got}, expected ${kinds.join(' or ')}`
      say(reader, 'scenario-wrong-kind', at, text)
    }
  }
}

// The names under a key, or under a key of each entry of a list.
function namesAt(args: unknown, keys: readonly string[], at: YamlPath): { name: string; at: YamlPath }[] {
  const [key, ...rest] = keys
  if (key === undefined) return typeof args === 'string' ? [{ name: args, at }] : []
  if (Array.isArray(args)) return args.flatMap((each, index) => namesAt(each, keys, [...at, index]))
  return namesAt(valueAt(args, [key]), rest, [...at, key])
}

function checkName(reader: Reader, name: string, at: YamlPath, known: Map<string, Named>): Named | null {
  const found = known.get(name)
  if (found) return found
  const near = nearestWord(name, [...known.keys()])
  const names = [...known.keys()].join(', ') || 'nothing yet'
  const note = near ? `did you mean ${near}?` : `made so far: ${names}; a step gets a name with as:`
  say(reader, 'scenario-unknown-name', at, `${spellPath(at)}: no step before makes ${name}`, note)
  return null
}

// What `gives` asks for is something that the verb gives.
function checkGives(reader: Reader, step: ScenarioStep, path: YamlPath, known: Map<string, Named>): void {
  const { verb } = doingOf(step)
  const { gives: fields = [] } = VERBS[verb] as { gives?: readonly string[] }
  const isList = Array.isArray(step.gives)
  givesCases(step).forEach((each, number) => {
    for (const [field, expected] of Object.entries(each.fields)) {
      const at = [...path, 'gives', ...(isList ? [number] : []), field]
      checkSameAs(reader, expected, at, known)
      if (fields.includes(field)) continue
      const near = nearestWord(field, fields)
      const all = fields.length > 0 ? `${verb} gives: ${fields.join(', ')}` : `${verb} gives nothing`
      const note = near ? `did you mean ${near}?` : all
      say(reader, 'scenario-field', at, `${spellPath(at)}: ${verb} does not give ${field}`, note, 'key')
    }
  })
}

function checkSameAs(reader: Reader, expected: unknown, at: YamlPath, known: Map<string, Named>): void {
  if (typeof expected !== 'object' || expected === null) return
  for (const key of ['sameAs', 'differsFrom'] as const) {
    const reference = (expected as Record<string, unknown>)[key]
    if (typeof reference === 'string') checkName(reader, reference.split('.')[0]!, [...at, key], known)
  }
}

// A tree of one's own brings its RAM and its nodes along.
function checkBoard(reader: Reader): void {
  const { board } = reader.data
  for (const key of ['ram', 'at', 'reserved', 'nodes'] as const) {
    if (board.tree === undefined || board[key] === undefined) continue
    const at = ['board', key]
    say(reader, 'scenario-board', at, `${spellPath(at)}: stands beside board.tree, expected one of them`)
  }
}

// Events of `trace`, and of what a step expects, that no modelled kernel has.
function checkEvents(reader: Reader): void {
  const known = [...new Set(TRACE_EVENTS.map(({ event }) => event))]
  const check = (event: string, at: YamlPath, what: 'key' | 'value'): void => {
    if (known.includes(event)) return
    const near = nearestWord(event, known)
    const note = near ? `did you mean ${near}?` : `the events are: ${known.join(', ')}`
    say(reader, 'scenario-unknown-event', at, `${spellPath(at)}: there is no event ${event}`, note, what)
  }
  reader.data.trace?.forEach((event, index) => check(event, ['trace', index], 'value'))
  reader.data.steps.forEach(({ expect: expected }, index) => {
    for (const event of Object.keys(expected?.trace ?? {}))
      check(event, ['steps', index, 'expect', 'trace', event], 'key')
  })
}
// #endregion scenario-parse
