// SPDX-License-Identifier: MIT
//
// The project's own files, as paths from its root.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root, an absolute path with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Every file below `folder` whose name ends with `ending`, sorted. Fixtures are not the project's code. */
export function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file}`)
    .filter((file) => file.endsWith(ending) && !/\/(fixtures|node_modules)\//.test(file))
    .sort()
}
