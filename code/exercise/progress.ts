// SPDX-License-Identifier: MIT
//
// progress.json: what the reader has done (record.ts), in a file that a person can read and carry to another machine.
// It is read again before each change, so two terminals do not undo each other's marks.
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { Exercise } from './catalog.ts'
import { keepAside, withPath, writeWhole } from './files.ts'
import {
  changed,
  emptyProgress,
  gaveUp,
  hinted,
  PROGRESS_VERSION,
  ran,
  readProgress,
  SEEDS,
  started,
  writeProgress,
  type Change,
  type ExerciseRecord,
  type PassedAnswer,
  type Progress,
} from './record.ts'

export class ProgressFile {
  readonly path: string
  readonly #kept: string
  readonly #now: () => Date
  readonly #draw: () => number
  /** Set when a damaged file was found: where it is kept. */
  keptAside: string | null = null

  constructor(
    workspace: string,
    now: () => Date = () => new Date(),
    draw: () => number = () => randomInt(1, SEEDS),
  ) {
    this.path = join(workspace, 'progress.json')
    this.#kept = join(workspace, '.kept')
    this.#now = now
    this.#draw = draw
  }

  /** What is on the disk. A damaged file is moved aside and an empty progress returned. */
  read(): Progress {
    if (!existsSync(this.path)) return emptyProgress()
    let data: unknown
    try {
      data = JSON.parse(withPath(this.path, () => readFileSync(this.path, 'utf8')))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    const found = readProgress(data)
    if ('progress' in found) return found.progress
    if ('newer' in found) {
      throw new Complaint({
        text: `${this.path}: version ${found.newer}, but this contig writes version ${PROGRESS_VERSION}`,
        next: ['Update this checkout, or set CONTIG_WORKSPACE to another folder. Nothing was changed.'],
      })
    }
    this.keptAside = keepAside(this.path, this.#kept, 'progress', '.json')
    return emptyProgress()
  }

  /** Moves the file away, as if nothing had been done yet; where it is now, or null when there was none. */
  setAside(): string | null {
    return existsSync(this.path) ? keepAside(this.path, this.#kept, 'progress', '.json') : null
  }

  of(exercise: Exercise): ExerciseRecord | null {
    return this.read().exercises[exercise.id] ?? null
  }

  #change(exercise: Exercise, change: Change): ExerciseRecord {
    const progress = changed(this.read(), exercise.id, this.#now().toISOString(), change)
    this.write(progress)
    return progress.exercises[exercise.id]!
  }

  /** Replaces what is on the disk. */
  write(progress: Progress): void {
    writeWhole(this.path, writeProgress(progress))
  }

  started(exercise: Exercise): ExerciseRecord {
    return this.#change(exercise, started)
  }

  /** A check that ran; `answer` is what passed, null when nothing did. */
  ran(exercise: Exercise, answer: Omit<PassedAnswer, 'at'> | null): ExerciseRecord {
    return this.#change(exercise, ran(answer))
  }

  /** The reader's seed; drawn, written down and `drawn` when there was none. */
  seed(): { readonly seed: number; readonly drawn: boolean } {
    const progress = this.read()
    if (progress.seed !== undefined) return { seed: progress.seed, drawn: false }
    const seed = this.#draw()
    this.write({ ...progress, seed })
    return { seed, drawn: true }
  }

  hinted(exercise: Exercise, hints: number): ExerciseRecord {
    return this.#change(exercise, hinted(hints))
  }

  gaveUp(exercise: Exercise): ExerciseRecord {
    return this.#change(exercise, gaveUp)
  }
}
