// SPDX-License-Identifier: MIT
//
// YAML text held against a schema, and whatever is wrong with it told at its line and column:
//
//     text ─ yaml → document ─ zod → data          mistakes → { rule, line, column, text, note }
//
// The reader of a file of its own kind (a lab, a scenario) gives the schema and the first word of its rules; what the
// schema cannot know, such as names, it tells itself with `locate`.
//
// Leaves out: anchors across documents, more than one document in a file.

// #region yaml-schema-types
import { isMap, isNode, isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml'
import { z } from 'zod'
import type { Diagnostic } from './diagnostic.ts'
import { nearestWord } from './nearest_word.ts'

/** The way from the top of a document to a value: keys and indices. */
export type YamlPath = readonly PropertyKey[]

/** A diagnostic whose file is still to be named. */
export type FoundHere = Omit<Diagnostic, 'file'>

/** Where a key or its value stands in the text; of what is not there, the nearest that is. Both from 1. */
export type Locate = (path: YamlPath, what: 'key' | 'value') => { line: number; column: number }

/**
 * Where a place in the text of a value stands in the file; both from 1, column 0 where it cannot be told: in a folded
 * block, or behind an escape.
 */
export type LocateWithin = (path: YamlPath, line: number, column: number) => { line: number; column: number }

/** A text as far as YAML goes: its data, or YAML's own complaints. */
export interface YamlText {
  readonly locate: Locate
  readonly locateWithin: LocateWithin
  /** Null when there are problems. */
  readonly data: unknown
  readonly problems: readonly FoundHere[]
}
// #endregion yaml-schema-types

// #region yaml-schema-text
/** Reads YAML. Rule of its problems: `<kind>-yaml`. */
export function readYaml(text: string, kind: string): YamlText {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const said = (offset: number, text: string, note?: string): FoundHere => {
    const found = { rule: `${kind}-yaml`, severity: 'error' as const, ...at(offset), text }
    return note === undefined ? found : { ...found, note }
  }
  const problems = [...document.errors, ...document.warnings].map((error) =>
    said(error.pos[0], ...inOurWords(error)),
  )
  const data =
    problems.length > 0 ? null : dataOf(document, (offset, told) => problems.push(said(offset, told)))
  const locate = locator(document, at)
  const locateWithin = withinLocator(document, text, at)
  return { locate, locateWithin, data, problems }
}

// The document's values. An alias without its anchor, or with too much behind it, is told at the first alias.
function dataOf(
  document: ReturnType<typeof parseDocument>,
  say: (offset: number, text: string) => void,
): unknown {
  try {
    return document.toJS()
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    let first = 0
    visit(document, {
      Alias: (_key, { range }) => {
        first = range?.[0] ?? 0
        return visit.BREAK
      },
    })
    say(first, error.message)
    return null
  }
}

// A complaint of the YAML reader, where its own words say nothing to who wrote the file; and the next step.
function inOurWords({ code, message }: YAMLError): [text: string, note?: string] {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return ['a second document begins here, expected one in a file', 'delete the line ---']
    case 'DUPLICATE_KEY':
      return ['this key stands here twice, expected it once', 'keep one of the two']
    case 'TAB_AS_INDENT':
      return [message, 'indent with spaces']
    default:
      return /call stack/.test(message) ? ['brackets are nested too deep'] : [message]
  }
}
// #endregion yaml-schema-text

// #region yaml-schema-locate
function locator(
  document: ReturnType<typeof parseDocument>,
  at: (offset: number) => { line: number; column: number },
): Locate {
  const nodeAt = (path: YamlPath): unknown =>
    path.length === 0 ? document.contents : document.getIn(path as string[], true)
  return (path, what) => {
    // The nearest that stands there: a missing key is told at the object that misses it.
    for (let length = path.length; length >= 0; length--) {
      const parent = length === 0 ? null : nodeAt(path.slice(0, length - 1))
      if (what === 'key' && length === path.length && isMap(parent)) {
        const key = path[length - 1]
        const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key)
        if (pair && isNode(pair.key) && pair.key.range) return at(pair.key.range[0])
      }
      const node = nodeAt(path.slice(0, length))
      if (isNode(node) && node.range) return at(node.range[0])
    }
    return { line: 1, column: 1 }
  }
}

// A block of text keeps its lines, each moved by the indentation; a value in one line keeps its columns.
function withinLocator(
  document: ReturnType<typeof parseDocument>,
  text: string,
  at: (offset: number) => { line: number; column: number },
): LocateWithin {
  const lines = text.split(/\r?\n/)
  return (path, line, column) => {
    const node = document.getIn(path as string[], true)
    if (!isScalar(node) || !node.range || typeof node.value !== 'string') return { line: 1, column: 0 }
    const start = at(node.range[0])
    const said = node.value.split('\n')[line - 1] ?? ''
    if (node.type === 'BLOCK_LITERAL') {
      const whole = lines[start.line + line - 1] ?? ''
      return { line: start.line + line, column: column === 0 ? 0 : whole.length - said.length + column }
    }
    const from = node.range[0] + (node.type === 'PLAIN' ? 0 : 1)
    const kept = text.startsWith(node.value, from) && !node.value.includes('\n')
    return kept
      ? { ...start, column: column === 0 ? 0 : at(from).column + column - 1 }
      : { ...start, column: 0 }
  }
}
// #endregion yaml-schema-locate

