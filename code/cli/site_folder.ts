// SPDX-License-Identifier: MIT
//
// The folder that a site is built into. Building empties parts of it, so it must be new, empty, or one of ours.
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'

/** Left in a folder before anything is built there: it was made by us. */
const MARK = '.made-by-contig'

function isOurs(folder: string): boolean {
  if (!existsSync(folder)) return true
  return (
    statSync(folder).isDirectory() && (existsSync(join(folder, MARK)) || readdirSync(folder).length === 0)
  )
}

/** Makes the folder, or takes one of ours. @throws Complaint (2) for a file, or a folder with somebody else's files */
export function claimFolder(folder: string): void {
  if (!isOurs(folder)) {
    throw new Complaint({
      text: `${folder}: not empty, and not made by contig build: it would lose files`,
      exitCode: 2,
      next: ['Name a new folder: contig build --out _site'],
    })
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, MARK), '')
}
