// SPDX-License-Identifier: MIT
//
// Words that no page carries: they come with the script that says them, in the page's language.

/** By language, how its words are fetched. */
export type LateWords<Words> = Readonly<Record<string, () => Promise<Words>>>

/** Rejects when there are none in the page's language, or when they could not be had. `what` has the words, for the error. */
export async function lateWords<Words>(what: string, languages: LateWords<Words>): Promise<Words> {
  const { lang } = document.documentElement
  const load = languages[lang]
  if (load) return load()
  const known = Object.keys(languages).join(', ')
  throw new Error(`${what}: ${location.pathname} is in the language "${lang}", expected one of: ${known}`)
}
