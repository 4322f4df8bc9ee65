// SPDX-License-Identifier: MIT
//
// All exercises, in the order of the book: chapters as book.json has them, within a chapter by `order`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { Complaint } from '../lib/complaint.ts'
import type { Diagnostic } from '../lib/diagnostic.ts'
import { nearestWord } from '../lib/nearest_word.ts'
import { parseManifest, type ExerciseManifest } from './manifest.ts'

export interface Exercise extends ExerciseManifest {
  /** `2.1`: the chapter's number and the place in it. */
  readonly number: string
  readonly chapter: { readonly number: number; readonly slug: string; readonly title: string }
  /** The folder's name: `01-mend-the-board`. */
  readonly folder: string
  /** The folder as shipped, absolute. */
  readonly path: string
}

const bookSchema = z.object({
  parts: z.array(
    z.object({ chapters: z.array(z.object({ number: z.number(), slug: z.string(), title: z.string() })) }),
  ),
})

/** Reads every exercise below `root`/chapters. A broken exercise.yaml stops with all that is wrong with all of them. */
export function loadExercises(root: string): Exercise[] {
  const exercises: Exercise[] = []
  const diagnostics: Diagnostic[] = []
  const book = bookSchema.parse(JSON.parse(readFileSync(join(root, 'chapters', 'book.json'), 'utf8')))
  for (const { number, slug, title } of book.parts.flatMap((part) => part.chapters)) {
    const chapter = { number, slug, title }
    const found: Exercise[] = []
    const folder = join(root, 'chapters', slug, 'exercises')
    if (!existsSync(folder)) continue
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (!entry.isDirectory() || !existsSync(join(path, 'exercise.yaml'))) continue
      const file = join(path, 'exercise.yaml')
      const read = parseManifest(readFileSync(file, 'utf8'), relative(root, file))
      diagnostics.push(...read.diagnostics)
      if (!read.manifest) continue
      found.push({
        ...read.manifest,
        number: `${number}.${read.manifest.order}`,
        chapter,
        folder: entry.name,
        path,
      })
    }
    exercises.push(...found.sort((a, b) => a.order - b.order))
  }
  if (diagnostics.length > 0) throw new Complaint({ text: '', diagnostics })
  return exercises
}

/** The exercise called `name`: its id, its number (`2.1`) or its folder. Anything else is a complaint with the nearest. */
export function findExercise(exercises: readonly Exercise[], name: string): Exercise {
  const found = exercises.find(({ id, number, folder }) => [id, number, folder].includes(name))
  if (found) return found
  const ids = exercises.map((exercise) => exercise.id)
  const offered = ids.find((id) => name.length > 2 && id.includes(name)) ?? nearestWord(name, ids)
  throw new Complaint({
    text: `${name}: no exercise is called so` + (offered ? `; did you mean ${offered}?` : ''),
    exitCode: 2,
    next: [...(offered ? [`contig do ${offered}`] : []), 'contig list'],
  })
}
