// SPDX-License-Identifier: MIT
//
// npm run bench: figures as ratios, both sides measured in turn in one run, so that a noisy machine is noisy for both.
// `--only name,name` runs some of them, `--json` prints them for a program. Leaves with 1 when a ratio is over its target.
import { parseArgs } from 'node:util'
import { bitmapBench } from './bitmap.ts'
import { bootBench } from './boot.ts'
import { buddyBench } from './buddy.ts'
import { cmaBench } from './cma.ts'
import { feedbackBench } from './feedback.ts'
import { labBench } from './lab.ts'
import { type Bench, type BenchResult, type BenchRows, type BenchSkip, median } from './measure.ts'
import { memblockBench } from './memblock.ts'
import { startBench } from './start.ts'
import { weaveBench } from './weave.ts'

const BENCHES: Record<string, Bench> = {
  start: startBench,
  boot: bootBench,
  weave: weaveBench,
  lab: labBench,
  feedback: feedbackBench,
  memblock: memblockBench,
  buddy: buddyBench,
  bitmap: bitmapBench,
  cma: cmaBench,
}

/** A line of the table. */
interface Row {
  readonly name: string
  readonly what: string
  readonly unit: string
  /** Medians. */
  readonly ours: number
  readonly peer: number
  readonly ratio: number
  readonly target: number
  readonly rounds: number
  readonly good: boolean
}

function rowsOf(name: string, rows: BenchRows): (readonly [string, BenchResult | BenchSkip])[] {
  return 'what' in rows && typeof rows.what === 'string'
    ? [[name, rows as BenchResult | BenchSkip]]
    : Object.entries(rows as Readonly<Record<string, BenchResult | BenchSkip>>)
}

function row(name: string, { what, unit = 'ms', ours, against, limit }: BenchResult): Row {
  const [a, b] = [median(ours), median(against)]
  const ratio = a / b
  return {
    name,
    what,
    unit,
    ours: a,
    peer: b,
    ratio,
    target: limit,
    rounds: ours.length,
    good: ratio <= limit,
  }
}

const HEADINGS = ['name', 'ours', 'peer', 'ratio', 'target']

function cells({ name, unit, ours, peer, ratio, target, good }: Row): string[] {
  const value = (number: number) => `${number < 100 ? number.toFixed(1) : number.toFixed(0)} ${unit}`
  return [name, value(ours), value(peer), `${ratio.toFixed(2)}${good ? '' : ' !'}`, `≤ ${target}`]
}

function line([name, ...numbers]: readonly string[], what: string): string {
  return `${name!.padEnd(11)} ${numbers.map((cell) => cell.padStart(10)).join(' ')}   ${what}`.trimEnd()
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'boolean', default: false } },
})
const names = values.only === undefined ? Object.keys(BENCHES) : values.only.split(',').filter(Boolean)
const unknown = names.find((name) => BENCHES[name] === undefined)
if (unknown !== undefined) {
  console.error(`bench: no bench is called '${unknown}'; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

const report: object[] = []
if (!values.json) console.log(line(HEADINGS, 'median of rounds'))
for (const name of names) {
  for (const [rowName, result] of rowsOf(name, await BENCHES[name]!())) {
    if ('skip' in result) {
      report.push({ name: rowName, ...result })
      if (!values.json) console.log(`${rowName.padEnd(11)} SKIP ${result.skip}: ${result.what}`)
      continue
    }
    const measured = row(rowName, result)
    report.push(measured)
    if (!values.json) console.log(line(cells(measured), `${result.what} (${measured.rounds} rounds)`))
    if (measured.good) continue
    process.exitCode = 1
    if (result.limitedBy !== undefined && !values.json)
      console.log(`${' '.repeat(12)}limited by ${result.limitedBy}`)
  }
}
if (values.json) console.log(JSON.stringify(report, null, 2))
