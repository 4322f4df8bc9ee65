// SPDX-License-Identifier: MIT
//
// The words of the movie; they come with its script.
import { lateWords } from '../../client/late_words.ts'
import type { MovieText } from '../../text/en_movie.ts'

export const movieText = (): Promise<MovieText> =>
  lateWords('movie', { en: async () => (await import('../../text/en_movie.ts')).enMovie })
