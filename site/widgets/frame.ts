// SPDX-License-Identifier: MIT
//
// The words that the parts of a widget have in common. A widget is a film: a scenario goes in, the models run it, and a
// frame comes out for each thing that happened.
//
//     scenario ── frames() ──▶ frames ── draw() ──▶ HTML of the stage
//     data, from the fence    plain data           text, the same in Node and in the page
//
// frames() is the only part that meets the models (kinds_frames.ts lists them). When the site is built both run in Node
// and the first frame stands in the page; in the page frames() runs in a worker (worker.ts) and draw() beside the element.
// draw() takes nothing but types from code/.
import { fill } from '../client/words.ts'

/** What happened, without a word of any language: a key of the kind's `said`, and what goes into its gaps. */
export interface Said {
  readonly word: string
  /** A `label` is looked up among the kind's `labels`. */
  readonly values: Readonly<Record<string, string | number | { readonly label: string }>>
}

/** One picture of a film. Kinds add what they draw; all of it is plain data, for it comes from a worker. */
export interface Frame {
  readonly said: Said
}

/** The words of one kind, in one language (site/text/en_widgets.ts). */
export interface KindWords {
  readonly said: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

/** The sentence that a frame says. Throws when the language lacks the word. */
export function sentenceOf({ word, values }: Said, words: KindWords): string {
  const text = words.said[word]
  if (text === undefined) {
    throw new Error(
      `widget: no sentence '${word}', expected one of ${Object.keys(words.said).join(', ')}; see site/text/`,
    )
  }
  const filled = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'object' ? (words.labels[value.label] ?? value.label) : value,
  ])
  return fill(text, Object.fromEntries(filled) as Record<string, string | number>)
}

/** The kinds' own words, by kind. */
export type WordsByKind = Readonly<Record<string, KindWords>>
