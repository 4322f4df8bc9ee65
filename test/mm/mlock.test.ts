// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EAGAIN, ENOMEM } from '../../code/lib/errno.ts'
import { KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import { createDeviceNode, openFile } from '../../code/mm/file.ts'
import { createFile } from '../../code/mm/filemap_fault.ts'
import { do_madvise, MADV_DONTNEED } from '../../code/mm/madvise.ts'
import { remap_pfn_range } from '../../code/mm/memory_remap.ts'
import { mlock, munlock } from '../../code/mm/mlock.ts'
import { createProcess, find_vma } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { dup_mm } from '../../code/mm/mmap_unmap.ts'
import { pagemap } from '../../code/mm/smaps.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { MmStruct, Vm, VmArea } from '../../code/mm/vm.ts'
import { PAGE, smallMachine } from '../support/mm_machine.ts'
import { mapMemory, withoutMemory } from '../support/processes.ts'

const RW = flag.PROT_READ | flag.PROT_WRITE
const at = 0x1000_0000

function process(kernel: (typeof KERNEL_VERSIONS)[number] = '6.12.117') {
  const { vm } = smallMachine({ kernel })
  return { vm, mm: createProcess(vm, 'prog') }
}

// Which pages from `at` on a locked VMA has, as `L` or `.`, `-` where nothing is mapped; and how many VMAs there are.
function locked(mm: MmStruct, pages: number): [string, number] {
  const letters = Array.from({ length: pages }, (_, page) => {
    const vma = find_vma(mm, at + page * PAGE)
    if (!vma || vma.vm_start > at + page * PAGE) return '-'
    return vma.vm_flags & flag.VM_LOCKED ? 'L' : '.'
  })
  return [letters.join(''), mm.mmap.length]
}

/** Three pages of a device, remapped; `events` says what its driver was told. */
function device(vm: Vm, mm: MmStruct, events: string[], flags = flag.MAP_SHARED): VmArea {
  const node = createDeviceNode('/dev/cma_mem', {
    mmap: (vm, _file, vma) => {
      vma.vm_ops = { open: () => void events.push('open'), close: () => void events.push('close') }
      return remap_pfn_range(vm, vma, vma.vm_start, 0x40000, vma.vm_end - vma.vm_start, vma.vm_page_prot)
    },
  })
  const va = do_mmap(vm, mm, { len: 3 * PAGE, prot: RW, flags, file: openFile(vm, node) })
  return find_vma(mm, va)!
}

describe('mlock', () => {
  test('mlock() locks the pages that the bytes touch, cuts VMAs there, and brings those pages alone', () => {
    const { vm, mm } = process()
    mapMemory(vm, mm, 5 * PAGE, { addr: at })
    expect(mlock(vm, mm, at + PAGE + 5, PAGE)).toBe(0)
    expect(locked(mm, 5)).toEqual(['.LL..', 3])
    expect(pagemap(vm, mm).map(({ va }) => (va - at) / PAGE)).toEqual([1, 2])
    expect(munlock(vm, mm, at + 2 * PAGE, 2 * PAGE)).toBe(0)
    expect(locked(mm, 5)).toEqual(['.L...', 4])
  })

  test('mlock() stops at a hole: what lies before is locked, but no page is brought; behind, nothing is cut', () => {
    const { vm, mm } = process()
    mapMemory(vm, mm, 2 * PAGE, { addr: at })
    mapMemory(vm, mm, 2 * PAGE, { addr: at + 3 * PAGE })
    expect(mlock(vm, mm, at + PAGE, 3 * PAGE)).toBe(-ENOMEM)
    expect(locked(mm, 5)).toEqual(['.L-..', 3])
    expect(pagemap(vm, mm)).toEqual([])
    // It begins with a hole, or ends with one.
    expect(mlock(vm, mm, at + 2 * PAGE, 2 * PAGE)).toBe(-ENOMEM)
    expect(mlock(vm, mm, at + 4 * PAGE, 2 * PAGE)).toBe(-ENOMEM)
    expect(locked(mm, 5)).toEqual(['.L-.L', 4])
  })

  test('mlock() is -ENOMEM where no page can be had, -EAGAIN without memory, and the VMA is locked all the same', () => {
    const { vm, mm } = process()
    mapMemory(vm, mm, PAGE, { addr: at, prot: flag.PROT_NONE })
    expect(mlock(vm, mm, at, PAGE)).toBe(-ENOMEM)
    const file = openFile(vm, createFile(vm, 'data', 1))
    const beyond = do_mmap(vm, mm, { len: 2 * PAGE, prot: RW, flags: flag.MAP_SHARED, file })
    expect(mlock(vm, mm, beyond, 2 * PAGE)).toBe(-ENOMEM)
    expect(pagemap(vm, mm).map(({ va }) => va)).toEqual([beyond])
    // No page table for it.
    const far = mapMemory(vm, mm, PAGE, { addr: 0x70_0000_0000 })
    expect(withoutMemory(vm, () => mlock(vm, mm, far, PAGE))).toBe(-EAGAIN)
    for (const va of [at, beyond, far]) expect(find_vma(mm, va)!.vm_flags & flag.VM_LOCKED).not.toBe(0)
  })

  test.each(KERNEL_VERSIONS)(
    'mlock() leaves a remapped VMA alone, and does not even cut it, %s',
    (kernel) => {
      const { vm, mm } = process(kernel)
      const events: string[] = []
      const vma = device(vm, mm, events)
      expect(mlock(vm, mm, vma.vm_start + PAGE, PAGE)).toBe(0)
      expect([mm.mmap.length, events, vma.vm_flags & flag.VM_LOCKED]).toEqual([1, [], 0])
      const asked = device(vm, mm, events, flag.MAP_SHARED | flag.MAP_LOCKED)
      expect(asked.vm_flags & flag.VM_LOCKED).toBe(0)
    },
  )

  test('dup_mm() gives the child no locked VMA', () => {
    const { vm, mm } = process()
    mapMemory(vm, mm, PAGE, { addr: at, flags: flag.MAP_PRIVATE | flag.MAP_ANONYMOUS | flag.MAP_LOCKED })
    expect(locked(mm, 1)).toEqual(['L', 1])
    expect(locked(dup_mm(vm, mm) as MmStruct, 1)).toEqual(['.', 1])
  })
})

describe('do_madvise', () => {
  test('do_madvise() does what is mapped, and says -ENOMEM for a hole before, between and behind', () => {
    for (const [first, pages] of [
      [0, 2],
      [1, 3],
      [3, 2],
    ] as const) {
      const { vm, mm } = process()
      for (const page of [1, 3]) {
        mapMemory(vm, mm, PAGE, { addr: at + page * PAGE })
        userWrite(vm, mm, at + page * PAGE, Uint8Array.of(page))
      }
      expect(do_madvise(vm, mm, at + first * PAGE, pages * PAGE, MADV_DONTNEED)).toBe(-ENOMEM)
      for (const page of [1, 3]) {
        const gone = page >= first && page < first + pages
        expect(userRead(vm, mm, at + page * PAGE, 1)).toEqual(Uint8Array.of(gone ? 0 : page))
      }
    }
  })
})
