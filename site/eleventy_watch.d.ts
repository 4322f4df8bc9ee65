// SPDX-License-Identifier: MIT
//
// Eleventy brings no types; this is what site/watch.ts uses of it.
declare module '@11ty/eleventy' {
  export class Eleventy {
    constructor(
      input: string | undefined,
      output: string | undefined,
      options: { source: 'cli'; quietMode: boolean; runMode: 'watch' },
    )
    readonly errorHandler: {
      error(error: unknown, what: string): void
      fatal(error: unknown, what: string): void
    }
    readonly watcher: { getWatched(): Record<string, string[]> }
    init(): Promise<void>
    /** Builds, and resolves when edits are seen, with what builds again for an edited file. */
    watch(): Promise<(path: string) => Promise<void>>
  }
}
