// SPDX-License-Identifier: MIT
//
// Where a widget takes in traces: says that it reads, hands on what it has read, or says why it could not.
import { fill } from '../client/words.ts'
import type { WidgetText } from '../text/en_widgets.ts'
import { createTurns } from './turns.ts'

/** Makes of a file what the widget shows, and what is said of it. It reads one file at a time: the one before is let go. */
export interface TraceReader<Read> {
  /** `name` null: it was pasted. Never settles once something else is read, or after stop(). */
  read(file: Blob, name: string | null): Promise<Read>
  stop(): void
}

export interface TraceDesk<Read> {
  /** Null: it could not be read, which has been said, or nobody waits for it any more. */
  open(file: Blob, name: string | null): Promise<Read | null>
  /** What is being read is of no use any more. */
  stop(): void
}

/** `load` fetches the reader when the first trace comes. */
export function createTraceDesk<Read extends { readonly text: string }>(
  words: WidgetText['controls'],
  load: () => Promise<TraceReader<Read>>,
  say: (text: string) => void,
): TraceDesk<Read> {
  const turns = createTurns()
  let loaded: Promise<TraceReader<Read>> | null = null
  return {
    open: async (file, given) => {
      const wanted = turns.next()
      const name = given ?? words.pasted
      say(fill(words.reading, { name }))
      try {
        loaded ??= load()
        const reader = await loaded
        if (!wanted()) return null
        const read = await reader.read(file, given)
        if (!wanted()) return null
        say(read.text)
        return read
      } catch (error) {
        // It may have been the network: the next one tries again.
        loaded = null
        const why = error instanceof Error ? error.message : String(error)
        if (wanted()) say(fill(words.unread, { name, why }))
        return null
      }
    },
    stop: () => {
      turns.next()
      void loaded?.then((reader) => reader.stop()).catch(() => undefined)
    },
  }
}
