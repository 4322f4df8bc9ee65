// SPDX-License-Identifier: MIT
//
// A strict reader of KTAP version 1, what kselftest programs and KUnit print:
//
//     KTAP version 1
//     1..2
//       KTAP version 1
//       1..1
//       ok 1 a subtest, two spaces in
//     ok 1 a test that has subtests
//     not ok 2 another # SKIP a reason
//
// Strict: the version line and the plan must be there, the numbers must count up without a gap, and a test that the plan
// promised and nobody reported has failed. Other lines are kept as what the test before or after them printed.
//
// @kernel Documentation/dev-tools/ktap.rst v6.12

/** What became of a test. `todo` is a failure that its program announced as known. */
export type TestOutcome = 'passed' | 'failed' | 'skipped' | 'todo' | 'missing'

export interface KtapTest {
  readonly number: number
  readonly name: string
  readonly outcome: TestOutcome
  /** What stood behind `# SKIP` and the like. */
  readonly reason: string
  /** Lines printed since the test before: diagnostics (`# …`) and others. */
  readonly printed: readonly string[]
  readonly subtests: readonly KtapTest[]
}

export interface KtapReport {
  readonly tests: readonly KtapTest[]
  /** What is wrong with the report itself. */
  readonly problems: readonly string[]
  /** Leaves of the tree, counted. */
  readonly counts: Readonly<Record<TestOutcome, number>>
}

