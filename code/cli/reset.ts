// SPDX-License-Identifier: MIT
//
// contig reset: an exercise as shipped, or all of them and the progress with them. What the reader wrote is moved aside,
// never deleted.
import type { Command } from 'commander'

export function registerReset(program: Command): void {
  program
    .command('reset')
    .description('lay an exercise out as shipped; your files are kept aside')
    .argument('[exercise]', 'its id or number')
    .option('--all', 'every exercise, and your progress: as on the first day')
    .action(async (name: string | undefined, { all }: { all?: boolean }) => {
      if ((name === undefined) === (all === undefined)) {
        const { Complaint } = await import('../lib/complaint.ts')
        throw new Complaint({
          text: 'expected an exercise, or --all',
          exitCode: 2,
          next: ['contig reset <exercise>', 'contig reset --all', 'contig list'],
        })
      }
      process.stdout.write(name === undefined ? await resetAllOfThem() : await resetOne(name))
    })
}

async function resetOne(name: string): Promise<string> {
  const { openCourse } = await import('../exercise/course.ts')
  const { findExercise } = await import('../exercise/catalog.ts')
  const { shortPath } = await import('../exercise/places.ts')
  const { readerFolder, resetExercise } = await import('../exercise/workspace.ts')
  const { places, exercises } = openCourse()
  const exercise = findExercise(exercises, name)
  if (exercise.kind === 'question') {
    return (
      `${exercise.id} is a question: there are no files of yours to put away.\n` +
      `Next: contig do ${exercise.id} --seed N, with other numbers\n`
    )
  }
  const kept = resetExercise(places, exercise)
  return (
    `${shortPath(readerFolder(places, exercise))}: as shipped.\n` +
    (kept ? `What was there is in ${shortPath(kept)}.\n` : 'There was nothing of yours there.\n') +
    `Next: contig do ${exercise.id}\n`
  )
}

async function resetAllOfThem(): Promise<string> {
  const { openCourse } = await import('../exercise/course.ts')
  const { shortPath } = await import('../exercise/places.ts')
  const { resetAll } = await import('../exercise/workspace.ts')
  const { places, exercises, progress } = openCourse()
  const folders = resetAll(places, exercises)
  const file = progress.setAside()
  const kept = [...folders, ...(file ? [file] : [])].map((path) => `  ${shortPath(path)}\n`)
  return (
    (kept.length > 0
      ? `All exercises are as on the first day. Nothing was deleted; what was yours is in\n${kept.join('')}`
      : 'There was nothing of yours.\n') + 'Next: contig do\n'
  )
}