// #region yaml-schema-diagnose
/** A path as a person writes it: `boots[0].steps[2].load`. */
export const spellPath = (path: YamlPath): string =>
  path
    .map((each) => (typeof each === 'number' ? `[${each}]` : `.${String(each)}`))
    .join('')
    .replace(/^\./, '') || 'the file'

const kindOf = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}

/** What stands at `path` of `data`; undefined when nothing does. */
export function valueAt(data: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[key] : undefined,
    data,
  )
}

/** What an issue is told about: the whole document, its places, its schema and the kind of file. */
export interface SchemaReader {
  readonly schema: z.ZodType
  /** First word of the rules: `lab`, `scenario`. */
  readonly kind: string
  readonly data: unknown
  readonly locate: Locate
}

/**
 * What zod found, as lines for a person. Rules: `<kind>-unknown-key`, `-missing-key`, `-value`. Of alternatives, the
 * issues are those of the one that came closest.
 */
export function diagnoseIssues(
  reader: SchemaReader,
  issues: readonly z.core.$ZodIssue[],
  base: YamlPath = [],
): FoundHere[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path]
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(reader, path, key))
    if (issue.code === 'invalid_union') {
      const closest = closestBranch(issue.errors)
      if (closest) return diagnoseIssues(reader, closest, path)
    }
    return [wrongValue(reader, path, issue)]
  })
}

// Of the branches of a union, one that does not refuse the value's very type.
function closestBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | null {
  const fitting = branches.filter(
    (each) => !each.every((one) => one.code === 'invalid_type' && one.path.length === 0),
  )
  return fitting[0] ?? null
}

function unknownKey({ schema, kind, locate }: SchemaReader, path: YamlPath, key: string): FoundHere {
  const known = knownKeys(schema, path)
  const near = nearestWord(key, known)
  return {
    rule: `${kind}-unknown-key`,
    severity: 'error',
    ...locate([...path, key], 'key'),
    text: `${spellPath([...path, key])}: unknown key`,
    note: near ? `did you mean ${near}?` : `known here: ${known.join(', ')}`,
  }
}

function wrongValue(
  { kind, data, locate }: SchemaReader,
  path: YamlPath,
  issue: z.core.$ZodIssue,
): FoundHere {
  const value = valueAt(data, path)
  const found = { severity: 'error' as const, ...locate(path, 'value') }
  if (value === undefined && issue.code !== 'custom') {
    return { rule: `${kind}-missing-key`, ...found, text: `${spellPath(path)}: missing` }
  }
  const got = / got /.test(issue.message) ? '' : `, got ${kindOf(value)}`
  const near = issue.code === 'invalid_value' ? nearestWord(String(value), issue.values.map(String)) : null
  return {
    ...{ rule: `${kind}-value`, ...found, text: `${spellPath(path)}: ${expectedWords(issue.message)}${got}` },
    ...(near ? { note: `did you mean ${near}?` } : {}),
  }
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ object: 'keys with values (key: value)', record: 'keys with values (key: value)', array: 'a list' },
  ...{ int: 'a whole number', number: 'a number', string: 'text', boolean: 'true or false' },
}

// What zod expected, for who knows YAML and not zod.
const expectedWords = (message: string): string =>
  message
    .replace(
      /^Invalid input: expected (.*), received.*$/,
      (_all, type: string) => `expected ${TYPES[type] ?? type}`,
    )
    .replace(/^Invalid (input|option): /, '')
    .replace(
      /^Too (?:big|small): expected \w+ to (?:be|have) ([<>]=?)(\S+)/,
      (_all, sign: string, limit: string) => `expected ${SIGNS[sign] ?? sign} ${limit}`,
    )
    .replaceAll('"|"', '", "')

const SIGNS: Readonly<Record<string, string>> = {
  ...{ '<=': 'at most', '>=': 'at least', '<': 'less than', '>': 'more than' },
}
// #endregion yaml-schema-diagnose

// #region yaml-schema-keys
const open = (type: z.ZodType): z.ZodType =>
  type instanceof z.ZodOptional || type instanceof z.ZodDefault ? open(type.unwrap() as z.ZodType) : type

// The objects that may stand where this type does.
function objectsOf(type: z.ZodType): z.ZodObject[] {
  const opened = open(type)
  if (opened instanceof z.ZodObject) return [opened]
  return opened instanceof z.ZodUnion ? (opened.options as z.ZodType[]).flatMap(objectsOf) : []
}

function below(type: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const opened = open(type)
  if (opened instanceof z.ZodArray) return opened.element as z.ZodType
  if (opened instanceof z.ZodUnion && typeof key === 'number') {
    const list = (opened.options as z.ZodType[]).map(open).find((each) => each instanceof z.ZodArray)
    if (list) return below(list, key)
  }
  return objectsOf(opened)
    .map((object) => object.shape[String(key)] as z.ZodType | undefined)
    .find(Boolean)
}

/** The keys that a document of this schema may have at a place, collected from the schema itself. */
export function knownKeys(schema: z.ZodType, path: YamlPath): string[] {
  let here: z.ZodType | undefined = schema
  for (const key of path) here = here && below(here, key)
  return here ? objectsOf(here).flatMap((object) => Object.keys(object.shape)) : []
}
// #endregion yaml-schema-keys
