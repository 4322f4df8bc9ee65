// SPDX-License-Identifier: MIT
//
// What the page of an exercise, its scripts and its worker say to each other. Addresses are given from the site's top,
// without a slash before them.
import type { CheckContext } from '../../code/exercise/check.ts'
import type { Told } from '../../code/exercise/perform.ts'
import type { Question } from '../../code/exercise/question.ts'

/** A check of one answer. */
export interface CheckRequest {
  readonly kind: 'check'
  /** The reader's module with its imports as addresses; null when the answer is none. */
  readonly module: string | null
  /** Addresses that the module imports, loaded before the clock starts. */
  readonly models: readonly string[]
  /** Address of the bundled check.ts. */
  readonly check: string
  readonly context: Omit<CheckContext, 'module'>
}

/** A question asked with a reader's seed. */
export interface AskRequest {
  readonly kind: 'ask'
  /** Address of the bundled question.ts. */
  readonly question: string
  readonly seed: number
}

export type WorkerRequest = CheckRequest | AskRequest

export type WorkerTold = Told | { readonly state: 'asked'; readonly question: Question }

/** The file of an exercise's three hints. */
export interface HintsFile {
  readonly hints: readonly string[]
}

/** The file of our solution. */
export interface SolutionFile {
  readonly why: string
  readonly files: readonly { readonly name: string; readonly html: string }[]
}

/** What the page of all exercises needs to make and to read files of a reader. */
export interface CatalogFile {
  readonly courseVersion: string
  readonly exercises: readonly {
    readonly id: string
    readonly digest: string
    readonly files: readonly string[]
  }[]
}
