// SPDX-License-Identifier: MIT
//
// Holds a field of a result against what a scenario expects of it.
//
//     gives: { pfn: 0x68000, byte: { not: 0 }, pages: { atLeast: 100 }, text: { sameAs: before.text } }

// #region scenario-expect
import { Fault, spellField, type Field, type Run } from './scenario_context.ts'
import type { Expected } from './scenario_values.ts'

/** Null when `got` is as expected, else what was got and what was expected. */
export function mismatch(run: Run, field: string, expected: Expected, got: Field): string | null {
  const spell = (value: Field) => spellField(field, value)
  const wrong = (what: string) => `got ${spell(got)}, expected ${what}`
  if (Array.isArray(expected) || typeof expected !== 'object' || expected === null) {
    return equal(expected as Field, got) ? null : wrong(spell(expected as Field))
  }
  const { sameAs, differsFrom, not, atLeast, atMost } = expected as Exclude<Expected, Field | number[]>
  if (sameAs !== undefined) {
    const other = fieldNamed(run, sameAs)
    if (!equal(other, got)) return wrong(`${spell(other)} as ${sameAs}`)
  }
  if (differsFrom !== undefined && equal(fieldNamed(run, differsFrom), got))
    return wrong(`another than ${differsFrom}`)
  if (not !== undefined && equal(not, got)) return wrong(`anything but ${spell(not)}`)
  const number = typeof got === 'number' ? got : Number.NaN
  if (atLeast !== undefined && !(number >= atLeast)) return wrong(`at least ${spell(atLeast)}`)
  if (atMost !== undefined && !(number <= atMost)) return wrong(`at most ${spell(atMost)}`)
  return null
}

function equal(a: Field, b: Field): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  return a.length === b.length && a.every((value, i) => value === b[i])
}

/** The field that `name.field` means. @throws Fault when that result has none of this name */
export function fieldNamed(run: Run, reference: string): Field {
  const [name = '', field = ''] = reference.split('.')
  const value = run.results.get(name)?.fields[field]
  if (value !== undefined) return value
  const has = Object.keys(run.results.get(name)?.fields ?? {}).join(', ') || 'nothing'
  throw new Fault({
    rule: 'scenario-unknown-name',
    text: `${reference}: ${name} gave ${has}, expected a name and a field, such as before.pfn`,
  })
}
// #endregion scenario-expect
