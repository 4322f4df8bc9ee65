// SPDX-License-Identifier: MIT
//
// contig hint: the next of an exercise's three hints.
import type { Command } from 'commander'

export function registerHint(program: Command): void {
  program
    .command('hint')
    .description('show the next hint, three steps in all')
    .argument('[exercise]', 'its id or number; the one worked on last when left out')
    .action(async (name: string | undefined) => {
      const { chosenOrLast, openCourse, progressNotice } = await import('../exercise/course.ts')
      const { nextHint } = await import('../exercise/session.ts')
      const course = openCourse()
      const exercise = chosenOrLast(course, name)
      const hint = nextHint(course, exercise)
      process.stdout.write(progressNotice(course) + hint)
    })
}
