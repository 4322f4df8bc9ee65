// SPDX-License-Identifier: MIT
//
// The words after the backticks of a fence: ` ```output title="The log" `.
import { refuse } from '../refuse.ts'
import { parseFenceInfo } from '../weave/fences.ts'

export interface FenceWords {
  /** The first word; `text` when there is none. */
  readonly lang: string
  /** `run` alone maps to the empty string. */
  readonly words: ReadonlyMap<string, string>
  readonly title: string | null
  /** Lines to mark, 1-based. */
  readonly marked: ReadonlySet<number>
}

/** Where something stands in a chapter, for messages. */
export interface Where {
  readonly file: string
  /** 1-based. */
  readonly line: number
}

export function fenceWords(info: string): FenceWords {
  const { lang, words, highlight } = parseFenceInfo(info)
  return { lang: lang || 'text', words, title: words.get('title') ?? null, marked: new Set(highlight) }
}

/** Stops the build at a place in a chapter. */
export function failAt(where: Where, rule: string, text: string, note?: string): never {
  refuse([
    {
      rule,
      severity: 'error',
      file: where.file,
      line: where.line,
      column: 1,
      text,
      ...(note ? { note } : {}),
    },
  ])
}
