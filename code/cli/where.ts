// SPDX-License-Identifier: MIT
//
// contig without a word: where you are, and the next step.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openCourse } from '../exercise/course.ts'
import { nextUnfinished } from '../exercise/record.ts'
import { missingTools } from '../lab/tools.ts'

/** A few lines: what is written, what is done, and the command that goes on from there. */
export function whereYouAre(): string {
  const { places, exercises, progress } = openCourse()
  const done = progress.read()
  const passed = exercises.filter(({ id }) => done.exercises[id]?.passed).length
  const chapters = new Map(exercises.map(({ chapter }) => [chapter.slug, chapter]))
  const written = [...chapters.values()].filter(({ slug }) =>
    existsSync(join(places.root, 'chapters', slug, 'index.md')),
  )
  const next = nextUnfinished(exercises, done)
  const toolsMissing = missingTools(['board']).length > 0
  const rows: [string, string][] = [
    ['contig read', 'read the course in the browser'],
    ...(next
      ? [
          [`contig do ${next.id}`, `exercise ${next.number}: ${next.title}, ${next.minutes} min`] as [
            string,
            string,
          ],
        ]
      : []),
    ...(next ? [] : [['contig results export FILE', 'hand on what you have passed'] as [string, string]]),
    ...(toolsMissing ? [['contig setup', 'install what the virtual board needs'] as [string, string]] : []),
    ['contig lab', 'the labs: real kernels on a virtual board'],
    ['contig --help', 'everything else'],
  ]
  const width = Math.max(...rows.map(([command]) => command.length))
  return [
    'Contiguous: large contiguous memory in Linux',
    ...written.map(({ number, title }) => `  chapter ${number}, ${title}`),
    `  ${passed} of ${exercises.length} exercises done${next ? '' : ': all of them'}`,
    '',
    'Next:',
    ...rows.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`),
    '',
  ].join('\n')
}