const VERSION = /^KTAP version (\d+)$/
const PLAN = /^1\.\.(\d+)(?:\s+# SKIP\b ?(.*))?$/
const RESULT =
  /^(ok|not ok) (\d+)(?:\s+(?:- )?((?:[^#]|\\#)*?))?(?:\s*# (SKIP|TODO|XFAIL|TIMEOUT|ERROR)\b ?(.*))?$/
const BAIL = /^Bail out!\s*(.*)$/

interface Block {
  tests: KtapTest[]
  printed: string[]
  plan: number | null
}

// One level of the report, from its version line on; `deep` is the number of spaces its lines start with.
class Reader {
  readonly problems: string[] = []
  private readonly lines: readonly string[]
  private at = 0

  constructor(lines: readonly string[]) {
    this.lines = lines
  }

  private problem(text: string): void {
    this.problems.push(`line ${this.at}: ${text}`)
  }

  // The reader stands behind the version line.
  block(deep: number, where: string): Block {
    const block: Block = { tests: [], printed: [], plan: null }
    let subtests: readonly KtapTest[] = []
    while (this.at < this.lines.length) {
      const line = this.lines[this.at] ?? ''
      const indent = line.length - line.trimStart().length
      const own = line.slice(deep)
      if (indent < deep && line.trim() !== '') {
        // Something of a level above. A result there ends this block; anything else is noise within it.
        if (RESULT.test(line.trimStart())) break
        block.printed.push(line)
        this.at += 1
        continue
      }
      this.at += 1
      if (indent === deep + 2 && VERSION.test(own.trim())) {
        const nested = this.block(deep + 2, `${where}under test ${block.tests.length + 1}: `)
        subtests = this.finish(nested, `${where}under test ${block.tests.length + 1}: `)
        continue
      }
      if (indent !== deep) {
        block.printed.push(own)
        continue
      }
      if (this.bail(own)) continue
      const plan = PLAN.exec(own)
      if (plan) {
        this.plan(block, plan, where)
        continue
      }
      const result = RESULT.exec(own)
      if (!result) {
        block.printed.push(own)
        continue
      }
      this.result(block, result, subtests, where)
      subtests = []
    }
    return block
  }

  private bail(line: string): boolean {
    const match = BAIL.exec(line)
    if (match) this.problem(`the program gave up: ${match[1] ?? ''}`)
    return match !== null
  }

  private plan(block: Block, match: RegExpExecArray, where: string): void {
    if (block.plan !== null) this.problem(`${where}a second plan`)
    if (block.tests.length > 0) this.problem(`${where}the plan stands behind a test`)
    block.plan = Number(match[1])
    if (match[2] !== undefined) {
      const reason = match[2]
      block.tests.push({ number: 1, name: 'all', outcome: 'skipped', reason, printed: [], subtests: [] })
    }
  }

  private result(block: Block, match: RegExpExecArray, subtests: readonly KtapTest[], where: string): void {
    const [, verdict = '', digits = '', name = '', directive, reason = ''] = match
    const number = Number(digits)
    const expected = block.tests.length + 1
    if (number !== expected) this.problem(`${where}test ${number} where ${expected} was due`)
    if (block.plan !== null && number > block.plan)
      this.problem(`${where}test ${number} is beyond the plan 1..${block.plan}`)
    const outcome = outcomeOf(verdict, directive)
    block.tests.push({ number, name: name.trim(), outcome, reason, printed: block.printed, subtests })
    block.printed = []
  }

  /** Adds what the plan promised and did not come. */
  finish(block: Block, where: string): readonly KtapTest[] {
    if (block.plan === null) this.problem(`${where}there is no plan (1..N)`)
    const seen = new Set(block.tests.map((test) => test.number))
    const skipped = block.tests.some((test) => test.outcome === 'skipped' && test.name === 'all')
    const missing: KtapTest[] = []
    for (let number = 1; number <= (block.plan ?? 0) && !skipped; number++) {
      if (seen.has(number)) continue
      const printed = missing.length === 0 ? block.printed : []
      missing.push({ number, name: '', outcome: 'missing', reason: '', printed, subtests: [] })
    }
    return [...block.tests, ...missing]
  }

  read(): readonly KtapTest[] {
    while (this.at < this.lines.length) {
      const version = VERSION.exec(this.lines[this.at] ?? '')
      this.at += 1
      if (!version) continue
      if (version[1] !== '1') this.problem(`KTAP version ${version[1]}, expected 1`)
      return this.finish(this.block(0, ''), '')
    }
    this.problems.push('there is no line "KTAP version 1"')
    return []
  }
}

function outcomeOf(verdict: string, directive: string | undefined): TestOutcome {
  if (directive === 'SKIP') return 'skipped'
  if (directive === 'TIMEOUT' || directive === 'ERROR') return 'failed'
  if (directive === 'TODO' || directive === 'XFAIL') return verdict === 'ok' ? 'passed' : 'todo'
  return verdict === 'ok' ? 'passed' : 'failed'
}

/** The tests without subtests; one with subtests counts itself only where it failed although none of them did. */
function leaves(test: KtapTest): KtapTest[] {
  if (test.subtests.length === 0) return [test]
  const below = test.subtests.flatMap(leaves)
  const blamed = below.some((each) => each.outcome === 'failed' || each.outcome === 'missing')
  return test.outcome === 'failed' && !blamed ? [...below, test] : below
}

/** Reads what a program printed. Never throws: what is wrong stands in the report. */
export function readKtap(text: string): KtapReport {
  const reader = new Reader(
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => line.replace(/\r$/, '')),
  )
  const tests = reader.read()
  const counts: Record<TestOutcome, number> = { passed: 0, failed: 0, skipped: 0, todo: 0, missing: 0 }
  for (const leaf of tests.flatMap(leaves)) counts[leaf.outcome] += 1
  const problems = [...reader.problems]
  if (problems.length === 0 && tests.length === 0) problems.push('the plan promises no test at all')
  return { tests, problems, counts }
}

/** Each failure as lines: the test, then what it printed. A skipped test has not passed, save those in `maySkip`. */
export function ktapFailures(report: KtapReport, maySkip: readonly string[] = []): string[] {
  const lines = [...report.problems]
  for (const test of report.tests.flatMap(leaves)) {
    const name = test.name ? ` ${test.name}` : ''
    if (test.outcome === 'failed') lines.push(`not ok ${test.number}${name}`)
    else if (test.outcome === 'missing') lines.push(`test ${test.number} never reported`)
    else if (test.outcome === 'skipped' && !maySkip.includes(test.name))
      lines.push(`skipped ${test.number}${name}: ${test.reason || 'no reason given'}`)
    else continue
    lines.push(...test.printed.map((line) => `  ${line}`))
  }
  if (lines.length === 0 && report.counts.passed === 0) lines.push('no test passed')
  return lines
}
