// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { ktapFailures, readKtap } from '../../code/lab/ktap.ts'

const failures = (text: string, maySkip: string[] = []): string[] => ktapFailures(readKtap(text), maySkip)

describe('readKtap()', () => {
  it('counts the tests that passed', () => {
    const report = readKtap('KTAP version 1\n1..2\nok 1 one\nok 2 - two\n')
    expect(report.counts).toEqual({ passed: 2, failed: 0, skipped: 0, todo: 0, missing: 0 })
    expect(report.tests.map((test) => test.name)).toEqual(['one', 'two'])
    expect(ktapFailures(report)).toEqual([])
  })

  it('tells a failed test with what it printed before', () => {
    const text = 'KTAP version 1\n1..2\nok 1 one\n# two: got 3, expected 4\nnot ok 2 two\n'
    expect(failures(text)).toEqual(['not ok 2 two', '  # two: got 3, expected 4'])
  })

  it('reads subtests, and blames the one that failed', () => {
    const text =
      'KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: outer\n  1..2\n  ok 1 a\n  not ok 2 b\nnot ok 1 outer\n'
    const report = readKtap(text)
    expect(report.tests[0]?.subtests.map((test) => test.name)).toEqual(['a', 'b'])
    expect(report.counts).toMatchObject({ passed: 1, failed: 1 })
    expect(ktapFailures(report)).toEqual(['not ok 2 b'])
  })

  it('fails a parent that passed over a failed subtest', () => {
    expect(failures('KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 a\nok 1 outer\n')).toEqual([
      'not ok 1 a',
    ])
  })

  it('counts a parent that failed although its subtests passed', () => {
    expect(failures('KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\nnot ok 1 outer\n')).toEqual([
      'not ok 1 outer',
    ])
  })

  it('fails what the plan promised and nobody reported', () => {
    expect(failures('KTAP version 1\n1..3\nok 1 one\n# it dies\n')).toEqual([
      'test 2 never reported',
      '  # it dies',
      'test 3 never reported',
    ])
  })

  it('fails a subtest block that ends early', () => {
    expect(failures('KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a\nok 1 outer\n')).toEqual([
      'test 2 never reported',
    ])
  })

  it.each([
    ['no version line', '1..1\nok 1 one\n', 'there is no line "KTAP version 1"'],
    ['another version', 'KTAP version 2\n1..1\nok 1 one\n', 'line 1: KTAP version 2, expected 1'],
    ['no plan', 'KTAP version 1\nok 1 one\n', 'there is no plan (1..N)'],
    ['a second plan', 'KTAP version 1\n1..1\n1..1\nok 1 one\n', 'a second plan'],
    ['a late plan', 'KTAP version 1\nok 1 one\n1..1\n', 'the plan stands behind a test'],
    ['a gap', 'KTAP version 1\n1..2\nok 2 two\n', 'test 2 where 1 was due'],
    ['a number twice', 'KTAP version 1\n1..2\nok 1 one\nok 1 one\n', 'test 1 where 2 was due'],
    ['more than planned', 'KTAP version 1\n1..1\nok 1 one\nok 2 two\n', 'test 2 is beyond the plan 1..1'],
    ['a bail out', 'KTAP version 1\n1..1\nBail out! no device\nok 1 one\n', 'the program gave up: no device'],
    ['an empty plan', 'KTAP version 1\n1..0\n', 'the plan promises no test at all'],
    ['nothing', '', 'there is no line "KTAP version 1"'],
  ])('refuses %s', (_, text, reason) => {
    expect(failures(text).join('\n')).toContain(reason)
  })

  it('takes a skipped test for a failure, unless it may skip', () => {
    const text = 'KTAP version 1\n1..2\nok 1 one\nok 2 two # SKIP no device\n'
    expect(failures(text)).toEqual(['skipped 2 two: no device'])
    expect(failures(text, ['two'])).toEqual([])
  })

  it('takes a report of skips alone for a failure', () => {
    expect(failures('KTAP version 1\n1..1\nok 1 one # SKIP\n', ['one'])).toEqual(['no test passed'])
    expect(failures('KTAP version 1\n1..0 # SKIP no board\n')).toEqual(['skipped 1 all: no board'])
  })

  it('lets a known failure pass, and no other', () => {
    const report = readKtap(
      'KTAP version 1\n1..4\nok 1 a\nnot ok 2 b # TODO later\nnot ok 3 c # XFAIL\nnot ok 4 d # TIMEOUT\n',
    )
    expect(report.counts).toMatchObject({ passed: 1, todo: 2, failed: 1 })
  })

  it('keeps lines of others apart', () => {
    expect(failures('[ 1.0] boot\nKTAP version 1\n1..2\nok 1 one\n[ 2.0] ok so far\nok 2 two\n')).toEqual([])
  })
})
