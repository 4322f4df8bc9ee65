// SPDX-License-Identifier: MIT
//
// The film of `calls-over-time`: what programs ask /dev/cma_mem for, what the driver answers, and what becomes of the
// pages, a frame for each call. The driver is the model of chapter 8's; a page's mappings are read off the page tables.
import { walk } from '../../code/arch/pgtable.ts'
import { pte_present } from '../../code/arch/pgtable_pte.ts'
import { KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { openCmaMem, probeCmaMem, removeCmaMem } from '../../code/machine/cma_mem.ts'
import { CMA_MEM, cmaMemStruct } from '../../code/machine/cma_mem_abi.ts'
import { cmaMemFile, type CmaMem } from '../../code/machine/cma_mem_buffer.ts'
import { cmaMemIoctl } from '../../code/machine/cma_mem_ioctl.ts'
import { createMisc } from '../../code/machine/misc.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { fput } from '../../code/mm/file.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm, exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import type { File, MmStruct } from '../../code/mm/vm.ts'
import { userWrite } from '../../code/mm/uaccess.ts'
import { boardTree } from './board.ts'
import type { Frame } from './frame.ts'

/** What may be called, in the order in which a scenario has it. */
export const CALLS = ['ALLOCATE', 'mmap', 'munmap', 'fork', 'FREE', 'exit', 'exit child', 'rmmod'] as const
export type Call = (typeof CALLS)[number]

export interface CallsScenario {
  readonly pages: number
  readonly calls: readonly Call[]
}

/** A call that was made: who, what it was answered, and what there was after it. */
export interface DrawnCall {
  readonly who: 'program' | 'child' | 'root'
  readonly call: string
  readonly answer: number
  /** As the driver counts them; null when it has no file any more. */
  readonly mappings: number | null
  readonly used: number
}

export interface CallsFrame extends Frame {
  readonly calls: readonly DrawnCall[]
  /** Of all calls of the film, so that the picture has one height. */
  readonly rows: number
  /** Page tables that map each page of the buffer; none: the buffer is not there. */
  readonly pages: readonly number[]
}

const KERNEL: KernelVersion = KERNEL_VERSIONS.at(-1)!
const PROT = PROT_READ | PROT_WRITE

class Film {
  readonly frames: CallsFrame[] = []
  private readonly scenario: CallsScenario
  private readonly system: System
  private readonly cm: CmaMem
  private readonly parent: MmStruct
  private readonly file: File
  private readonly pageSize: number
  private readonly arg: number
  private child: MmStruct | null = null
  private readonly living = new Set<MmStruct>()
  private open = true
  private at = 0
  private readonly calls: DrawnCall[] = []

  constructor(scenario: CallsScenario) {
    this.scenario = scenario
    this.system = startSystem({ tree: boardTree(512), kernel: KERNEL, arch: 'arm64', cmdline: 'cma=64M' })
    const { vm, dma } = this.system
    const cm = probeCmaMem(dma, createMisc(KERNEL))
    if (typeof cm === 'number')
      throw new Error(`calls-over-time: the driver's probe gave ${cm}, expected a device`)
    this.cm = cm
    this.parent = createProcess(vm, 'viewer')
    this.living.add(this.parent)
    this.pageSize = this.parent.pgd.geometry.pageSize
    this.arg = do_mmap(vm, this.parent, {
      len: this.pageSize,
      prot: PROT,
      flags: MAP_PRIVATE | MAP_ANONYMOUS,
    })
    this.file = openCmaMem(cm) as File
    this.show('start', 'program', 'open()', 0)
  }

  private show(word: string, who: DrawnCall['who'], call: string, answer: number): void {
    const mappings =
      this.open || this.mapped().some((count) => count > 0) ? (cmaMemFile(this.file)?.mappings ?? null) : null
    const used = this.cm.used / this.pageSize
    this.calls.push({ who, call, answer, mappings, used })
    const values = { call, answer, used, mappings: mappings ?? 0, pages: this.scenario.pages }
    const pages = used === 0 ? [] : this.mapped()
    this.frames.push({
      said: { word, values },
      calls: [...this.calls],
      rows: this.scenario.calls.length + 1,
      pages,
    })
  }

  private mapped(): number[] {
    return Array.from({ length: this.scenario.pages }, (_, page) =>
      [...this.living].reduce((sum, { pgd }) => {
        const found = this.at > 0 ? walk(pgd, this.at + page * this.pageSize) : null
        return sum + Number(found !== null && pte_present('arm64', found.pte))
      }, 0),
    )
  }

  private get length(): number {
    return this.scenario.pages * this.pageSize
  }

  make(call: Call): void {
    const { vm } = this.system
    switch (call) {
      case 'ALLOCATE': {
        userWrite(vm, this.parent, this.arg, cmaMemStruct('allocate', { size: this.length, flags: 1 }))
        const answer = cmaMemIoctl(this.cm, { mm: this.parent }, this.file, CMA_MEM.ALLOCATE, this.arg)
        return this.show(answer === 0 ? 'allocated' : 'refused', 'program', 'ioctl(ALLOCATE)', answer)
      }
      case 'FREE': {
        const answer = cmaMemIoctl(this.cm, { mm: this.parent }, this.file, CMA_MEM.FREE)
        return this.show(answer === 0 ? 'freed' : 'busy', 'program', 'ioctl(FREE)', answer)
      }
      case 'mmap': {
        const at = do_mmap(vm, this.parent, {
          len: this.length,
          prot: PROT,
          flags: MAP_SHARED,
          file: this.file,
        })
        this.at = Math.max(0, at)
        return this.show(at > 0 ? 'mapped' : 'refused', 'program', 'mmap()', Math.min(0, at))
      }
      case 'munmap': {
        const middle = this.at + Math.floor(this.scenario.pages / 2) * this.pageSize
        return this.show('cut', 'program', 'munmap()', do_munmap(vm, this.parent, middle, this.pageSize))
      }
      case 'fork': {
        const child = dup_mm(vm, this.parent)
        if (typeof child === 'number')
          throw new Error(`calls-over-time: fork gave ${child}, expected a process`)
        this.child = child
        this.living.add(child)
        return this.show('forked', 'program', 'fork()', 0)
      }
      case 'exit':
        return this.exit(this.parent, 'program')
      case 'exit child':
        if (!this.child) throw new Error("calls-over-time: 'exit child', expected a fork before it")
        return this.exit(this.child, 'child')
      case 'rmmod': {
        const answer = removeCmaMem(this.cm)
        return this.show(answer === 0 ? 'removed' : 'inUse', 'root', 'rmmod', answer)
      }
    }
  }

  private exit(mm: MmStruct, who: 'program' | 'child'): void {
    const { vm } = this.system
    exit_mmap(vm, mm)
    this.living.delete(mm)
    if (who === 'program' && this.open) {
      this.open = false
      fput(vm, this.file)
    }
    this.show(this.cm.used > 0 ? 'ended' : 'endedAll', who, 'exit()', 0)
  }
}

/** Throws what the models throw, and for calls in an order that makes no sense. */
export function callsFrames(scenario: CallsScenario): CallsFrame[] {
  const film = new Film(scenario)
  for (const call of scenario.calls) film.make(call)
  return film.frames
}
