// SPDX-License-Identifier: MIT
//
// The reader's copy of an exercise: laid out once, never overwritten, moved aside by a reset.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ReaderFiles } from './check.ts'
import type { Exercise } from './catalog.ts'
import { keepAside, withPath, writeOnce } from './files.ts'
import type { Places } from './places.ts'

/** The reader's folder of an exercise. */
export function readerFolder(places: Places, exercise: Exercise): string {
  return join(places.workspace, exercise.chapter.slug, exercise.folder)
}

/** Lays out what is not there yet and says which files those were. */
export function layOut(places: Places, exercise: Exercise): string[] {
  const folder = readerFolder(places, exercise)
  if (exercise.kind === 'typescript') writeOnce(join(places.workspace, 'tsconfig.json'), editorConfig(places))
  return exercise.files.filter((file) =>
    writeOnce(join(folder, file), readFileSync(join(exercise.path, file), 'utf8')),
  )
}

/** Moves the reader's files aside, if there are any, and lays out the shipped ones. Returns where the old ones are. */
export function resetExercise(places: Places, exercise: Exercise): string | null {
  const folder = readerFolder(places, exercise)
  const kept = existsSync(folder) ? keepAside(folder, join(places.workspace, '.kept'), exercise.id) : null
  layOut(places, exercise)
  return kept
}

/** Moves all of the reader's folders aside and lays nothing out. Returns where they are now. */
export function resetAll(places: Places, exercises: readonly Exercise[]): string[] {
  return exercises.flatMap((exercise) => {
    const folder = readerFolder(places, exercise)
    return existsSync(folder) ? [keepAside(folder, join(places.workspace, '.kept'), exercise.id)] : []
  })
}

/** The texts in `folder`, and the names of those that are not there. */
export function readFiles(exercise: Exercise, folder: string): { files: ReaderFiles; missing: string[] } {
  const files: Record<string, string> = {}
  const missing: string[] = []
  for (const name of exercise.files) {
    const path = join(folder, name)
    if (existsSync(path)) files[name] = withPath(path, () => readFileSync(path, 'utf8'))
    else missing.push(name)
  }
  return { files, missing }
}

// For the reader's editor alone: contig compiles without it.
function editorConfig(places: Places): string {
  const code = relative(places.workspace, join(places.root, 'code'))
  const config = {
    compilerOptions: {
      target: 'es2022',
      lib: ['es2023'],
      module: 'esnext',
      moduleResolution: 'bundler',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      types: [],
      paths: {
        'contiguous/*': [`${code.startsWith('.') || code.startsWith('/') ? code : `./${code}`}/*.ts`],
      },
    },
    include: ['*/**/*.ts'],
    exclude: ['.kept'],
  }
  return JSON.stringify(config, null, 2) + '\n'
}
