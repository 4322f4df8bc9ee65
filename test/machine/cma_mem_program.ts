// SPDX-License-Identifier: MIT
//
// A program of the model that uses /dev/cma_mem: a page of memory for the commands' structures, and descriptors.
import { decodeStruct, type CFields } from '../../code/lib/c_layout.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import type { VirtAddr } from '../../code/lib/units.ts'
import { openCmaMem, probeCmaMem, type CmaMemOptions } from '../../code/machine/cma_mem.ts'
import { CMA_MEM, CMA_MEM_LAYOUTS, cmaMemStruct, type CmaMemStruct } from '../../code/machine/cma_mem_abi.ts'
import type { CmaMem } from '../../code/machine/cma_mem_buffer.ts'
import { cmaMemIoctl, type Caller } from '../../code/machine/cma_mem_ioctl.ts'
import { createMisc } from '../../code/machine/misc.ts'
import type { System } from '../../code/machine/system.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { File, MmStruct } from '../../code/mm/vm.ts'
import { PAGE, start, type Wish } from '../dma/dma_system.ts'
import { mapMemory } from '../support/processes.ts'

/** A machine with the module loaded, and a program on it. */
export function cmaMem(kernel: KernelVersion = '6.12.117', options: CmaMemOptions = {}, wish: Wish = {}) {
  const system = start({ kernel, cmdline: 'cma=16M', ...wish })
  const cm = probeCmaMem(system.dma, createMisc(kernel), options)
  if (typeof cm === 'number') throw new Error(`probeCmaMem: ${cm}`)
  return { system, cm, program: new Program(system, cm) }
}

export class Program {
  readonly files = new Map<number, File>()
  readonly system: System
  readonly cm: CmaMem
  readonly mm: MmStruct
  /** Where structures are put; the page behind it is not mapped. */
  readonly scratch: VirtAddr

  constructor(system: System, cm: CmaMem, mm = createProcess(system.vm, 'program')) {
    this.system = system
    this.cm = cm
    this.mm = mm
    this.scratch = mapMemory(system.vm, mm, PAGE)
  }

  /** A descriptor. */
  open(f_mode?: number): number {
    const file = openCmaMem(this.cm, f_mode)
    if (typeof file === 'number') throw new Error(`openCmaMem: ${file}`)
    const fd = 3 + this.files.size
    this.files.set(fd, file)
    return fd
  }

  file(fd: number): File {
    return this.files.get(fd)!
  }

  /** The errno of a command without argument, or with one at `arg`. */
  ioctl(fd: number, cmd: number, arg: VirtAddr = 0, more: Partial<Caller> = {}): number {
    return cmaMemIoctl(this.cm, { mm: this.mm, files: this.files, ...more }, this.file(fd), cmd, arg)
  }

  /** The errno of a command with this structure, and what the structure holds then. */
  call<Name extends CmaMemStruct>(
    fd: number,
    command: keyof typeof CMA_MEM,
    name: Name,
    values: Parameters<typeof cmaMemStruct<Name>>[1] = {},
    more: Partial<Caller> = {},
  ): { errno: number; got: Record<string, number> } {
    const { vm } = this.system
    userWrite(vm, this.mm, this.scratch, cmaMemStruct(name, values))
    const errno = this.ioctl(fd, CMA_MEM[command], this.scratch, more)
    const bytes = userRead(vm, this.mm, this.scratch, CMA_MEM_LAYOUTS[name].size)
    if (typeof bytes === 'string') throw new Error(bytes)
    return { errno, got: decodeStruct<CFields>(CMA_MEM_LAYOUTS[name], bytes) }
  }

  allocate(fd: number, size: number | bigint, flags = 1): number {
    return this.call(fd, 'ALLOCATE', 'allocate', { size, flags }).errno
  }

  /** A descriptor with a buffer. */
  buffer(pages: number, flags = 1): number {
    const fd = this.open()
    const errno = this.allocate(fd, pages * PAGE, flags)
    if (errno !== 0) throw new Error(`ALLOCATE: ${errno}`)
    return fd
  }

  mmap(fd: number, pages: number, pgoff = 0, flags: number = MAP_SHARED): VirtAddr | number {
    const request = { len: pages * PAGE, prot: PROT_READ | PROT_WRITE, flags, file: this.file(fd), pgoff }
    return do_mmap(this.system.vm, this.mm, request)
  }

  how(fd: number, how: number): number {
    return this.call(fd, 'MAP', 'map', { how }).errno
  }
}
