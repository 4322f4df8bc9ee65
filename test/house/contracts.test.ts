// SPDX-License-Identifier: MIT
//
// Every contract and vector has a test that names it, or a reason; every id that a test names is one of them.
// `npm run contracts` prints the table with the outcome of each.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { contracts, idsIn, rows, vectors } from '../contracts/contracts.ts'
import { filesUnder, root } from '../support/files.ts'

// Titles of tests and suites are strings that open an argument list, also the second one of `test.each(…)(`.
const TITLE = /\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs
const titles = filesUnder('test', '.test.ts')
  .filter((file) => !file.endsWith('house/contracts.test.ts'))
  .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(TITLE)].map((match) => match[2]!))
const named = new Set(titles.flatMap(idsIn))

describe('contracts', () => {
  it('each have a test whose title names it, or a reason', () => {
    expect(rows.length).toBeGreaterThan(170)
    expect(
      rows.filter(({ id, unproven }) => !named.has(id) && unproven === undefined).map(({ id }) => id),
    ).toEqual([])
  })

  it('with a reason have no test: the reason would be out of date', () => {
    expect(
      rows.filter(({ id, unproven }) => named.has(id) && unproven !== undefined).map(({ id }) => id),
    ).toEqual([])
  })

  it('that a test names are listed', () => {
    const known = new Set(rows.map(({ id }) => id))
    expect([...named].filter((id) => !known.has(id))).toEqual([])
  })

  it('each say where Linux does it', () => {
    expect(contracts.filter(({ source }) => source.length === 0)).toEqual([])
    expect(vectors.filter(({ source, how }) => !source || !how)).toEqual([])
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  })

  it('are found in a title however it lists them', () => {
    expect(idsIn('f() MC-2.1, MC-2.3 and TV-4: …')).toEqual(['MC-2.1', 'MC-2.3', 'TV-4'])
    expect(idsIn('f() MC-12.1 to MC-12.4, TV-1…6')).toEqual([
      ...['MC-12.1', 'MC-12.2', 'MC-12.3', 'MC-12.4', 'TV-1', 'TV-2', 'TV-3', 'TV-4', 'TV-5', 'TV-6'],
    ])
    expect(idsIn('f() takes 4.6 pages')).toEqual([])
  })
})
