// SPDX-License-Identifier: MIT
//
// Every place of every mechanism: it is there, and it is about the thing, which is to say that one of the mechanism's terms
// occurs in it. A place that is planned is owed by a chapter that is not written, or it is due.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Exercise } from '../code/exercise/catalog.ts'
import type { Lab } from '../code/lab/lab_file.ts'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { symbolOccurs } from '../site/claims/in_source.ts'
import {
  COVERAGE,
  type Coverage,
  hasPlace,
  type Mechanism,
  type PlaceName,
  PLACES,
} from '../site/coverage/coverage.ts'
import { slugOf } from '../site/markdown/slug.ts'
import { readFences } from '../site/weave/fences.ts'
import type { Chapter } from '../site/weave/types.ts'

/** What the places are looked up in. */
export interface CoverageMaterial {
  readonly root: string
  readonly chapters: readonly Chapter[]
  readonly exercises: readonly Exercise[]
  readonly labs: readonly Lab[]
}

/** What a place says, or why it is none. */
type Found = { readonly text: string } | { readonly wrong: string }

/** The text from a heading to the next of its level or above; null when no heading has that anchor. */
export function sectionText(markdown: string, anchor: string): string | null {
  const lines = markdown.split('\n')
  const inFence = new Set<number>()
  for (const { line, endLine } of readFences(markdown)) {
    for (let at = line; at <= endLine; at += 1) inFence.add(at)
  }
  const headings = lines.flatMap((line, index) => {
    const match = inFence.has(index + 1) ? null : /^(#{2,4}) (.+?)\s*$/.exec(line)
    return match ? [{ index, level: match[1]!.length, anchor: slugOf(match[2]!) }] : []
  })
  const from = headings.findIndex((heading) => heading.anchor === anchor)
  const heading = headings[from]
  if (!heading) return null
  const next = headings.slice(from + 1).find(({ level }) => level <= heading.level)
  return lines.slice(heading.index, next?.index).join('\n')
}

function sectionFound({ section }: Mechanism, { chapters }: CoverageMaterial): Found {
  const chapter = chapters.find(({ slug }) => slug === section!.chapter)
  if (!chapter) return { wrong: `book.json has no chapter ${section!.chapter}` }
  const text = sectionText(chapter.markdown, section!.anchor)
  return text === null ? { wrong: `${chapter.file} has no heading #${section!.anchor}` } : { text }
}

function modelFound({ model }: Mechanism, { root }: CoverageMaterial): Found {
  const { file, name } = model!
  const path = join(root, file)
  if (!/^code\/(lib|arch|mm|of|dma|machine)\//.test(file) || !existsSync(path))
    return { wrong: `${file} is no model` }
  const text = readFileSync(path, 'utf8')
  const exported = new RegExp(
    `^export (?:async )?(?:function\\*?|const|class|interface|type) ${name}\\b`,
    'm',
  )
  return exported.test(text) ? { text } : { wrong: `${file} exports no ${name}` }
}

function moduleFound({ module, observable }: Mechanism, { root, labs }: CoverageMaterial): Found {
  if (observable) {
    const lab = labs.find(({ name }) => name === observable.lab)
    if (!lab) return { wrong: `there is no lab ${observable.lab}` }
    const text = labText(root, lab)
    return text.includes(observable.text)
      ? { text }
      : { wrong: `lab ${lab.name} does not look for “${observable.text}”` }
  }
  const { file, symbol } = module!
  const path = join(root, file)
  if (!file.startsWith('kernel/') || !existsSync(path)) return { wrong: `${file} is no file of kernel/` }
  const text = readFileSync(path, 'utf8')
  const occurs = symbolOccurs(text, file, symbol)
  return occurs ? { text } : { wrong: `${symbol} does not occur in ${file}` }
}

function exerciseFound({ exercise }: Mechanism, { exercises }: CoverageMaterial): Found {
  const found = exercises.find(({ id }) => id === exercise)
  if (!found) return { wrong: `there is no exercise ${exercise}` }
  const files = [
    'task.md',
    'question.ts',
    'why.md',
    'solution/why.md',
    ...found.files.map((file) => `solution/${file}`),
  ]
  return { text: textOf(files.map((file) => join(found.path, file))) }
}

function labFound({ lab }: Mechanism, { root, labs }: CoverageMaterial): Found {
  const found = labs.find(({ name }) => name === lab!.name)
  if (!found) return { wrong: `there is no lab ${lab!.name}` }
  const boot = found.boots.find(({ name }) => name === lab!.boot)
  return boot ? { text: labText(root, found) } : { wrong: `lab ${found.name} has no boot ${lab!.boot}` }
}

const textOf = (paths: readonly string[]): string =>
  paths.map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : '')).join('\n')

/** A lab's file, and the trees, the modules and the programs that it runs. */
function labText(root: string, lab: Lab): string {
  const programs = lab.programs.flatMap(({ sources }) => sources)
  const trees = lab.boots.flatMap(({ tree }) => tree ?? [])
  const modules = lab.modules.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => /\.[ch]$/.test(name))
      .map((name) => `${folder}/${name}`),
  )
  return textOf([lab.file, ...programs, ...trees, ...modules].map((file) => join(root, file)))
}

const FINDERS: Record<PlaceName, (mechanism: Mechanism, material: CoverageMaterial) => Found> = {
  section: sectionFound,
  model: modelFound,
  module: moduleFound,
  exercise: exerciseFound,
  lab: labFound,
}

const says = (text: string, terms: readonly string[]): boolean =>
  terms.some((term) => text.toLowerCase().includes(term.toLowerCase()))

/**
 * Rules: `coverage-place` (it is not there), `coverage-about` (it is about something else), `coverage-planned` (no such
 * chapter), and as a warning `coverage-due` (the chapter that owes a place is written).
 */
export function checkCoverage(
  { mechanisms, diagnostics, locate }: Coverage,
  material: CoverageMaterial,
): Diagnostic[] {
  const found: Diagnostic[] = [...diagnostics]
  for (const [index, mechanism] of mechanisms.entries()) {
    const { id, terms, planned } = mechanism
    const report = (rule: string, severity: Diagnostic['severity'], place: string, text: string): number =>
      found.push({
        ...{ rule, severity, file: COVERAGE, ...locate(['mechanisms', index, place], 'key') },
        text: `${id}: ${text}`,
      })
    for (const place of PLACES) {
      const owed = planned?.[place]
      if (hasPlace(mechanism, place)) {
        const key = place === 'module' && mechanism.observable ? 'observable' : place
        const there = FINDERS[place](mechanism, material)
        if ('wrong' in there) report('coverage-place', 'error', key, there.wrong)
        else if (!says(there.text, terms)) {
          report('coverage-about', 'error', key, `its ${key} has none of the words ${terms.join(', ')}`)
        }
      } else if (owed !== undefined) {
        const chapter = material.chapters.find(({ slug }) => slug === owed)
        if (!chapter) report('coverage-planned', 'error', 'planned', `book.json has no chapter ${owed}`)
        else if (!chapter.planned)
          report('coverage-due', 'warning', 'planned', `${owed} is written, and owes its ${place}`)
      }
    }
  }
  return found
}

/** How many places there are, and how many of them are planned. */
export function countPlaces({ mechanisms }: Coverage): {
  mechanisms: number
  places: number
  planned: number
} {
  const planned = mechanisms.flatMap((mechanism) => PLACES.filter((place) => !hasPlace(mechanism, place)))
  return { mechanisms: mechanisms.length, places: mechanisms.length * PLACES.length, planned: planned.length }
}
