// SPDX-License-Identifier: MIT
//
// A board that QEMU plays, as a plain description: what to start, which words its console needs, where its device tree
// comes from and how it ends. boards.ts lists them; board_qemu.ts makes commands of them.
import type { GuestArch } from './kernels.ts'

/** Where a board's device tree comes from. */
export type TreeSource =
  /** QEMU makes it, and hands it out when asked (`dumpdtb`). */
  | { readonly from: 'qemu' }
  /**
   * The kernel's build made it. `changes` is a source, from the project's root, that includes it as `kernel.dts` and fits it
   * to what QEMU plays.
   */
  | { readonly from: 'kernel'; readonly file: string; readonly changes?: string }

export interface Board {
  readonly arch: GuestArch
  /** The program of QEMU. */
  readonly qemu: string
  readonly machine: string
  readonly cpus: readonly string[]
  readonly ram: string
  readonly smp: number
  /** The kernel's words for its console. */
  readonly console: string
  /** More of the kernel's words, for every boot. */
  readonly cmdline?: string
  /**
   * The words for the console of its first lines. Null: there is none that `memblock=debug` can be heard on, and the log
   * buffer is made large enough for all of it.
   */
  readonly earlycon: string | null
  /** QEMU's words that connect that console to standard output. */
  readonly serial: readonly string[]
  /** More of QEMU's words. */
  readonly more?: readonly string[]
  readonly tree: TreeSource
  /** How the guest makes QEMU end. */
  readonly end: 'poweroff -f' | 'reboot -f'
}
