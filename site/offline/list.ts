// SPDX-License-Identifier: MIT
//
// The list of what an edition of the course is made of, as the build writes it and the worker reads it: `files` of
// assets/edition-<hash>.json, a row a file.

/** `first` is kept before the worker answers for anything; `later` in the background, once the page is idle. */
export type Stage = 'first' | 'later'

export interface ListedFile {
  /** From the top of the site, without a slash before it; a page by its folder: `02-carving-memory-out/`. */
  readonly address: string
  /** SHA-256 of the content, as a request's `integrity` has it, without `sha256-` before it. */
  readonly hash: string
  /** Bytes, not compressed. */
  readonly size: number
  readonly stage: Stage
}

export interface EditionList {
  readonly files: readonly ListedFile[]
}

/** What the worker says of itself, on every question and while it fetches. */
export interface KeptState {
  readonly kind: 'state'
  /** Bytes of the edition that are here, and of all of it. */
  readonly kept: number
  readonly all: number
  /** All that is needed to read is here; sources may still be missing. */
  readonly readable: boolean
  /** The last attempt ended before everything was here. */
  readonly failed: boolean
}

/** What a page may ask of the worker. */
export interface Asked {
  readonly kind: 'state' | 'fill' | 'take-over'
}
