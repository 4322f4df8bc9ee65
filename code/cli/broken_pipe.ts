// SPDX-License-Identifier: MIT
//
// `contig list | head -1`: whoever reads us may stop before we are done. That is no failure of ours and needs no stack.

/** Leaves quietly, as if a signal had (128 + SIGPIPE), when the reader of `stream` is gone. */
export function leaveWithReader(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(141)
  })
}
