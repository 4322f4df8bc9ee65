// SPDX-License-Identifier: MIT
//
// A file that a person named, as bytes: never more than it can reasonably have, so that /dev/zero ends too.
import { closeSync, openSync, readSync } from 'node:fs'
import { Complaint } from '../lib/complaint.ts'
import { MiB } from '../lib/units.ts'

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
}

/** The bytes of `file`. @throws Complaint (2): it cannot be read, or has more than `most` bytes */
export function readAtMost(file: string, most: number, next: string): Uint8Array {
  try {
    const bytes = upTo(file, most + 1)
    if (bytes.length <= most) return bytes
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const text = `${file}: cannot be read: ${WHY[code] ?? code} (${code})`
    throw new Complaint({ text, exitCode: 2, next: [next] })
  }
  const text = `${file}: got more than ${most / MiB(1)} MiB, expected a smaller file`
  throw new Complaint({ text, exitCode: 2, next: [next] })
}

function upTo(file: string, most: number): Uint8Array {
  const parts: Uint8Array[] = []
  const handle = openSync(file, 'r')
  try {
    for (let left = most; left > 0;) {
      const part = new Uint8Array(Math.min(left, MiB(1)))
      const got = readSync(handle, part)
      if (got === 0) break
      parts.push(part.subarray(0, got))
      left -= got
    }
  } finally {
    closeSync(handle)
  }
  return Buffer.concat(parts)
}
