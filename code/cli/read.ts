// SPDX-License-Identifier: MIT
//
// contig read: the course in the browser. Builds, serves on this machine only, builds again on every edit.
import { type Command, InvalidArgumentError } from 'commander'

function portNumber(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw new InvalidArgumentError(`got '${text}', expected a number from 0 to 65535.`)
}

export function registerRead(program: Command): void {
  program
    .command('read')
    .description('read the course in the browser; it follows your edits')
    .option('--port <number>', 'where to listen on 127.0.0.1; 0 for any free port', portNumber, 7070)
    .option('--out <dir>', 'where to build', '_site')
    .action(async (options: { port: number; out: string }) => {
      const { readCourse } = await import('./read_course.ts')
      await readCourse(options)
    })
}
