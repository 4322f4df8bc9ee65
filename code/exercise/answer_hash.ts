// SPDX-License-Identifier: MIT
//
// One number for an answer that passed: of a reader's files as they are, of a question's answer however it was spelled.
// A result file carries it; whoever has the answer can make it again.
import { createHash } from 'node:crypto'
import type { ReaderFiles } from './check.ts'
import { readings, type Question } from './question.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** SHA-256 of the files' names and texts, by name; line ends count as one. */
export function hashFiles(files: ReaderFiles): string {
  const entries = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))
  return sha256(JSON.stringify(entries.map(([name, text]) => [name, text.replaceAll('\r\n', '\n')])))
}

/** SHA-256 of what the question's right answer means. */
export function hashAnswer({ kind, answer }: Question): string {
  return sha256(`${kind} ${readings(kind, answer)[0] ?? ''}`)
}
