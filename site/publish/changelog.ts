// SPDX-License-Identifier: MIT
//
// CHANGELOG.md as entries: a version is a heading of the second level, an entry a `- ` item below it. An entry is named by
// its bold words, and is as old as the youngest of its lines, which git knows; a copy without git has the file's date.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { slugOf } from '../markdown/slug.ts'

export const CHANGELOG = 'CHANGELOG.md'

export interface ChangeEntry {
  /** Unique in the file, kebab-case. */
  readonly id: string
  readonly title: string
  readonly markdown: string
  readonly updated: Date
}

export interface Version {
  readonly title: string
  readonly entries: readonly ChangeEntry[]
}

/** The bold words of an entry, or its beginning. */
function titleOf(markdown: string): string {
  const bold = /\*\*([^*]+)\*\*/.exec(markdown)?.[1]
  const title = bold ?? markdown.split(/[.:;,]/)[0] ?? ''
  return title.replace(/[`*]/g, '').replace(/\s+/g, ' ').trim()
}

/** `dateOf` gives the date of a line, counted from 1. */
export function parseChangelog(text: string, dateOf: (line: number) => Date): Version[] {
  const versions: { title: string; entries: ChangeEntry[] }[] = []
  const ids = new Map<string, number>()
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('## ')) versions.push({ title: line.slice(3).trim(), entries: [] })
    if (!line.startsWith('- ')) continue
    let end = index + 1
    while (end < lines.length && /^\s+\S/.test(lines[end]!)) end += 1
    const markdown = [line.slice(2), ...lines.slice(index + 1, end).map((more) => more.trim())].join('\n')
    const title = titleOf(markdown)
    const times = ids.get(slugOf(title)) ?? 0
    ids.set(slugOf(title), times + 1)
    const updated = new Date(
      Math.max(...lines.slice(index, end).map((_, at) => dateOf(index + at + 1).getTime())),
    )
    const id = slugOf(title) + (times > 0 ? `-${times + 1}` : '')
    versions.at(-1)?.entries.push({ id, title, markdown, updated })
  }
  return versions
}

/** The date of each line by `git blame`; empty without git, or outside its work. */
function blame(root: string): Date[] {
  const { status, stdout } = spawnSync('git', ['blame', '--line-porcelain', '--', CHANGELOG], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) return []
  return [...stdout.matchAll(/^committer-time (\d+)$/gm)].map((match) => new Date(Number(match[1]) * 1000))
}

/**
 * The versions of the project at `root`, the newest first as the file has them; none without the file. `dated` asks git,
 * which takes a moment.
 */
export function readChangelog(root: string, dated: boolean): Version[] {
  const file = join(root, CHANGELOG)
  if (!existsSync(file)) return []
  const dates = dated ? blame(root) : []
  const own = statSync(file).mtime
  return parseChangelog(readFileSync(file, 'utf8'), (line) => dates[line - 1] ?? own)
}
