// SPDX-License-Identifier: MIT
//
// The words of the exercises, fetched when a reader begins.
import { lateWords } from '../client/late_words.ts'
import type { ExerciseWords } from '../text/en_exercises.ts'

export const exerciseWords = (): Promise<ExerciseWords> =>
  lateWords('exercises', { en: async () => (await import('../text/en_exercises.ts')).words })
