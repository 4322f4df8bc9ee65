// SPDX-License-Identifier: MIT
//
// drivers/char/misc.c: one major number (10) for all small drivers, a minor for each.
//
//     misc_register()      a minor: its own, or with MISC_DYNAMIC_MINOR whichever is free
//     misc_open()          finds the driver by minor, puts a pointer to its miscdevice into file.private_data, and
//                          counts its module: it cannot be unloaded while the file is open
//     misc_deregister()    the node goes; files that are open stay
//
//     dynamic minors     3.x, 4.x   63, 62, … 0       the highest free one
//                        6.1        127, 126, … 0     the same, of twice as many
//                        6.12       256, 257, …       the lowest free one
//
// Leaves out: the device nodes in /dev and their rights, request_module(), locks.

// #region misc-imports
import { EAGAIN, EBUSY, EEXIST, ENODEV } from '../lib/errno.ts'
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { createDeviceNode, FMODE_READ, FMODE_WRITE, fput, openFile } from '../mm/file.ts'
import type { File, FileOperations, Vm } from '../mm/vm.ts'
// #endregion misc-imports

// #region misc-types
/** @kernel include/linux/miscdevice.h v6.12 */
export const MISC_DYNAMIC_MINOR = 255

/** A module by what keeps it loaded. */
export interface KernelModule {
  readonly name: string
  /** Open files of its drivers. */
  refs: number
}

/** What a driver does with a file; `open` returns 0 or a negative errno. */
export interface MiscFops extends FileOperations {
  /** Whom an open file holds; a driver that forgets it can be unloaded under its users. */
  readonly owner: KernelModule | null
  open?(vm: Vm, file: File): number
}
// #endregion misc-types

// #region misc-state
/** @kernel include/linux/miscdevice.h struct miscdevice v6.12 */
export interface MiscDevice {
  /** Wished for, and after misc_register() the one it has. */
  minor: number
  readonly name: string
  readonly fops: MiscFops
}

/** The state of the file. */
export interface Misc {
  readonly kernel: KernelVersion
  /** Newest first. */
  readonly misc_list: MiscDevice[]
  /** Until 6.1: dynamic minors that are taken. 6.12: all that are. */
  readonly misc_minors: Set<number>
}

/** Without any device. */
export function createMisc(kernel: KernelVersion): Misc {
  return { kernel, misc_list: [], misc_minors: new Set() }
}
// #endregion misc-state

// #region misc-minor
const counted = ({ kernel }: Misc) => kernelAtLeast(kernel, '6.12.117')
const dynamicMinors = ({ kernel }: Misc) => (kernelAtLeast(kernel, '6.1.192') ? 128 : 64)
const MINORS = 2 ** 20

// A free dynamic minor, or -EBUSY: all are taken.
function misc_minor_alloc(misc: Misc): number {
  if (counted(misc)) {
    for (let minor = MISC_DYNAMIC_MINOR + 1; minor < MINORS; minor++) {
      if (!misc.misc_minors.has(minor)) return minor
    }
    return -EBUSY
  }
  for (let minor = dynamicMinors(misc) - 1; minor >= 0; minor--) {
    if (!misc.misc_minors.has(minor)) return minor
  }
  return -EBUSY
}
// #endregion misc-minor

// #region misc-register
/**
 * Makes a device known. 0, or -EBUSY (the minor is another's; no dynamic one is free), -EEXIST (the name is another's, or,
 * until 6.1, a dynamic minor that a driver has for its own).
 * @kernel drivers/char/misc.c misc_register() v6.12
 */
export function misc_register(misc: Misc, dev: MiscDevice): number {
  const dynamic = dev.minor === MISC_DYNAMIC_MINOR
  if (!dynamic && misc.misc_list.some(({ minor }) => minor === dev.minor)) return -EBUSY
  const minor = dynamic ? misc_minor_alloc(misc) : dev.minor
  if (minor < 0) return minor
  // device_create(): /sys can have neither a name nor a number twice.
  if (misc.misc_list.some((other) => other.name === dev.name || other.minor === minor)) return -EEXIST
  if (dynamic || counted(misc)) misc.misc_minors.add(minor)
  dev.minor = minor
  misc.misc_list.unshift(dev)
  return 0
}
// #endregion misc-register

// #region misc-deregister
/**
 * Takes a device away; open files of it go on. Its minor is free again. Only 6.12 makes a dynamic one dynamic again, so
 * that it can be registered anew as it is; before, it would ask for the number that it had. Throws when it is not there.
 * @kernel drivers/char/misc.c misc_deregister() v6.12
 */
export function misc_deregister(misc: Misc, dev: MiscDevice): void {
  const at = misc.misc_list.indexOf(dev)
  if (at < 0) {
    throw new Error(`misc_deregister: ${dev.name} is not registered; was it deregistered twice?`)
  }
  misc.misc_list.splice(at, 1)
  misc.misc_minors.delete(dev.minor)
  if (counted(misc) && dev.minor > MISC_DYNAMIC_MINOR) dev.minor = MISC_DYNAMIC_MINOR
}
// #endregion misc-deregister

// #region misc-fops-get
// The driver's operations for one file: they hold its module until the file goes.
function fops_get(fops: MiscFops, held: { readonly opened: boolean }): FileOperations {
  if (fops.owner) fops.owner.refs++
  return {
    ...fops,
    release: (vm, file) => {
      if (held.opened) fops.release?.(vm, file)
      if (fops.owner) fops.owner.refs--
    },
  }
}
// #endregion misc-fops-get

// #region misc-open
/**
 * open(2) of the node with this minor: the file, or -ENODEV (no such device), or what the driver's open says; then nobody
 * is told of a release. Close it with fput().
 * @kernel drivers/char/misc.c misc_open() v6.12
 */
export function misc_open(
  misc: Misc,
  vm: Vm,
  minor: number,
  f_mode = FMODE_READ | FMODE_WRITE,
): File | number {
  const c = misc.misc_list.find((each) => each.minor === minor)
  if (!c) return -ENODEV
  const { fops } = c
  const held = { opened: false }
  const file = openFile(vm, createDeviceNode(c.name, fops_get(fops, held)), f_mode)
  // Until 4.12 a driver without open gets none.
  if (fops.open || kernelAtLeast(misc.kernel, '6.1.192')) file.private_data = c
  const err = fops.open?.(vm, file) ?? 0
  held.opened = err === 0
  if (held.opened) return file
  fput(vm, file)
  return err
}
// #endregion misc-open

// #region misc-unload
/** Whether a module could be unloaded: 0, or -EAGAIN while a file of it is open. @kernel kernel/module/main.c delete_module v6.12 */
export function mayUnload(module: KernelModule): number {
  return module.refs > 0 ? -EAGAIN : 0
}

/** /proc/misc: the newest device first. */
export function procMisc({ misc_list }: Misc): string {
  return misc_list.map(({ minor, name }) => `${String(minor).padStart(3)} ${name}\n`).join('')
}
// #endregion misc-unload
