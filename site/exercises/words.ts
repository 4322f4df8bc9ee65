// SPDX-License-Identifier: MIT
//
// The words of the exercises in the language of the page, fetched when a reader begins.
import type { ExerciseWords } from '../text/en_exercises.ts'

const FILES: Record<string, () => Promise<{ words: ExerciseWords }>> = {
  en: () => import('../text/en_exercises.ts'),
}

export async function exerciseWords(): Promise<ExerciseWords> {
  const { lang } = document.documentElement
  const file = FILES[lang]
  if (!file) throw new Error(`words: no site/text/${lang}_exercises.ts is known for a page in "${lang}"`)
  return (await file()).words
}
