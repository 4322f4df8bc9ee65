// SPDX-License-Identifier: MIT
//
// What is said of a trace that was read: what was played and what was not, or why there is nothing to play and what to do.
import { fill } from '../../client/words.ts'
import type { MovieText } from '../../text/en_movie.ts'
import type { SourceFacts } from './read_source.ts'

export interface Verdict {
  /** Whether there is a film. */
  readonly plays: boolean
  readonly text: string
}

type Problem = Exclude<keyof MovieText['problems'], 'failed'>
/** The words of a verdict; those for a trace of other events are the widget's. */
type VerdictWords = Omit<MovieText, 'problems' | 'want'> & {
  readonly problems: Readonly<Record<Problem, string>>
  readonly want: string
}
/** What has been read, and how many events were kept of it. */
type Judged = SourceFacts & { readonly kept: number }

function problemOf({ reading, bytes, binary }: Judged, plays: boolean): Problem | null {
  if (bytes === 0) return 'empty'
  if (binary) return binary
  if (plays) return null
  if (reading.unread > 0) return 'unread'
  return reading.events.length > 0 ? 'none' : 'strange'
}

/** `plays`: something in it can be shown. `name` is the file's, or what stands for it. */
export function verdictOf(read: Judged, plays: boolean, name: string, words: VerdictWords): Verdict {
  const { reading, kept } = read
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
  const problem = problemOf(read, plays)
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
