// SPDX-License-Identifier: MIT
//
// What a build bundles and writes beside the pages: styles, scripts, models, checks of exercises, traces. It takes most of a
// build's seconds, and the edit of a chapter's text changes none of it, its cells apart.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildAssets, type Assets } from './assets.ts'
import { buildCells } from './cells/build.ts'
import { cellSource } from './cells/models.ts'
import type { Cell, CellAssets } from './cells/types.ts'
import { exercisePages, type ExercisePages, hasExercises } from './exercises/pages.ts'
import type { Highlight } from './highlight/highlight.ts'
import { root } from './paths.ts'
import { buildMovie, type MoviePage } from './widgets/movie/movie_html.ts'

export interface Made {
  readonly assets: Assets
  readonly cellAssets: CellAssets
  readonly exercises: ExercisePages
  readonly movie: MoviePage | null
  /** The cells whose types are told, as text. */
  readonly told: string
}

/** What the pages of exercises load, beside the cells, of which they share the editor. */
const EXERCISES = {
  workers: { checkWorker: cellSource('../exercises/check_worker.ts') },
  clients: [cellSource('../exercises/client.ts')],
}

/** The part of the cells that their told types depend on. */
export const toldOf = (cells: readonly Cell[]): string =>
  JSON.stringify(cells.map(({ file, id, code }) => [file, id, code]))

/** Every file that a bundle was made from, paths from the root. */
export function inputsOf({ assets, cellAssets, exercises }: Made): string[] {
  return [...assets.inputs, ...cellAssets.inputs, ...exercises.inputs]
}

/** Makes all of it anew. */
export async function make(outDir: string, highlight: Highlight, cells: readonly Cell[]): Promise<Made> {
  rmSync(join(outDir, 'assets'), { recursive: true, force: true })
  const exercised = hasExercises(root) ? EXERCISES : {}
  const [assets, cellAssets] = await Promise.all([
    buildAssets(outDir),
    buildCells(root, outDir, { ...exercised, told: cells }),
  ])
  const exercises = await exercisePages({ root, outDir, highlight, cellAssets })
  return { assets, cellAssets, exercises, movie: buildMovie(outDir), told: toldOf(cells) }
}

/**
 * True when `before` still holds after an edit of these files, paths from the root: texts of chapters and no cell in them, and
 * nothing that it was made from is gone.
 */
export function stillHolds(before: Made, edited: readonly string[], cells: readonly Cell[]): boolean {
  const texts = edited.every((file) => /^(\.\/)?chapters\/[^/]+(\/index)?\.md$/.test(file))
  return (
    texts &&
    edited.length > 0 &&
    before.told === toldOf(cells) &&
    inputsOf(before).every((file) => existsSync(file))
  )
}

/** The address of the script of a page of an exercise. */
export function exerciseScript({ cellAssets }: Made): string | undefined {
  return cellAssets.clients[EXERCISES.clients[0]!]
}
