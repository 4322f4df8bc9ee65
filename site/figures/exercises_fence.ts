// SPDX-License-Identifier: MIT
//
// The empty `exercises` fence: what a chapter has to do at a desk, from the exercise.yaml of each, with the command that
// begins it. `contig` reads those files itself and more strictly (code/exercise/manifest.ts).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { escapeHtml } from '../html.ts'
import { FIRST, type SiteText, untranslated } from '../languages.ts'
import { failAt, type Where } from '../markdown/fence_info.ts'
import { exerciseUrl } from '../paths.ts'

const Exercise = z.object({
  id: z.string(),
  title: z.string(),
  kind: z.enum(Object.keys(FIRST.exercises.kinds) as [keyof SiteText['exercises']['kinds']]),
  minutes: z.number(),
  difficulty: z.number(),
  order: z.number(),
  prerequisites: z.array(z.string()),
  about: z.string().optional(),
})
type Exercise = z.infer<typeof Exercise>

function exercisesOf(root: string, slug: string): Exercise[] {
  const folder = join(root, 'chapters', slug, 'exercises')
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).map((name) => join(folder, name, 'exercise.yaml'))
  return files
    .filter((file) => existsSync(file))
    .map((file) => Exercise.parse(parse(readFileSync(file, 'utf8'))))
    .sort((a, b) => a.order - b.order)
}

// The titles by which prerequisites are named, of every chapter.
function titlesBelow(root: string): ReadonlyMap<string, string> {
  const slugs = readdirSync(join(root, 'chapters'), { withFileTypes: true }).filter((each) =>
    each.isDirectory(),
  )
  return new Map(
    slugs.flatMap(({ name }) => exercisesOf(root, name).map(({ id, title }) => [id, title] as const)),
  )
}

function item(exercise: Exercise, slug: string, titles: ReadonlyMap<string, string>, text: SiteText): string {
  const { id, title, kind, minutes, difficulty, order, prerequisites, about } = exercise
  const after = prerequisites.map((each) => titles.get(each) ?? each).join(', ')
  const facts = [
    text.exercises.kinds[kind],
    `${minutes} ${text.exercises.minutes}`,
    `${text.exercises.difficulty} ${difficulty}`,
    ...(after === '' ? [] : [`${text.exercises.after} ${after}`]),
  ]
  const url = exerciseUrl({ id, chapter: { slug } })
  return (
    `<li value="${order}"><p${untranslated(text)}><strong><a href="${url}">${escapeHtml(title)}</a></strong>` +
    `${about === undefined ? '' : ` ${escapeHtml(about)}`}</p>` +
    `<p class="facts">${escapeHtml(facts.join(' · '))} <span class="mark" data-mark="${id}"></span></p>` +
    `<p><code>npx contig do ${escapeHtml(id)}</code></p></li>\n`
  )
}

/** The list of the exercises of the chapter `slug`. */
export function exercisesFence(root: string, slug: string, where: Where, text: SiteText): string {
  let exercises: Exercise[]
  let titles: ReadonlyMap<string, string>
  try {
    exercises = exercisesOf(root, slug)
    titles = titlesBelow(root)
  } catch (error) {
    const said = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : String(error)
    failAt(
      where,
      'exercises',
      `an exercise.yaml cannot be read: ${said}`,
      'contig list says which, and where',
    )
  }
  if (exercises.length === 0) failAt(where, 'exercises', 'this chapter has no exercises')
  return `<ol class="exercises">\n${exercises.map((each) => item(each, slug, titles, text)).join('')}</ol>\n`
}
