// SPDX-License-Identifier: MIT
//
// Where a widget takes in traces: says that it reads, hands on what it has read, or says why it could not.
import { fill } from '../client/words.ts'
import type { WidgetText } from '../text/en_widgets.ts'
import type { Wishes } from './wishes.ts'

/** Makes of a file what the widget shows, and what is said of it. */
export type TraceReader<Read extends { readonly text: string }> = (
  file: Blob,
  name: string | null,
) => Promise<Read>

export interface TraceDesk<Read> {
  readonly words: WidgetText['controls']
  /** The reader is fetched when the first trace comes. */
  readonly load: () => Promise<TraceReader<Read & { readonly text: string }>>
  readonly wishes: Wishes
  readonly say: (text: string) => void
}

/** Null: it could not be read, which has been said, or something else is wanted by now. `name` null: it was pasted. */
export function openTraces<Read>({
  words,
  load,
  wishes,
  say,
}: TraceDesk<Read>): (file: Blob, name: string | null) => Promise<Read | null> {
  let loaded: ReturnType<typeof load> | null = null
  return async (file, given) => {
    const wanted = wishes.next()
    const name = given ?? words.pasted
    say(fill(words.reading, { name }))
    try {
      loaded ??= load()
      const read = await loaded
      const traced = await read(file, given)
      if (!wanted()) return null
      say(traced.text)
      return traced
    } catch (error) {
      // It may have been the network: the next one tries again.
      loaded = null
      const why = error instanceof Error ? error.message : String(error)
      if (wanted()) say(fill(words.unread, { name, why }))
      return null
    }
  }
}
