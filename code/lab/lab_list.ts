// SPDX-License-Identifier: MIT
//
// The labs of the book: chapters/*/lab.yaml, in the order of the chapters' folders.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { type Lab, loadLab } from './lab_file.ts'
import { nearestWord } from '../lib/nearest_word.ts'

/** Every lab of the book. @throws Complaint (2) when one of the files is wrong */
export function listLabs(root: string): Lab[] {
  const chapters = join(root, 'chapters')
  return readdirSync(chapters)
    .sort()
    .map((chapter) => `chapters/${chapter}/lab.yaml`)
    .filter((file) => existsSync(join(root, file)))
    .map((file) => loadLab(file, root))
}

/** The lab of this name, or the one in this lab file. @throws Complaint (2) offering the nearest name */
export function findLab(root: string, name: string): Lab {
  if (/\.ya?ml$/.test(name)) return loadLab(name, root)
  const labs = listLabs(root)
  const lab = labs.find((each) => each.name === name)
  if (lab) return lab
  const near = nearestWord(
    name,
    labs.map((each) => each.name),
  )
  throw new Complaint({
    text: `there is no lab ${name}`,
    exitCode: 2,
    next: [near ? `did you mean ${near}?` : `there are: ${labs.map((each) => each.name).join(', ')}`],
  })
}
