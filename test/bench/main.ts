// SPDX-License-Identifier: MIT
//
// npm run bench: figures as ratios, both sides measured in turn in one run, so that a noisy machine is noisy for both.
// `--only name` runs one of them. Leaves with 1 when a ratio is over its limit.
import { parseArgs } from 'node:util'
import { bootBench } from './boot.ts'
import { startBench } from './start.ts'
import { weaveBench } from './weave.ts'
import { type BenchResult, median } from './measure.ts'

const BENCHES: Record<string, () => BenchResult> = { start: startBench, boot: bootBench, weave: weaveBench }

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const names = values.only === undefined ? Object.keys(BENCHES) : [values.only]

for (const name of names) {
  const bench = BENCHES[name]
  if (!bench) {
    console.error(`bench: no bench is called '${name}'; there are ${Object.keys(BENCHES).join(', ')}`)
    process.exit(2)
  }
  const { what, ours, against, limit } = bench()
  const ratio = median(ours) / median(against)
  console.log(
    `${name}: ${what}: ${ratio.toFixed(2)} (${median(ours).toFixed(1)} ms against ${median(against).toFixed(1)} ms, ` +
      `${ours.length} rounds, limit ${limit})`,
  )
  if (ratio > limit) process.exitCode = 1
}
