// SPDX-License-Identifier: MIT
//
// The exercises in C, each answer built and booted: as shipped, solved, and wrong in the kept ways.
import { describe, expect, it } from 'vitest'
import { EXERCISE_KERNELS } from '../../code/exercise/board.ts'
import { checkAnswers } from '../../code/exercise/book_check.ts'
import { loadExercises } from '../../code/exercise/catalog.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { root } from '../support/files.ts'

const exercises = loadExercises(root).filter(({ kind }) => kind === 'c')
const missing = missingTools(['board', 'kernel']).map((tool) => tool.package)

// Every run has our own kernel, which boots in half the time, and one wrong answer; `npm run labs` has Debian's and all.
const LONG = process.env['CONTIG_LONG'] === '1'
const kernels = LONG ? EXERCISE_KERNELS : (['lab'] as const)
const some = LONG ? {} : { wrong: 1 }

describe.each(kernels)('on Linux %s', (kernel) => {
  it.for(exercises)(
    '$id fails as shipped, its solution passes, each wrong answer gets its own diagnosis',
    { timeout: 900_000 },
    async (exercise, context) => {
      if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
      expect((await checkAnswers(exercise, { root, kernel, ...some })).map(formatDiagnostic)).toEqual([])
    },
  )
})
