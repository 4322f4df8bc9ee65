// SPDX-License-Identifier: MIT
//
// Who has the buffer of an open file mapped?

export const ENOENT = 2
export const EBUSY = 16

export interface OpenFile {
  /** Mappings that were made through this file and exist. */
  mappings: number
  /** Whether the file holds a buffer. */
  buffer: boolean
}

/** mmap(2): the first mapping. */
export function mmap(file: OpenFile, map: () => number): number {
  const err = map()
  if (err === 0) file.mappings++
  return err
}

/** One mapping more, made from another. */
export function vmOpen(file: OpenFile): void {
  file.mappings++
}

/** One mapping less. */
export function vmClose(file: OpenFile): void {
  file.mappings--
}

/** The command FREE. */
export function free(file: OpenFile): number {
  if (!file.buffer) return -ENOENT
  if (file.mappings > 0) return -EBUSY
  file.buffer = false
  return 0
}
