// SPDX-License-Identifier: MIT
//
// The sources that a lab builds, gathered from the checkout: a reader's own file may stand for one of them (overrides),
// and diffs may change some (patches). The checkout itself is only read.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { Lab } from './lab_file.ts'
import type { Command } from './command.ts'
import { contentKey } from './cache.ts'
import { applyDiff } from './unified_diff.ts'

export interface SourceChanges {
  /** Unified diffs, files with paths like `b/kernel/x/x.c`. */
  readonly patches?: readonly string[]
  /** A source's path from the root, and the file that stands for it. */
  readonly overrides?: Readonly<Record<string, string>>
}

/** One source: where its text comes from, and the text where a patch changed it. */
export interface Source {
  /** From the root; also its place in the copy. */
  readonly path: string
  /** The file that holds it, absolute. */
  readonly from: string
  readonly patched: string | null
}

export interface GuestSources {
  readonly modules: readonly Source[]
  readonly programs: readonly Source[]
  /** The overlays of its boots. */
  readonly trees: readonly Source[]
}

const SOURCE = /(\.(c|h|S)|\/(Kbuild|Makefile))$/

function filesBelow(root: string, folder: string): string[] {
  const path = join(root, folder)
  if (statSync(path).isFile()) return [folder]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(root, `${folder}/${name}`))
    .filter((file) => SOURCE.test(file))
}

/** The files that this lab's modules, programs and overlays are built from. @throws Complaint (1) for a change that fits nothing */
export function guestSources(lab: Lab, changes: SourceChanges = {}): GuestSources {
  const { root } = lab
  const include = lab.include.flatMap((folder) => filesBelow(root, folder))
  const modules = [...include, ...lab.modules.flatMap((folder) => filesBelow(root, folder))]
  const sources = lab.programs.flatMap((program) => program.sources)
  const beside = [...new Set(sources.map((source) => dirname(source)))]
    .flatMap((folder) => filesBelow(root, folder))
    .filter((file) => file.endsWith('.h'))
  const programs = [...new Set([...include, ...beside, ...sources])]

  const trees = [...new Set(lab.boots.flatMap((boot) => boot.tree ?? []))]

  const all = new Set([...modules, ...programs, ...trees])
  const overrides = new Map(
    Object.entries(changes.overrides ?? {}).map(([path, file]) => [path, resolve(file)]),
  )
  for (const [path, file] of overrides) {
    if (!all.has(path))
      throw new Complaint({ text: `${file} stands for ${path}, which lab ${lab.name} does not build` })
    if (!existsSync(file))
      throw new Complaint({ text: `${file} stands for ${path}, but there is no such file` })
  }
  const fileOf = (path: string): string => overrides.get(path) ?? join(root, path)
  const patched = new Map<string, string>()
  for (const patch of changes.patches ?? []) {
    if (!existsSync(patch)) throw new Complaint({ text: `there is no patch ${patch}` })
    const read = (path: string): string | null =>
      patched.get(path) ?? (all.has(path) ? readFileSync(fileOf(path), 'utf8') : null)
    for (const [path, text] of applyDiff(readFileSync(patch, 'utf8'), patch, read)) patched.set(path, text)
  }
  const source = (path: string): Source => ({ path, from: fileOf(path), patched: patched.get(path) ?? null })
  return { modules: modules.map(source), programs: programs.map(source), trees: trees.map(source) }
}

/** Names these sources by their content. */
export function sourcesKey(sources: readonly Source[], ...more: string[]): string {
  return contentKey(
    ...more,
    ...sources.flatMap(({ path, from, patched }) => [path, patched ?? readFileSync(from)]),
  )
}

/** Copies the sources into a folder. */
export function copySources(sources: readonly Source[], to: string): Command[] {
  const folders = [...new Set(sources.map((source) => dirname(source.path)))]
  return [
    ...folders.map((folder): Command => ({ do: 'mkdir', path: join(to, folder) })),
    ...sources.map(({ path, from, patched }): Command => {
      const target = join(to, path)
      return patched === null
        ? { do: 'copy', from, to: target }
        : { do: 'write', path: target, text: patched }
    }),
  ]
}
