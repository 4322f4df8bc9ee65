// SPDX-License-Identifier: MIT
//
// The models as modules that a cell can import, built by esbuild. Names are kept, because a printed object shows its
// class.
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildOptions } from 'esbuild'
import { wovenFiles } from '../weave/woven_files.ts'

/** `contiguous/mm/memblock` → `code/mm/memblock.ts`, for every model. */
export function modelFiles(root: string): Map<string, string> {
  const files = wovenFiles(root).filter((file) => file.startsWith('code/'))
  return new Map(files.map((file) => [file.replace(/^code\/(.*)\.ts$/, 'contiguous/$1'), file]))
}

/** Our own site/cells/, from the sources and from the bundle alike: a fixture project has no copy of it. */
export function cellSource(name: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'site/cells', name)
    // As esbuild names it in what it tells.
    if (existsSync(file)) return realpathSync(file)
    if (folder === dirname(folder))
      throw new Error(`cellSource: site/cells/${name} is in no folder above ${import.meta.url}`)
  }
}

/** What all our bundles have in common. */
export const BUNDLE = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'silent',
  metafile: true,
} as const satisfies BuildOptions

/** What every build of the models has in common. */
export function modelOptions(root: string) {
  return {
    ...BUNDLE,
    absWorkingDir: root,
    platform: 'neutral',
    keepNames: true,
    alias: { contiguous: join(root, 'code') },
  } as const satisfies BuildOptions
}

/** The models as an entry each, what they share in chunks; the caller says where to. */
export function modelBuild(root: string) {
  const entryPoints = [...modelFiles(root).values()]
  return { ...modelOptions(root), entryPoints, outbase: join(root, 'code'), splitting: true } as const
}
