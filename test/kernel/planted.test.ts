// SPDX-License-Identifier: MIT
//
// A fuzzer that reports nothing may be a fuzzer that finds nothing. Each mistake planted here is one that drivers are
// shipped with; the fuzzer has to find it on the debug kernel, and for its own reason.
import { describe, expect, it } from 'vitest'
import { boardIsMissing } from '../support/board.ts'
import { fuzzPlanted, listPlanted } from '../support/planted.ts'

const missing = boardIsMissing()
const planted = listPlanted()
// Longer than the limit that a fuzzed boot has of its own: what ends it should be the boot's.
const LIMIT_MS = 900_000

describe('the fuzzer', () => {
  it('has mistakes of several kinds to find', () => {
    expect(planted.length).toBeGreaterThanOrEqual(5)
    expect(new Set(planted.map(({ device }) => device.name)).size).toBeGreaterThanOrEqual(3)
  })

  it.skipIf(missing !== null).each(planted)(`finds $name${missing ? ` (${missing})` : ''}`, async (each) => {
    const { verdict, said } = await fuzzPlanted(each)
    expect(verdict, said.slice(0, 60).join('\n')).toBe('failed')
    for (const words of each.rejectedBy) expect(said.join('\n')).toMatch(words)
  }, LIMIT_MS)
})
