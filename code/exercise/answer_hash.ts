// SPDX-License-Identifier: MIT
//
// One number for an answer that passed: of a reader's files as they are, of a question's answer however it was spelled.
// A result file carries it; whoever has the answer can make it again, at a terminal or in a page. (Not by the host's own
// crypto: Node's is not in a page, and a page's is not there without TLS.)
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { ReaderFiles } from './check.ts'
import { readings, type Question } from './question.ts'

const hashOf = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)))

/** SHA-256 of the files' names and texts, by name; line ends count as one. */
export function hashFiles(files: ReaderFiles): string {
  const entries = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))
  return hashOf(JSON.stringify(entries.map(([name, text]) => [name, text.replaceAll('\r\n', '\n')])))
}

/** SHA-256 of what the question's right answer means. */
export function hashAnswer({ kind, answer }: Question): string {
  return hashOf(`${kind} ${readings(kind, answer)[0] ?? ''}`)
}
