// SPDX-License-Identifier: MIT
//
// A module's version magic: the kernel that it was built for, and the options that change a module's layout. The kernel
// compares it at every load, and, where symbols carry checksums, passes over the release in front; here it counts always.
import type { BoardFacts } from './ssh_facts.ts'

/** The value of `vermagic=` in a module's .modinfo, where each entry ends with a NUL. Null: there is none. */
export function vermagicOf(module: Uint8Array): string | null {
  const bytes = Buffer.from(module.buffer, module.byteOffset, module.byteLength)
  for (let at = bytes.indexOf('vermagic='); at >= 0; at = bytes.indexOf('vermagic=', at + 1)) {
    if (at > 0 && bytes[at - 1] !== 0) continue
    const end = bytes.indexOf(0, at)
    return bytes.subarray(at + 'vermagic='.length, end < 0 ? undefined : end).toString('latin1')
  }
  return null
}

/** Why a module with this magic is not one for the board's kernel; null when nothing speaks against it. */
export function vermagicTrouble(
  magic: string | null,
  board: Pick<BoardFacts, 'release' | 'version' | 'machine'>,
): string | null {
  if (magic === null) return 'it carries no version magic, so it is no kernel module'
  const [release = '', ...flags] = magic.trim().split(' ')
  if (release !== board.release) return `it is for Linux ${release}, and the board runs ${board.release}`
  const smp = flags.includes('SMP')
  if (smp !== / SMP\b/.test(` ${board.version}`))
    return `it is for a kernel ${smp ? 'of several processors' : 'of one processor'}, and the board’s is “${board.version}”`
  const arm64 = flags.includes('aarch64')
  if (arm64 !== (board.machine === 'aarch64'))
    return `it is for ${flags.at(-1) ?? 'nothing'}, and the board’s machine is ${board.machine}`
  return null
}
