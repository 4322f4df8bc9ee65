// SPDX-License-Identifier: MIT
//
// A step in words.
import { fill } from '../../client/words.ts'
import type { MovieText } from '../../text/en_movie.ts'
import type { Step } from './film_types.ts'

// What cma_alloc() fails with. The page holds nothing of code/ but types, so these are not code/lib/errno.ts's.
const NAMES: Readonly<Record<number, string>> = { 4: 'EINTR', 12: 'ENOMEM', 16: 'EBUSY' }

/** Page frames as the kernel prints them. */
export const hexPfn = (pfn: number): string => `0x${pfn.toString(16)}`

const HEX = new Set(['start', 'end', 'fin'])

/** What the step says. The name of a task or an area is as the trace has it: text, never markup. */
export function sentenceOfStep({ kind, values }: Step, words: MovieText): string {
  const shown = Object.entries(values).map(([name, value]): [string, string | number] => {
    if (typeof value !== 'number') return [name, value]
    // The last page of a range is what a reader looks for, not the first behind it.
    return [name, HEX.has(name) ? hexPfn(name === 'end' ? value - 1 : value) : value]
  })
  const said = fill(words.steps[kind], {
    ...Object.fromEntries(shown),
    errno: errnoText(values['errno'], words),
  })
  const dropped = Number(values['dropped'] ?? 0)
  return dropped > 0 ? said + fill(words.dropped, { dropped }) : said
}

function errnoText(errno: number | string | undefined, words: MovieText): string {
  if (typeof errno !== 'number') return ''
  const name = NAMES[-errno]
  return fill(words.errno, { errno: name ? `${errno} (${name})` : errno })
}
