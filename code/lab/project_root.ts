// SPDX-License-Identifier: MIT
//
// Where the book lies: the folder that holds chapters/book.json, looked for upwards from this very code, so that the
// sources under code/ and the bundle under dist/ find the same one from any current folder.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root as an absolute path without a slash at its end. */
export function projectRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  for (let folder = here; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'chapters', 'book.json'))) return folder
    if (folder === dirname(folder)) throw new Error(`projectRoot: no chapters/book.json above ${here}`)
  }
}
