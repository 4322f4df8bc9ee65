// SPDX-License-Identifier: MIT
//
// The reader's progress and texts, kept in the browser. The progress is that of the terminal (code/exercise/record.ts), to
// the letter: what is under `contiguous:progress` could be progress.json. It is read again before each change, so two
// tabs do not undo each other's marks.
//
//     contiguous:progress       progress.json          contiguous:progress:kept   one that could not be read
//     contiguous:draft:<id>     the reader's text      contiguous:kept:<id>       what a reset put aside
import { mergeProgress } from '../../code/exercise/merge.ts'
import {
  changed,
  emptyProgress,
  readProgress,
  SEEDS,
  writeProgress,
  type Change,
  type ExerciseRecord,
  type Progress,
} from '../../code/exercise/record.ts'
import { PROGRESS_EVENT, PROGRESS_KEY } from '../client/progress.ts'
import { leaveAlone, put, take } from './shelf.ts'

const draftKey = (id: string): string => `contiguous:draft:${id}`
const asideKey = (id: string): string => `contiguous:kept:${id}`

function parsed(text: string): ReturnType<typeof readProgress> {
  try {
    return readProgress(JSON.parse(text))
  } catch {
    return { damaged: ['no JSON'] }
  }
}

/** What the reader has done. What cannot be read is put aside, never thrown away. */
export function progress(): Progress {
  const text = take(PROGRESS_KEY)
  if (text === null) return emptyProgress()
  const found = parsed(text)
  if ('progress' in found) return found.progress
  // Another tab has a newer course: what it wrote stays as it is.
  if ('newer' in found) {
    leaveAlone(PROGRESS_KEY)
    return emptyProgress()
  }
  put(`${PROGRESS_KEY}:kept`, text)
  put(PROGRESS_KEY, null)
  return emptyProgress()
}

function write(changed: Progress): void {
  put(PROGRESS_KEY, writeProgress(changed))
  dispatchEvent(new Event(PROGRESS_EVENT))
}

export function recordOf(id: string): ExerciseRecord | undefined {
  return progress().exercises[id]
}

/** Something happened to the exercise `id`, now. */
export function record(id: string, change: Change): ExerciseRecord | undefined {
  const after = changed(progress(), id, new Date().toISOString(), change)
  write(after)
  return after.exercises[id]
}

/** Merges what was brought. Gives the progress before and after. */
export function bring(theirs: Progress): { before: Progress; after: Progress } {
  const before = progress()
  const after = mergeProgress(before, theirs)
  write(after)
  return { before, after }
}

/** A seed, by lot. */
export function drawSeed(): number {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1))
  return 1 + (drawn % (SEEDS - 1))
}

/** The reader's own seed, drawn when it is first wanted. */
export function ownSeed(): number {
  const kept = progress()
  if (kept.seed !== undefined) return kept.seed
  const seed = drawSeed()
  write({ ...kept, seed })
  return seed
}

/** The reader's text of an exercise, null when it is still the shipped one. */
export const draft = (id: string): string | null => take(draftKey(id))
export const keepDraft = (id: string, text: string | null): void => put(draftKey(id), text)

/** Puts the reader's text aside, for `bringBack()`. */
export function putAside(id: string): void {
  const text = draft(id)
  if (text !== null) put(asideKey(id), text)
  keepDraft(id, null)
}

/** The text that a reset put aside is the reader's again; null when there is none. */
export function bringBack(id: string): string | null {
  const text = take(asideKey(id))
  if (text === null) return null
  keepDraft(id, text)
  put(asideKey(id), null)
  return text
}
