#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// contig: one program, one file a verb. A verb registers its words here and imports what it needs when it is called,
// so that help costs no more than reading this file and commander.
import { Command, CommanderError } from 'commander'
import { Complaint } from '../lib/complaint.ts'
import { registerBuild } from './build.ts'
import { registerConformance } from './conformance.ts'
import { registerDo } from './do.ts'
import { registerDoctor } from './doctor.ts'
import { registerHint } from './hint.ts'
import { registerKernel } from './kernel.ts'
import { registerLab } from './lab.ts'
import { registerList } from './list.ts'
import { registerRead } from './read.ts'
import { registerReset } from './reset.ts'
import { registerResults } from './results.ts'
import { registerRun } from './run.ts'
import { registerSetup } from './setup.ts'
import { registerSolution } from './solution.ts'
import { registerTrace } from './trace.ts'
import { registerVerify } from './verify.ts'

const program = new Command('contig')
  .description('Contiguous: a workbook on large contiguous memory in Linux')
  .version('0.1.0')
  .showSuggestionAfterError(true)
  .exitOverride()

registerRead(program)
registerDo(program)
registerList(program)
registerHint(program)
registerSolution(program)
registerReset(program)
registerResults(program)
registerLab(program)
registerConformance(program)
registerKernel(program)
registerRun(program)
registerTrace(program)
registerDoctor(program)
registerBuild(program)
registerVerify(program)
registerSetup(program)

try {
  if (process.argv.length > 2) {
    await program.parseAsync()
  } else {
    const { whereYouAre } = await import('./where.ts')
    process.stdout.write(whereYouAre())
  }
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end here too, with 0; wrong words end with 2.
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof Complaint) {
    process.stderr.write(`contig: ${error.message}\n`)
    for (const next of error.next) process.stderr.write(`  ${next}\n`)
    process.exitCode = error.exitCode
  } else {
    throw error
  }
}
