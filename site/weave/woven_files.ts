// SPDX-License-Identifier: MIT
//
// Which files must be woven: every model, and everything of kernel/ that is compiled. A file is in this set because of
// where it lies, never because somebody listed it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import { languageOf, scanRegions } from './regions.ts'
import type { SourceFile } from './types.ts'

/** The rooms of code/ that hold models. */
export const WOVEN_ROOMS = ['lib', 'arch', 'mm', 'of', 'dma', 'machine'] as const

/** What a kernel build leaves behind beside its sources. */
const BUILT = /\.mod\.c$|(^|\/)\./

function under(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
    (file) => `${folder}/${file}`,
  )
}

/** Every file that must be woven, as sorted paths from the root. */
export function wovenFiles(root: string): string[] {
  const models = WOVEN_ROOMS.flatMap((room) => under(root, `code/${room}`)).filter((file) =>
    file.endsWith('.ts'),
  )
  const kernel = under(root, 'kernel').filter((file) => languageOf(file) !== null && !BUILT.test(file))
  return [...models, ...kernel.filter((file) => !file.endsWith('.ts'))].sort()
}

/** Reads and scans them all. */
export function readWovenFiles(root: string) {
  const files: SourceFile[] = []
  const diagnostics: Diagnostic[] = []
  for (const file of wovenFiles(root)) {
    const lang = languageOf(file)
    if (!lang) continue
    const scanned = scanRegions(readFileSync(join(root, file), 'utf8'), file, lang)
    files.push(scanned.source)
    diagnostics.push(...scanned.diagnostics)
  }
  return { files, diagnostics }
}
