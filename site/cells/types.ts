// SPDX-License-Identifier: MIT
//
// The words of the cells. A *cell* is a TypeScript module in a chapter, with the output that it prints recorded under
// it. The tests run it in Node, the reader runs it in the page; both within the same limits and by the same formatter.

import type { CellWords } from './cell_words.ts'

export interface Cell {
  /** Unique in its chapter. */
  readonly id: string
  /** The chapter's file, a path from the root. */
  readonly file: string
  /** 1-based line of the opening fence; the code begins on the next. */
  readonly line: number
  readonly code: string
  /** The recorded output, with a newline at its end unless it is empty. */
  readonly output: string
  /** 1-based lines of the output block's two fences. */
  readonly outputLine: number
  readonly outputEndLine: number
}

/** How a run ended. */
export type CellEnd =
  | { readonly kind: 'done' }
  /** It threw: `line` is the reader's own line, 1-based, 0 when it is not known. */
  | { readonly kind: 'error'; readonly text: string; readonly line: number }
  | { readonly kind: 'time'; readonly limitMs: number }
  | { readonly kind: 'output'; readonly limitBytes: number }
  /** The reader pressed Stop. */
  | { readonly kind: 'stopped' }

export interface CellRun {
  readonly output: string
  readonly end: CellEnd
}

export interface CellLimits {
  readonly timeoutMs: number
  /** Bytes of UTF-8. */
  readonly outputLimit: number
}

export const CELL_LIMITS: CellLimits = { timeoutMs: 5_000, outputLimit: 64 * 1024 }

/** What the page sends to its worker: once, to run one module. */
export interface WorkerRequest {
  /** JavaScript whose imports are addresses. */
  readonly module: string
  /** Addresses of the models that it imports, loaded before the clock starts. */
  readonly models: readonly string[]
  readonly outputLimit: number
  readonly words: Pick<CellWords, 'beyond' | 'nearest'>
}

/** What a worker sends back. */
export type WorkerReport =
  | { readonly kind: 'started' }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'end'; readonly end: CellEnd }

/** What `buildCells` hands to the site. */
export interface CellAssets {
  /** Address of the client, to be loaded by `<script type="module" src>` on pages with a cell. */
  readonly scriptUrl: string
  readonly workerUrl: string
  /** Addresses of the other clients, by the files that were asked for. */
  readonly clients: Readonly<Record<string, string>>
  /** `contiguous/mm/memblock` → address of the built module. */
  readonly modules: Readonly<Record<string, string>>
  /** Every file written, with its size, for budgets and precache lists. */
  readonly files: readonly { readonly url: string; readonly bytes: number; readonly gzip: number }[]
  /** When the told types are written too, which the pages name but do not wait for. */
  readonly written: Promise<void>
  /**
   * The static HTML of a cell, complete without JavaScript. `highlighted` is a `<pre>` whose text content is exactly
   * the cell's code; without it the code stands plain.
   */
  html(cell: Cell, highlighted?: string): string
}
