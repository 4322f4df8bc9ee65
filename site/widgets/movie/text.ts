// SPDX-License-Identifier: MIT
//
// The words of the movie, in the language of the page; they come with its script.
import type { MovieText } from '../../text/en_movie.ts'

const LANGUAGES: Readonly<Record<string, () => Promise<MovieText>>> = {
  en: async () => (await import('../../text/en_movie.ts')).enMovie,
}

/** Throws when there is no text for the page's language. */
export function movieText(): Promise<MovieText> {
  const { lang } = document.documentElement
  const load = LANGUAGES[lang]
  if (!load) throw new Error(`movie: no words for lang="${lang}", expected one of ${Object.keys(LANGUAGES)}`)
  return load()
}
