// SPDX-License-Identifier: MIT
//
// Where things are: the project, and the reader's own folder.
//
//     <project>/chapters/NN-chapter/exercises/NN-exercise/    as shipped, never written to
//     <workspace>/NN-chapter/NN-exercise/                     the reader's files
//     <workspace>/.kept/                                      what a reset or a damaged file left; nothing is deleted
//     <workspace>/progress.json
//
// <workspace> is $CONTIG_WORKSPACE, or `workspace` in the project.
import { join, relative, resolve } from 'node:path'
import { projectRoot } from '../lab/project_root.ts'

export interface Places {
  /** The project's folder, absolute. */
  readonly root: string
  /** The reader's folder, absolute. It may not exist yet. */
  readonly workspace: string
}

export function findPlaces(environment: NodeJS.ProcessEnv = process.env): Places {
  const root = projectRoot()
  const named = environment['CONTIG_WORKSPACE']
  return { root, workspace: named ? resolve(named) : join(root, 'workspace') }
}

/** `path` as a person in the current folder would type it. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' ? '.' : short.startsWith('../..') ? path : short
}
