// SPDX-License-Identifier: MIT
//
// Programs and files on a machine that is a picture: enough of memory management to move pages about, small enough to be
// drawn before and after.
//
//     picturedVm('C ........ C ........ U ########')     the picture as a Vm, with reclaim and without a process
//     startProgram(vm, 'editor', 4)                      writes 4 pages of its own: `editor 0` … `editor 3`
//     cacheFile(vm, 'film', 4, false)                    4 pages of a file in the page cache, clean or dirty
//     drawMemory(vm.pgdat)                               the picture as it is now

// #region pictured-vm-imports
import { createCpu } from '../arch/cpu.ts'
import { GEOMETRIES } from '../arch/pgtable.ts'
import { createRam } from '../arch/ram.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import { openFile } from '../mm/file.ts'
import type { PageCache } from '../mm/filemap.ts'
import { createFile, kernel_read, kernel_write } from '../mm/filemap_fault.ts'
import { migrateLongterm } from '../mm/migrate_longterm.ts'
import { createProcess } from '../mm/mm_struct.ts'
import { do_mmap } from '../mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../mm/mmap_flags.ts'
import { userRead, userWrite } from '../mm/uaccess.ts'
import { createVm, type File, type MmStruct, type Vm } from '../mm/vm.ts'
import { installReclaim } from '../mm/vmscan.ts'
import { pictured, type PictureOptions } from './picture.ts'
import { mappedPfn } from './scenario_user.ts'
// #endregion pictured-vm-imports

// #region pictured-vm
/** Memory management over a picture, see picture.ts; arm64 with pages of 4 KiB unless said otherwise. */
export function picturedVm(picture: string, options: PictureOptions = {}): Vm {
  const pgdat = pictured(picture, options)
  const { arch, log, trace } = pgdat
  const cpu = createCpu({ ram: createRam(), arch })
  const geometry = GEOMETRIES[arch === 'arm' ? 'arm' : 'arm64-4k-48']
  const vm = createVm({ pgdat, cpu, log, trace, geometry })
  installReclaim(vm)
  vm.hooks.migrateLongterm = migrateLongterm
  return vm
}
// #endregion pictured-vm

// #region pictured-vm-program
/** A process and its anonymous memory. */
export interface Program {
  readonly mm: MmStruct
  /** Address of its page 0. */
  readonly va: VirtAddr
}

/** A program that has written `pages` pages of its own; page 2 of `editor` holds the text `editor 2`. */
export function startProgram(vm: Vm, comm: string, pages: number): Program {
  const mm = createProcess(vm, comm)
  const { pageSize } = vm.pgdat
  const rights = { prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS }
  const va = do_mmap(vm, mm, { len: pages * pageSize, ...rights })
  for (let page = 0; page < pages; page++) {
    const signal = userWrite(vm, mm, va + page * pageSize, new TextEncoder().encode(`${comm} ${page}`))
    if (signal) throw new Error(`startProgram: page ${page} of ${pages}: ${signal}; is memory full?`)
  }
  return { mm, va }
}
// #endregion pictured-vm-program

// #region pictured-vm-look
/** The page frame behind page number `page` of a program, or null. */
export function programPfn(vm: Vm, { mm, va }: Program, page: number): Pfn | null {
  return mappedPfn(vm, mm, va + page * vm.pgdat.pageSize)
}

/** The text that a program reads from the start of its page number `page`; the name of a signal if it gets one. */
export function programReads(vm: Vm, { mm, va }: Program, page: number): string {
  const bytes = userRead(vm, mm, va + page * vm.pgdat.pageSize, 16)
  if (typeof bytes === 'string') return bytes
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))
}
// #endregion pictured-vm-look

// #region pictured-vm-file
/** A file of `pages` pages, all of them in the page cache: read and clean, or written and dirty. */
export function cacheFile(
  vm: Vm,
  name: string,
  pages: number,
  dirty: boolean,
): { file: File; cache: PageCache } {
  const inode = createFile(vm, name, pages)
  const cache = inode.i_mapping as PageCache
  const file = openFile(vm, inode)
  for (let page = 0; page < pages; page++) {
    const at = page * vm.pgdat.pageSize
    if (dirty) kernel_write(vm, file, new TextEncoder().encode(`${name} ${page}`), 16, at)
    else kernel_read(vm, file, new Uint8Array(1), 1, at)
  }
  return { file, cache }
}
// #endregion pictured-vm-file
