// SPDX-License-Identifier: MIT
//
// chapters/coverage.json: every mechanism that the source articles name, and where this course has it: a section that tells
// it, a model, a real module or what can be observed of it, an exercise, a step of a lab. A place that is not there yet is
// planned, and names the chapter that owes it. Whether the places exist is asked in verify/coverage.ts.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import { diagnoseIssues, type Locate, readYaml } from '../../code/lib/yaml_schema.ts'

export const COVERAGE = 'chapters/coverage.json'

/** The five places of a mechanism. `module` is a file of kernel/, or what a lab looks at on a kernel without a module. */
export const PLACES = ['section', 'model', 'module', 'exercise', 'lab'] as const
export type PlaceName = (typeof PLACES)[number]

const Text = z.string().min(1)
const Mechanism = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected kebab-case'),
    /** The source article that names it. */
    seed: z.enum(['000', '001', '002', '003', '004']),
    name: Text,
    /** Words of which each place has at least one, in any case. */
    terms: z.array(z.string().min(3)).min(1),
    section: z.strictObject({ chapter: Text, anchor: Text }).optional(),
    /** A file of code/, and what it exports. */
    model: z.strictObject({ file: Text, name: Text }).optional(),
    /** A file of kernel/, and a name that occurs in it. */
    module: z.strictObject({ file: Text, symbol: Text }).optional(),
    /** What a lab looks for on the board, where the kernel itself is the module. */
    observable: z.strictObject({ lab: Text, text: Text }).optional(),
    /** The id of an exercise. */
    exercise: Text.optional(),
    lab: z.strictObject({ name: Text, boot: Text }).optional(),
    /** Places that are not there yet, each with the chapter that owes it. */
    planned: z.strictObject(Object.fromEntries(PLACES.map((name) => [name, Text.optional()]))).optional(),
  })
  .superRefine((mechanism, context) => {
    const wrong = (message: string, ...path: string[]): void =>
      context.addIssue({ code: 'custom', message, path })
    if (mechanism.module && mechanism.observable) wrong('expected a module or an observable, got both')
    for (const place of PLACES) {
      const stands = hasPlace(mechanism, place)
      const promised = mechanism.planned?.[place] !== undefined
      if (stands && promised) wrong(`${place} is there, and planned as well`, 'planned', place)
      if (!stands && !promised) wrong(`expected ${place}, or the chapter that owes it under planned, got neither`)
    }
  })

const CoverageSchema = z.strictObject({ why: Text, mechanisms: z.array(Mechanism) })

export type Mechanism = z.infer<typeof Mechanism>

export interface Coverage {
  readonly mechanisms: readonly Mechanism[]
  readonly diagnostics: readonly Diagnostic[]
  readonly locate: Locate
}

/** Whether a place of a mechanism is there, rather than planned. */
export function hasPlace(
  mechanism: Readonly<Partial<Record<PlaceName | 'observable', unknown>>>,
  place: PlaceName,
): boolean {
  return mechanism[place] !== undefined || (place === 'module' && mechanism.observable !== undefined)
}

/**
 * Reads the file; a project without one covers nothing. Rules: `coverage-yaml`, `coverage-unknown-key`,
 * `coverage-missing-key`, `coverage-value`, `coverage-duplicate`.
 */
export function readCoverage(root: string): Coverage {
  const path = join(root, COVERAGE)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '{ "why": "nothing", "mechanisms": [] }'
  const { data, problems, locate } = readYaml(text, 'coverage')
  const placed = (found: readonly Omit<Diagnostic, 'file'>[]): Diagnostic[] =>
    found.map((each) => ({ ...each, file: COVERAGE }))
  if (problems.length > 0) return { mechanisms: [], diagnostics: placed(problems), locate }
  const parsed = CoverageSchema.safeParse(data)
  if (!parsed.success) {
    const found = diagnoseIssues({ schema: CoverageSchema, kind: 'coverage', data, locate }, parsed.error.issues)
    return { mechanisms: [], diagnostics: placed(found), locate }
  }
  const { mechanisms } = parsed.data
  const twice = mechanisms.flatMap(({ id }, index) =>
    mechanisms.findIndex((other) => other.id === id) === index
      ? []
      : [{ rule: 'coverage-duplicate', severity: 'error' as const, ...locate(['mechanisms', index, 'id'], 'value'), text: `two mechanisms have the id ${id}` }],
  )
  return { mechanisms, diagnostics: placed(twice), locate }
}
