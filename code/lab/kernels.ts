// SPDX-License-Identifier: MIT
//
// The kernels that a lab can name: two of Debian's as they come, and two of our own making, built from Debian's sources
// of 6.12: `lab` boots in about a second and shows CMA in debugfs and sysfs, `debug` looks for mistakes (KASAN, lockdep,
// kmemleak, DMA-API). Whatever a kernel came from, a lab knows it as a LabKernel.
import type { Step } from './command.ts'

export const SERIES_NAMES = ['6.1', '6.12'] as const
/** A series of Linux releases, as far as labs tell them apart. */
export type Series = (typeof SERIES_NAMES)[number]

export const KERNEL_NAMES = [...SERIES_NAMES, 'lab', 'debug'] as const
/** A kernel as a lab file and the command line name it. */
export type KernelName = (typeof KERNEL_NAMES)[number]

export type GuestArch = 'arm64' | 'arm'

/** What decides which expectations hold: `kernels: ['6.12']` means every kernel of the series, `[lab]` that one. */
export interface KernelTag {
  readonly name: KernelName
  readonly series: Series
}

/** What a lab needs of a kernel. In a cold dry run its places may hold shell variables. */
export interface LabKernel extends KernelTag {
  readonly arch: GuestArch
  /** The release it was made from, `6.12.117`. */
  readonly version: string
  /** Where it came from, for a person: `Debian 6.12.117-1~deb12u1`. */
  readonly origin: string
  /** Names its content. */
  readonly key: string
  readonly image: string
  /** The tree that modules are built in. */
  readonly headers: string
  /** The folder of the device trees that its build made for boards. */
  readonly dtbs: string
  /** Fetches or builds it; skipped when it stands. */
  readonly fetch: readonly Step[]
}

/** The series of a kernel by its name. */
export const seriesOf = (name: KernelName): Series => (name === '6.1' ? '6.1' : '6.12')

/**
 * Whether an expectation's `kernels` speak of this kernel; unsaid, they speak of every one. A series means our own kernels of
 * it too, unless one of those is named: then those that are named.
 */
export const speaksOf = (kernels: readonly KernelName[] | undefined, { name, series }: KernelTag): boolean =>
  kernels === undefined ||
  kernels.includes(name) ||
  (kernels.includes(series) && !kernels.some((each) => each === 'lab' || each === 'debug'))

/** The prefix of the cross compiler's programs. */
export const CROSS: Readonly<Record<GuestArch, string>> = {
  arm64: 'aarch64-linux-gnu-',
  arm: 'arm-linux-gnueabihf-',
}
