// SPDX-License-Identifier: MIT
//
// What is said of a trace that was read: what was played and what was not, or why there is nothing to play and what to do.
import { fill } from '../../client/words.ts'
import type { MovieText } from '../../text/en_movie.ts'
import type { Played } from './read_source.ts'

export interface Verdict {
  /** Whether there is a film. */
  readonly plays: boolean
  readonly text: string
}

type Problem = Exclude<keyof MovieText['problems'], 'failed'>

function problemOf({ films, reading, bytes, binary }: Played): Problem | null {
  if (bytes === 0) return 'empty'
  if (binary) return binary
  if (films.length > 0) return null
  if (reading.unread > 0) return 'unread'
  return reading.events.length > 0 ? 'none' : 'strange'
}

/** `name` is the file's, or what stands for it. */
export function verdictOf(played: Played, name: string, words: MovieText): Verdict {
  const { reading, kept } = played
  const all = reading.events.reduce((sum, [, count]) => sum + count, 0)
  const shown = reading.firstUnread ?? reading.first ?? { line: 1, text: '' }
  const values = {
    ...{ name, kept, lines: reading.lines, others: all - kept - reading.unread, unread: reading.unread },
    ...{ lost: reading.lost, line: shown.line, text: shown.text.trim().slice(0, 80), want: words.want },
    names: reading.events
      .slice(0, 3)
      .map(([event]) => event)
      .join(', '),
  }
  const problem = problemOf(played)
  if (problem) return { plays: false, text: fill(words.problems[problem], values) }
  const text = [
    words.done,
    reading.stoppedAt === null ? '' : fill(words.doneLimit, { ...values, line: reading.stoppedAt }),
    reading.lost > 0 ? words.doneLost : '',
    reading.unread > 0 ? words.doneUnread : '',
    reading.cut ? words.doneCut : '',
  ]
  return { plays: true, text: fill(text.join(''), values) }
}
