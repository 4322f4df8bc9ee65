// SPDX-License-Identifier: MIT
//
// Reads a file while another process writes it, twenty times a second: the writer is never woken, nor are we for a byte.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const EVERY_MS = 50
const PIECE_BYTES = 64 * 1024

export interface Following {
  /** Reads what has come since the last look. */
  readRest(): void
  close(): void
}

/** Hands every new piece of the file to `onData`, in order. The file must be there. */
export function followFile(file: string, onData: (piece: Buffer) => void): Following {
  const fd = openSync(file, 'r')
  const room = Buffer.alloc(PIECE_BYTES)
  let seen = 0
  const readRest = (): void => {
    // No further than the file is now: a writer that never pauses must not keep us here.
    for (let left = fstatSync(fd).size - seen; left > 0;) {
      const bytes = readSync(fd, room)
      if (bytes === 0) return
      seen += bytes
      left -= bytes
      onData(Buffer.from(room.subarray(0, bytes)))
    }
  }
  const timer = setInterval(readRest, EVERY_MS)
  return {
    readRest,
    close: () => {
      clearInterval(timer)
      closeSync(fd)
    },
  }
}
