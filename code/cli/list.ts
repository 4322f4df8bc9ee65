// SPDX-License-Identifier: MIT
//
// contig list: the exercises, with marks.
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Mark } from '../exercise/record.ts'

interface Options {
  chapter?: number
  kind?: string
  todo?: boolean
  done?: boolean
  state?: string
  difficulty?: number
  minutes?: number
  json?: boolean
}

const STATES: Record<string, Mark> = { new: 'new', started: 'started', seen: 'solution seen', done: 'done' }

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a number such as 2.')
  return Number(text)
}

export function registerList(program: Command): void {
  program
    .command('list')
    .description('list the exercises, what is done and what is not')
    .argument('[words...]', 'show those whose id, title or chapter has all these words')
    .option('--chapter <number>', 'of one chapter', whole)
    .addOption(new Option('--kind <kind>', 'of one kind').choices(['dts', 'typescript', 'c', 'question']))
    .addOption(new Option('--todo', 'without a pass').conflicts('done'))
    .option('--done', 'with a pass')
    .addOption(
      new Option('--state <state>', 'in one state; seen: the solution was, before a pass').choices(
        Object.keys(STATES),
      ),
    )
    .option('--difficulty <number>', 'as hard as this: 1, 2 or 3', whole)
    .option('--minutes <number>', 'that take no longer', whole)
    .option('--json', 'print JSON')
    .action(async (words: string[], options: Options) => {
      const { openCourse, progressNotice } = await import('../exercise/course.ts')
      const { formatList } = await import('../exercise/print.ts')
      const { markOf, nextUnfinished } = await import('../exercise/record.ts')
      const course = openCourse()
      const progress = course.progress.read()
      const shown = course.exercises.filter(({ id, title, chapter, kind, difficulty, minutes }) => {
        const text = `${id} ${title} ${chapter.title}`.toLowerCase()
        const record = progress.exercises[id]
        const passed = record?.passed !== undefined
        return (
          words.every((word) => text.includes(word.toLowerCase())) &&
          (options.chapter === undefined || chapter.number === options.chapter) &&
          (options.kind === undefined || kind === options.kind) &&
          (options.state === undefined || markOf(record) === STATES[options.state]) &&
          (options.difficulty === undefined || difficulty === options.difficulty) &&
          (options.minutes === undefined || minutes <= options.minutes) &&
          (!options.todo || !passed) &&
          (!options.done || passed)
        )
      })
      if (options.json) {
        const rows = shown.map(({ id, number, title, about, kind, minutes, difficulty, prerequisites }) => {
          const record = progress.exercises[id] ?? null
          return {
            id,
            number,
            title,
            ...(about === undefined ? {} : { about }),
            kind,
            minutes,
            difficulty,
            prerequisites,
            mark: markOf(record ?? undefined),
            record,
          }
        })
        process.stdout.write(JSON.stringify({ version: 1, exercises: rows }, null, 2) + '\n')
        return
      }
      const next = nextUnfinished(course.exercises, progress)
      process.stdout.write(
        progressNotice(course) +
          (shown.length > 0 ? formatList(shown, progress) : 'No exercise fits.\n') +
          (next ? `Next: contig do ${next.id}\n` : 'Every exercise is done: contig results export FILE\n'),
      )
    })
}
