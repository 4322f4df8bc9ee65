// SPDX-License-Identifier: MIT
//
// Scripts hold no word of any language: a page carries the words of the scripts it loads, as JSON.
import type { SiteText } from '../text/en.ts'

export type ScriptWords = SiteText['scripts']

/** The words of one script, as site/text/ has them under `scripts`. */
export function wordsOf<Name extends keyof ScriptWords>(name: Name): ScriptWords[Name] {
  const carried = document.getElementById('words')?.textContent ?? '{}'
  const words = (JSON.parse(carried) as Partial<ScriptWords>)[name]
  if (!words) throw new Error(`words: the page ${location.pathname} carries none for the script "${name}"`)
  return words
}

/** `{name}` in a text replaced by its value. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
