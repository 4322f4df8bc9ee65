// SPDX-License-Identifier: MIT
//
// Fixture projects. One is one text file: a line that says what it is about, `expect:` lines, then files, each under a
// line `-- path --`. It is unpacked into a temporary folder.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../support/files.ts'

export interface FixtureProject {
  readonly name: string
  readonly about: string
  readonly expected: readonly string[]
  readonly files: Readonly<Record<string, string>>
}

/** Every fixture below test/book/fixtures/`folder`, by name. */
export function fixtureProjects(folder: string): FixtureProject[] {
  const path = join(root, 'test/book/fixtures', folder)
  return readdirSync(path)
    .sort()
    .map((name) => {
      const [head = '', ...parts] = readFileSync(join(path, name), 'utf8').split(/^-- (.+) --\n/m)
      const lines = head.trim().split('\n')
      const files: Record<string, string> = {}
      for (let at = 0; at < parts.length; at += 2) files[parts[at] ?? ''] = parts[at + 1] ?? ''
      return {
        name: name.replace(/\.txt$/, ''),
        about: lines.filter((line) => !line.startsWith('expect: ')).join(' '),
        expected: lines.flatMap((line) => (line.startsWith('expect: ') ? line.slice('expect: '.length) : [])),
        files,
      }
    })
}

/** Writes the files into a new folder, hands it to `use`, and removes it afterwards. */
export async function inProject<T>(
  files: Readonly<Record<string, string>>,
  use: (root: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-fixture-'))
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
