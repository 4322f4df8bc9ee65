// SPDX-License-Identifier: MIT
//
// The labs of the book, in the order of the chapters' folders: a chapter's lab.yaml, then those in its labs/.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

const labFiles = (root: string): string[] =>
  readdirSync(join(root, 'chapters'))
    .sort()
    .flatMap((chapter) => filesOf(root, `chapters/${chapter}`))

/** Every lab of the book. @throws Complaint (2) when one of the files is wrong */
export function listLabs(root: string): Lab[] {
  return labFiles(root).map((file) => loadLab(file, root))
}

// To parse and check every lab takes longer than to plan one of them.
function labOfName(root: string, name: string): Lab | undefined {
  const said = `name: ${name}`
  const likely = labFiles(root).filter((file) => readFileSync(join(root, file), 'utf8').includes(said))
  return likely.map((file) => loadLab(file, root)).find((lab) => lab.name === name)
}

/** The lab of this name, or the one in this lab file. @throws Complaint (2) offering the nearest name */
export function findLab(root: string, name: string): Lab {
  if (/\.ya?ml$/.test(name)) return loadLab(existsSync(resolve(name)) ? resolve(name) : name, root)
  const lab = labOfName(root, name)
  if (lab) return lab
  const labs = listLabs(root)
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
