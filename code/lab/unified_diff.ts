// SPDX-License-Identifier: MIT
//
// Applies a unified diff to sources, to the letter: a hunk must match at its own line, or a fixture that no longer fits
// its driver would go on passing for the wrong reason.
import { Complaint } from '../lib/complaint.ts'

interface Hunk {
  /** First line it replaces, from 1. */
  readonly start: number
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** Its line in the diff, for messages. */
  readonly line: number
}

interface FilePatch {
  readonly path: string
  readonly hunks: readonly Hunk[]
}

// `+++ b/kernel/x.c` without the first folder, as patch -p1 reads it.
const stripped = (path: string): string => path.replace(/\t.*$/, '').replace(/^[^/]+\//, '')

function parse(diff: string): FilePatch[] {
  const lines = diff.split('\n')
  const files: { path: string; hunks: Hunk[] }[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.startsWith('+++ ') && lines[at - 1]?.startsWith('--- ')) {
      files.push({ path: stripped(line.slice(4)), hunks: [] })
      continue
    }
    const head = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line)
    if (!head) continue
    let old = Number(head[2] ?? 1)
    let fresh = Number(head[3] ?? 1)
    const hunk = { start: Number(head[1]), before: [] as string[], after: [] as string[], line: at + 1 }
    while (old > 0 || fresh > 0) {
      at += 1
      const text = lines[at] ?? ''
      const mark = text[0] ?? ' '
      if (mark === '\\') continue
      if (mark !== '+') old -= 1
      if (mark !== '-') fresh -= 1
      if (mark !== '+') hunk.before.push(text.slice(1))
      if (mark !== '-') hunk.after.push(text.slice(1))
    }
    files.at(-1)?.hunks.push(hunk)
  }
  return files
}

/**
 * Applies a diff. `read` gives a file's text, or null when the sources have no such file.
 * Returns the changed texts by path. @throws Complaint (1) naming the diff's line that does not fit
 */
export function applyDiff(
  diff: string,
  name: string,
  read: (path: string) => string | null,
): ReadonlyMap<string, string> {
  const changed = new Map<string, string>()
  const files = parse(diff)
  if (files.length === 0)
    throw new Complaint({ text: `${name}: no file is changed by this patch (expected a unified diff)` })
  for (const { path, hunks } of files) {
    const text = changed.get(path) ?? read(path)
    if (text === null)
      throw new Complaint({ text: `${name}: it changes ${path}, which this lab does not build` })
    const lines = text.split('\n')
    let moved = 0
    for (const hunk of hunks) {
      const at = hunk.start - 1 + moved
      const here = lines.slice(at, at + hunk.before.length)
      if (here.join('\n') !== hunk.before.join('\n')) {
        const first = hunk.before.findIndex((line, index) => line !== here[index])
        throw new Complaint({
          text: [
            `${name}:${hunk.line}: this hunk does not fit ${path}:${at + first + 1}`,
            `  there:    ${here[first] ?? '(the file ends)'}`,
            `  expected: ${hunk.before[first] ?? ''}`,
          ].join('\n'),
        })
      }
      lines.splice(at, hunk.before.length, ...hunk.after)
      moved += hunk.after.length - hunk.before.length
    }
    changed.set(path, lines.join('\n'))
  }
  return changed
}
