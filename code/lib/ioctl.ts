// SPDX-License-Identifier: MIT
//
// The numbers of ioctl commands: what a command does with its argument is written into its number.
//
//     31 30   29 … 16              15 … 8   7 … 0
//     dir     size of the argument  type     nr        dir: 0 nothing, 1 the program writes, 2 it reads, 3 both
//
// It is a convention between a driver and its programs. The kernel compares the whole number, and never `size` with what
// the driver copies: the driver of 2014 whose commands say 4 bytes copied 28.
//
// Leaves out: alpha, mips, parisc, powerpc and sparc, which divide the bits otherwise.

// #region ioctl-bits
/** @kernel include/uapi/asm-generic/ioctl.h v6.12 */
export const _IOC_NONE = 0
export const _IOC_WRITE = 1
export const _IOC_READ = 2

const NR = 2 ** 8
const TYPE = 2 ** 8
const SIZE = 2 ** 14

/** What is in a command's number. */
export interface IoctlParts {
  /** _IOC_NONE, or _IOC_WRITE and _IOC_READ or-ed. */
  readonly dir: number
  /** Bytes of the argument, below 16384. */
  readonly size: number
  /** Whose command it is, below 256: often a letter's code. */
  readonly type: number
  /** Which one, below 256. */
  readonly nr: number
}
// #endregion ioctl-bits

// #region ioctl-encode
function inRange(name: string, value: number, end: number): number {
  if (Number.isInteger(value) && value >= 0 && value < end) return value
  throw new Error(`_IOC: ${name} is ${value}, expected 0 to ${end - 1}; it would run into the next field`)
}

/**
 * A command's number. `type` may be a character, as C has it. Throws for a part that does not fit; the compiler is
 * silent, and another command comes out.
 * @kernel include/uapi/asm-generic/ioctl.h _IOC() v6.12
 */
export function _IOC(dir: number, type: number | string, nr: number, size: number): number {
  const letter = typeof type === 'string' ? type.charCodeAt(0) : type
  const high = inRange('dir', dir, 4) * SIZE + inRange('size', size, SIZE)
  return (high * TYPE + inRange('type', letter, TYPE)) * NR + inRange('nr', nr, NR)
}

/** Without argument. @kernel include/uapi/asm-generic/ioctl.h _IO() v6.12 */
export const _IO = (type: number | string, nr: number) => _IOC(_IOC_NONE, type, nr, 0)
/** The program reads `size` bytes. @kernel include/uapi/asm-generic/ioctl.h _IOR() v6.12 */
export const _IOR = (type: number | string, nr: number, size: number) => _IOC(_IOC_READ, type, nr, size)
/** The program writes `size` bytes. @kernel include/uapi/asm-generic/ioctl.h _IOW() v6.12 */
export const _IOW = (type: number | string, nr: number, size: number) => _IOC(_IOC_WRITE, type, nr, size)
/** Both. @kernel include/uapi/asm-generic/ioctl.h _IOWR() v6.12 */
export const _IOWR = (type: number | string, nr: number, size: number) =>
  _IOC(_IOC_READ | _IOC_WRITE, type, nr, size)
// #endregion ioctl-encode

// #region ioctl-decode
/** The parts of a command's number. Throws for what is not 32 bits. */
export function decodeIoctl(cmd: number): IoctlParts {
  inRange('a command', cmd, 2 ** 32)
  const high = Math.floor(cmd / (TYPE * NR))
  return {
    dir: Math.floor(high / SIZE),
    size: high % SIZE,
    type: Math.floor(cmd / NR) % TYPE,
    nr: cmd % NR,
  }
}
// #endregion ioctl-decode
