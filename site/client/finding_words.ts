// SPDX-License-Identifier: MIT
//
// The words of the parts that are loaded late.
import type { FindingWords } from '../text/en_finding.ts'
import { lateWords } from './late_words.ts'

export const findingWords = (): Promise<FindingWords> =>
  lateWords('finding', { en: async () => (await import('../text/en_finding.ts')).finding })
