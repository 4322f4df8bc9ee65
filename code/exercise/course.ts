// SPDX-License-Identifier: MIT
//
// The exercises, the reader's folder and the reader's progress, opened together: what each verb of the command line
// starts from.
import { Complaint } from '../lib/complaint.ts'
import { findExercise, loadExercises, type Exercise } from './catalog.ts'
import { findPlaces, type Places } from './places.ts'
import { ProgressFile } from './progress.ts'
import { nextUnfinished } from './record.ts'

export interface Course {
  readonly places: Places
  readonly exercises: readonly Exercise[]
  readonly progress: ProgressFile
}

export function openCourse(places: Places = findPlaces()): Course {
  return { places, exercises: loadExercises(places.root), progress: new ProgressFile(places.workspace) }
}

/** The exercise called `name`; without a name the one that is next, or null when all are done. */
export function chosen({ exercises, progress }: Course, name: string | undefined): Exercise | null {
  if (name !== undefined) return findExercise(exercises, name)
  const { current } = progress.read()
  const last = exercises.find(({ id }) => id === current)
  if (last && current && !progress.read().exercises[current]?.passed) return last
  return nextUnfinished(exercises, progress.read(), last)
}

/** The exercise called `name`; without a name the one that was worked on last. */
export function chosenOrLast(course: Course, name: string | undefined): Exercise {
  if (name !== undefined) return findExercise(course.exercises, name)
  const { current } = course.progress.read()
  const last = course.exercises.find(({ id }) => id === current)
  if (last) return last
  throw new Complaint({
    text: 'no exercise is under way; say which one',
    exitCode: 2,
    next: ['contig list', 'contig do'],
  })
}

/** A line about a damaged progress file, or nothing. */
export function progressNotice({ progress }: Course): string {
  return progress.keptAside
    ? `progress.json was damaged and is kept at ${progress.keptAside}; a new one was begun.\n`
    : ''
}
