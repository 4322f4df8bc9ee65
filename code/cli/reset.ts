// SPDX-License-Identifier: MIT
//
// contig reset: an exercise as shipped. What the reader wrote is moved aside, never deleted.
import type { Command } from 'commander'

export function registerReset(program: Command): void {
  program
    .command('reset')
    .description('lay an exercise out as shipped; your files are kept aside')
    .argument('<exercise>', 'its id or number')
    .action(async (name: string) => {
      const { openCourse } = await import('../exercise/course.ts')
      const { findExercise } = await import('../exercise/catalog.ts')
      const { shortPath } = await import('../exercise/places.ts')
      const { readerFolder, resetExercise } = await import('../exercise/workspace.ts')
      const { places, exercises } = openCourse()
      const exercise = findExercise(exercises, name)
      const kept = resetExercise(places, exercise)
      process.stdout.write(
        `${shortPath(readerFolder(places, exercise))}: as shipped.\n` +
          (kept ? `What was there is in ${shortPath(kept)}.\n` : 'There was nothing of yours there.\n') +
          `Next: contig do ${exercise.id}\n`,
      )
    })
}
