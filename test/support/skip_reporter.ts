// SPDX-License-Identifier: MIT
//
// Nothing passes silently: what could not run here is named and counted at the end of the run. A test says why by
// skipping with a note (`context.skip('qemu-system-aarch64 is not installed')`); in CI a skipped test fails the run.
import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** A suite that cannot run here says why in its own name. */
function suiteName({ parent }: TestCase): string {
  return parent.type === 'suite' ? parent.name : 'no reason given'
}

export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let skipped = 0
    for (const module of modules) {
      const tests = [...module.children.allTests('skipped')]
      if (tests.length === 0) continue
      skipped += tests.length
      const notes = new Set(
        tests.map((test) => {
          const result = test.result()
          return result.state === 'skipped' ? (result.note ?? suiteName(test)) : ''
        }),
      )
      console.log(
        `SKIP ${module.project.name}: ${module.relativeModuleId}: ${tests.length} tests: ${[...notes].join('; ')}`,
      )
    }
    if (skipped === 0) return
    console.log(`SKIP ${skipped} tests in all; \`npm run setup\` says what is missing and how to get it`)
    if (process.env['CI'] === 'true') {
      console.log('In CI a skipped test is a failure.')
      process.exitCode = 1
    }
  }
}
