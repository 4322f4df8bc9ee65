// SPDX-License-Identifier: MIT
//
// contig solution: ours, once yours has passed.
import type { Command } from 'commander'

export function registerSolution(program: Command): void {
  program
    .command('solution')
    .description('show our solution and why it is right, once yours has passed')
    .argument('[exercise]', 'its id or number; the one worked on last when left out')
    .option('--give-up', 'show it before a pass; the list remembers')
    .action(async (name: string | undefined, options: { giveUp?: boolean }) => {
      const { chosenOrLast, openCourse, progressNotice } = await import('../exercise/course.ts')
      const { nextUnfinished } = await import('../exercise/record.ts')
      const { solutionOf } = await import('../exercise/solution.ts')
      const course = openCourse()
      const exercise = chosenOrLast(course, name)
      if (!course.progress.of(exercise)?.passed) {
        if (!options.giveUp) {
          const { Complaint } = await import('../lib/complaint.ts')
          throw new Complaint({
            text: `${exercise.id}: the solution opens after a pass`,
            next: [
              `contig do ${exercise.id}`,
              `contig hint ${exercise.id}`,
              `contig solution ${exercise.id} --give-up`,
            ],
          })
        }
        course.progress.gaveUp(exercise)
      }
      const next = nextUnfinished(course.exercises, course.progress.read(), exercise)
      const after = course.progress.of(exercise)?.passed
        ? next && `contig do ${next.id}`
        : `contig do ${exercise.id}, now in your own words`
      process.stdout.write(
        progressNotice(course) +
          (await solutionOf(course, exercise)) +
          (after ? `\nNext: ${after}\n` : '\nEvery exercise is done: contig results export FILE\n'),
      )
    })
}
