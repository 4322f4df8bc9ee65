// SPDX-License-Identifier: MIT
//
// Scripts hold no word of any language: a page carries the words of the scripts it loads, as JSON.
import type { SiteText } from '../text/en.ts'

export { fill } from './fill.ts'

export type ScriptWords = SiteText['scripts']

/** The words of one script, as site/text/ has them under `scripts`. */
export function wordsOf<Name extends keyof ScriptWords>(name: Name): ScriptWords[Name] {
  const carried = document.getElementById('words')?.textContent ?? '{}'
  const words = (JSON.parse(carried) as Partial<ScriptWords>)[name]
  if (!words) throw new Error(`words: the page ${location.pathname} carries none for the script "${name}"`)
  return words
}
