// SPDX-License-Identifier: MIT
//
// Files that belong to the reader: written whole or not at all, and never over something that is there.
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

const REASONS: Record<string, string> = {
  EACCES: 'may not be written to',
  EPERM: 'may not be written to',
  EROFS: 'is on a read-only file system',
  ENOSPC: 'is on a full disk',
  EDQUOT: 'is over its disk quota',
  ENOTDIR: 'has a file where a folder is needed',
  EISDIR: 'has a folder where a file is needed',
  // mkdir -p on a read-only file system ends so on Node 20.
  ENOENT: 'cannot be made',
}

/** Runs `work` on `path`; a failure that a person can mend becomes a complaint that names the path. */
export function withPath<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const reason = REASONS[codeOf(error)]
    if (!reason) throw error
    throw new Complaint({
      text: `${path}: ${reason} (${codeOf(error)})`,
      next: [
        'Make room or give yourself the right to write there, or set CONTIG_WORKSPACE to another folder.',
      ],
    })
  }
}

// `text` in a fresh file beside `path`, on the disk when this returns.
function writeBeside(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true })
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.new`)
  const file = openSync(beside, 'w', 0o644)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  return beside
}

/** Replaces `path` by `text`. A reader of the file sees the old text or the new one, never a part. */
export function writeWhole(path: string, text: string): void {
  withPath(path, () => renameSync(writeBeside(path, text), path))
}

/** Makes `path` with `text` unless there is such a file; whether it was made. */
export function writeOnce(path: string, text: string): boolean {
  return withPath(path, () => {
    if (existsSync(path)) return false
    const beside = writeBeside(path, text)
    try {
      // A link, unlike a rename, refuses to replace. Some file systems have no links.
      linkSync(beside, path)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      copyFileSync(beside, path, constants.COPYFILE_EXCL)
    } finally {
      rmSync(beside, { force: true })
    }
    return true
  })
}

/** Moves `path` to the first free `<folder>/<name>-<n><ending>`, and says where it is now. */
export function keepAside(path: string, folder: string, name: string, ending = ''): string {
  return withPath(folder, () => {
    mkdirSync(folder, { recursive: true })
    for (let n = 1; ; n++) {
      const kept = join(folder, `${name}-${n}${ending}`)
      if (existsSync(kept)) continue
      renameSync(path, kept)
      return kept
    }
  })
}
