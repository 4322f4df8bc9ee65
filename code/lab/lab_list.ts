// SPDX-License-Identifier: MIT
//
// The labs of the book, in the order of the chapters' folders: a chapter's lab.yaml, then those in its labs/.
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { type Lab, loadLab } from './lab_file.ts'
import { nearestWord } from '../lib/nearest_word.ts'

function filesOf(root: string, chapter: string): string[] {
  const own = `${chapter}/lab.yaml`
  const more = join(root, chapter, 'labs')
  const names = existsSync(more) ? readdirSync(more).filter((name) => name.endsWith('.yaml')) : []
  return [
    ...(existsSync(join(root, own)) ? [own] : []),
    ...names.sort().map((name) => `${chapter}/labs/${name}`),
  ]
}

/** Every lab of the book. @throws Complaint (2) when one of the files is wrong */
export function listLabs(root: string): Lab[] {
  const chapters = join(root, 'chapters')
  return readdirSync(chapters)
    .sort()
    .flatMap((chapter) => filesOf(root, `chapters/${chapter}`))
    .map((file) => loadLab(file, root))
}

/** The lab of this name, or the one in this lab file. @throws Complaint (2) offering the nearest name */
export function findLab(root: string, name: string): Lab {
  if (/\.ya?ml$/.test(name)) return loadLab(existsSync(resolve(name)) ? resolve(name) : name, root)
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
