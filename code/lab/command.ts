// SPDX-License-Identifier: MIT
//
// What a lab does, as data: steps of commands. One list is both carried out (execute.ts) and printed by --dry-run
// (shell_script.ts), so the two cannot drift apart.

/** One act. Paths are absolute; `limit` is in seconds and always holds. */
export type Command =
  | {
      readonly do: 'exec'
      readonly argv: readonly string[]
      readonly cwd?: string
      /** A file to read standard input from. */
      readonly stdin?: string
      /** A file that standard output goes to. */
      readonly stdout?: string
      /** A second program that reads the first one's output. */
      readonly into?: readonly string[]
      readonly limit: number
      /** A mirror of Debian may be in the middle of its own update: ask it again a few times. */
      readonly retries?: 'mirror'
      /** Told while it runs, for a command that takes long. */
      readonly tells?: string
      /** Tell with it how many lines it has printed: a long make, a line a file. */
      readonly counts?: true
    }
  | { readonly do: 'write'; readonly path: string; readonly text: string; readonly executable?: boolean }
  | { readonly do: 'copy'; readonly from: string; readonly to: string }
  | { readonly do: 'mkdir'; readonly path: string }
  | { readonly do: 'remove'; readonly path: string }
  /** Asks the machine something and keeps the answer in a shell variable. Printed by a cold dry run; never carried out. */
  | { readonly do: 'ask'; readonly variable: string; readonly pipeline: readonly (readonly string[])[] }

/** A named group of commands. With `makes`, they fill `makes.part`, which then becomes `makes.final` by a rename. */
export interface Step {
  readonly title: string
  readonly commands: readonly Command[]
  readonly makes?: { readonly final: string; readonly part: string }
  /** It takes minutes: when another process is at it already, it is waited for. */
  readonly alone?: true
}

/** How a command that did not end with 0 is told. */
export class CommandFailed extends Error {
  readonly argv: readonly string[]
  readonly code: number | null
  readonly timedOut: boolean
  /** Both streams as they came, the last 64 KiB. */
  readonly output: string

  constructor(argv: readonly string[], code: number | null, timedOut: boolean, output: string) {
    super(`${argv.join(' ')}: ${timedOut ? 'ran out of time' : `left with ${code ?? 'a signal'}`}`)
    this.name = 'CommandFailed'
    this.argv = argv
    this.code = code
    this.timedOut = timedOut
    this.output = output
  }

  /** The last `count` lines that say something. */
  lastLines(count: number): string[] {
    return this.output
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line !== '')
      .slice(-count)
  }
}
