// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EBUSY, EFAULT, EINVAL, ENXIO } from '../../code/lib/errno.ts'
import { KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { createDeviceNode, openFile } from '../../code/mm/file.ts'
import { invalidate_mapping_pages, vfs_fsync } from '../../code/mm/filemap.ts'
import { createFile, kernel_read, kernel_write } from '../../code/mm/filemap_fault.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { do_madvise, MADV_DONTNEED } from '../../code/mm/madvise.ts'
import { vm_insert_page, vm_map_pages, vmf_insert_pfn } from '../../code/mm/memory_insert.ts'
import { mlock, munlock } from '../../code/mm/mlock.ts'
import { createProcess, find_vma } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm } from '../../code/mm/mmap_unmap.ts'
import { PG_dirty } from '../../code/mm/mmzone.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import { page_mapcount } from '../../code/mm/rmap.ts'
import { pagemap } from '../../code/mm/smaps.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import { VM_FAULT_SIGBUS } from '../../code/mm/vm_fault.ts'
import type { File, MmStruct, Vm, VmArea, VmOperations } from '../../code/mm/vm.ts'
import { PAGE, smallMachine } from '../support/mm_machine.ts'
import { freePagesOf, mapMemory, withoutMemory } from '../support/processes.ts'

const RW = flag.PROT_READ | flag.PROT_WRITE
const byte = (value: number): Uint8Array => Uint8Array.of(value)

function process(kernel: KernelVersion = '6.12.117') {
  const { vm } = smallMachine({ kernel })
  return { vm, mm: createProcess(vm, 'prog') }
}

const mapFile = (vm: Vm, mm: MmStruct, file: File, flags: number, pages = 2, prot = RW) =>
  do_mmap(vm, mm, { len: pages * PAGE, prot, flags, file })

const pfns = (vm: Vm, mm: MmStruct) => pagemap(vm, mm).map(({ pfn }) => pfn!)

describe('anonymous memory', () => {
  test('handle_mm_fault() brings a page of zeros at the first access, and not before', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, 4 * PAGE)
    expect(pfns(vm, mm)).toEqual([])
    // What was in the page before must not be seen.
    const stale = __alloc_pages(vm.pgdat, GFP_KERNEL, 0)!
    expect(userRead(vm, mm, at + 100, 3)).toEqual(new Uint8Array(3))
    expect(userWrite(vm, mm, at + PAGE - 1, Uint8Array.of(1, 2))).toBeNull()
    expect(pfns(vm, mm)).toHaveLength(2)
    expect(pfns(vm, mm)).not.toContain(stale)
    expect(userRead(vm, mm, at + PAGE - 1, 2)).toEqual(Uint8Array.of(1, 2))
  })

  test('do_page_fault() ends a program that goes where nothing is, where it may not write, and without memory', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE, { prot: flag.PROT_READ, addr: 0x1000_0000 })
    expect(userRead(vm, mm, 0, 1)).toBe('SIGSEGV')
    expect(userRead(vm, mm, at + PAGE, 1)).toBe('SIGSEGV')
    expect(userRead(vm, mm, mm.task_size, 1)).toBe('SIGSEGV')
    expect(userWrite(vm, mm, at, byte(1))).toBe('SIGSEGV')
    const none = mapMemory(vm, mm, PAGE, { prot: flag.PROT_NONE })
    expect(userRead(vm, mm, none, 1)).toBe('SIGSEGV')
    // No page table, so not even with the pages of the CMA area.
    const far = mapMemory(vm, mm, PAGE, { addr: 0x70_0000_0000 })
    expect(withoutMemory(vm, () => userWrite(vm, mm, far, byte(1)))).toBe('SIGKILL')
  })

  test('do_wp_page() copies a page after fork; whoever is left alone keeps the old one', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const { vm, mm } = process(kernel)
      const at = mapMemory(vm, mm, PAGE)
      userWrite(vm, mm, at, byte(1))
      const [pfn] = pfns(vm, mm)
      const child = dup_mm(vm, mm) as MmStruct
      expect([pfns(vm, child), page_mapcount(vm, pfn!)]).toEqual([[pfn], 2])
      expect(userWrite(vm, mm, at, byte(2))).toBeNull()
      expect(pfns(vm, mm)).not.toContain(pfn)
      expect(userWrite(vm, child, at, byte(3))).toBeNull()
      expect([pfns(vm, child), page_mapcount(vm, pfn!)]).toEqual([[pfn], 1])
      expect([userRead(vm, mm, at, 1), userRead(vm, child, at, 1)]).toEqual([byte(2), byte(3)])
    }
  })

  test('do_madvise() of MADV_DONTNEED makes anonymous memory zeros and a file’s come again', () => {
    const { vm, mm } = process()
    const free = freePagesOf(vm)
    const at = mapMemory(vm, mm, 2 * PAGE)
    userWrite(vm, mm, at, byte(1))
    userWrite(vm, mm, at + PAGE, byte(2))
    const used = free - freePagesOf(vm)
    expect(do_madvise(vm, mm, at, PAGE, MADV_DONTNEED)).toBe(0)
    expect(free - freePagesOf(vm)).toBe(used - 1)
    expect([userRead(vm, mm, at, 1), userRead(vm, mm, at + PAGE, 1)]).toEqual([byte(0), byte(2)])
    expect(do_madvise(vm, mm, at + 1, PAGE, MADV_DONTNEED)).toBe(-EINVAL)
    expect(do_madvise(vm, mm, at, PAGE, 99)).toBe(-EINVAL)
    expect(do_madvise(vm, mm, at, 3 * PAGE, MADV_DONTNEED)).toBe(-12)
  })

  test('MAP_SHARED | MAP_ANONYMOUS is seen by the child; its pages go with the last mapping', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE, { flags: flag.MAP_SHARED | flag.MAP_ANONYMOUS })
    const tables = freePagesOf(vm)
    const child = dup_mm(vm, mm) as MmStruct
    userWrite(vm, child, at, byte(7))
    expect(userRead(vm, mm, at, 1)).toEqual(byte(7))
    do_munmap(vm, mm, at, PAGE)
    expect(userRead(vm, child, at, 1)).toEqual(byte(7))
    do_munmap(vm, child, at, PAGE)
    expect(tables - freePagesOf(vm)).toBe(mm.pgd.tables + child.pgd.tables)
    expect(vm.files).toEqual([])
  })
})

describe('a file', () => {
  test('filemap_fault() maps the page of the cache; a shared write is everybody’s, a private one is not', () => {
    const { vm, mm } = process()
    const inode = createFile(vm, 'data', 2)
    const file = openFile(vm, inode)
    const shared = mapFile(vm, mm, file, flag.MAP_SHARED)
    const own = mapFile(vm, mm, file, flag.MAP_PRIVATE)
    userWrite(vm, mm, shared, byte(1))
    expect(userRead(vm, mm, own, 1)).toEqual(byte(1))
    userWrite(vm, mm, own, byte(2))
    userWrite(vm, mm, own + PAGE, byte(3))
    const bytes = new Uint8Array(1)
    expect(kernel_read(vm, file, bytes, 1, 0)).toBe(1)
    expect(bytes).toEqual(byte(1))
    expect(userRead(vm, mm, shared + PAGE, 1)).toEqual(byte(0))
    expect(kernel_write(vm, file, byte(9), 1, PAGE)).toBe(1)
    expect([userRead(vm, mm, shared + PAGE, 1), userRead(vm, mm, own + PAGE, 1)]).toEqual([byte(9), byte(3)])
  })

  test('filemap_fault() behind the end of the file is SIGBUS', () => {
    const { vm, mm } = process()
    const at = mapFile(vm, mm, openFile(vm, createFile(vm, 'data', 1)), flag.MAP_SHARED)
    expect(userRead(vm, mm, at, 1)).toEqual(byte(0))
    expect(userRead(vm, mm, at + PAGE, 1)).toBe('SIGBUS')
  })

  test('vfs_fsync() writes what is dirty, and the next write is noticed again', () => {
    const { vm, mm } = process()
    const inode = createFile(vm, 'data', 1)
    const file = openFile(vm, inode)
    const at = mapFile(vm, mm, file, flag.MAP_SHARED, 1)
    userRead(vm, mm, at, 1)
    const { map } = vm.pgdat
    const dirty = () => (map.flags[inode.i_mapping!.i_pages.get(0)! - map.start_pfn]! & PG_dirty) !== 0
    expect(dirty()).toBe(false)
    for (const value of [1, 2]) {
      userWrite(vm, mm, at, byte(value))
      expect(dirty()).toBe(true)
      expect(vfs_fsync(vm, file)).toBe(0)
      expect([dirty(), inode.i_mapping!.disk!.get(0)![0]]).toEqual([false, value])
    }
    do_munmap(vm, mm, at, PAGE)
    expect(invalidate_mapping_pages(vm, inode.i_mapping!, 0, 0)).toBe(1)
    const again = mapFile(vm, mm, file, flag.MAP_SHARED, 1)
    expect(userRead(vm, mm, again, 1)).toEqual(byte(2))
  })

  test('kernel_read() and kernel_write() stop at the end of the file and need the right mode', () => {
    const { vm } = process()
    const inode = createFile(vm, 'data', 1)
    const file = openFile(vm, inode)
    expect(kernel_write(vm, file, new Uint8Array(PAGE).fill(1), PAGE, PAGE - 3)).toBe(3)
    expect(kernel_read(vm, file, new Uint8Array(PAGE), PAGE, PAGE)).toBe(0)
    expect(kernel_write(vm, openFile(vm, inode, 1), byte(1), 1, 0)).toBe(-EINVAL)
    expect(kernel_read(vm, openFile(vm, inode, 2), byte(1), 1, 0)).toBe(-EINVAL)
    expect(() => createFile(vm, 'half', 0.5)).toThrow('0.5 pages')
  })

  test('mlock() puts the pages where reclaim does not look, until the last munlock()', () => {
    const { vm, mm } = process()
    const file = openFile(vm, createFile(vm, 'data', 1))
    const at = mapFile(vm, mm, file, flag.MAP_SHARED, 1)
    const other = mapFile(vm, mm, file, flag.MAP_SHARED, 1)
    expect(mlock(vm, mm, at, PAGE)).toBe(0)
    expect(mlock(vm, mm, other, PAGE)).toBe(0)
    expect([vm.lru.unevictable.count, vm.lru.inactive_file.count]).toEqual([1, 0])
    expect(munlock(vm, mm, at, PAGE)).toBe(0)
    expect(vm.lru.unevictable.count).toBe(1)
    do_munmap(vm, mm, other, PAGE)
    expect([vm.lru.unevictable.count, vm.lru.inactive_file.count]).toEqual([0, 1])
    expect(mlock(vm, mm, 0x1000, PAGE)).toBe(-12)
    expect(find_vma(mm, at)!.vm_flags & flag.VM_LOCKED).toBe(0)
  })
})

describe('shared anonymous memory', () => {
  test('do_munmap() notes what was written through a pte: the page is dirty, on an anonymous list, and stays', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE, { flags: flag.MAP_SHARED | flag.MAP_ANONYMOUS })
    const child = dup_mm(vm, mm) as MmStruct
    // Read first, so that its pte may be written but nobody was asked.
    expect(userRead(vm, mm, at, 1)).toEqual(byte(0))
    const [pfn] = pfns(vm, mm)
    const { map } = vm.pgdat
    const dirty = () => (map.flags[pfn! - map.start_pfn]! & PG_dirty) !== 0
    expect(userWrite(vm, mm, at, byte(7))).toBeNull()
    do_munmap(vm, mm, at, PAGE)
    expect([dirty(), vm.lru.inactive_anon.count, vm.lru.inactive_file.count]).toEqual([true, 1, 0])
    expect(userRead(vm, child, at, 1)).toEqual(byte(7))
  })
})

describe('a driver’s VMA', () => {
  const device = (vm: Vm, mmap: (vma: VmArea) => number) =>
    openFile(vm, createDeviceNode('/dev/buffer', { mmap: (_vm, _file, vma) => mmap(vma) }))

  test.each(KERNEL_VERSIONS)(
    'handle_mm_fault() where the driver mapped nothing: SIGBUS; in 3.x a page, %s',
    (kernel) => {
      const { vm, mm } = process(kernel)
      const file = device(vm, () => 0)
      const shared = mapFile(vm, mm, file, flag.MAP_SHARED)
      expect(userRead(vm, mm, shared, 1)).toEqual(kernel.startsWith('3') ? byte(0) : 'SIGBUS')
      // A private one is anonymous memory until 4.12.
      const own = mapFile(vm, mm, file, flag.MAP_PRIVATE)
      expect(userRead(vm, mm, own, 1)).toEqual(kernel.startsWith('6') ? 'SIGBUS' : byte(0))
    },
  )

  test('vm_insert_page() maps a counted page: it outlives the driver’s own reference', () => {
    const { vm, mm } = process('6.1.192')
    const page = __alloc_pages(vm.pgdat, GFP_KERNEL, 0)!
    const { map } = vm.pgdat
    const results: number[] = []
    const file = device(vm, (vma) => {
      results.push(vm_insert_page(vm, vma, vma.vm_end, page))
      results.push(vm_insert_page(vm, vma, vma.vm_start, page))
      results.push(vm_insert_page(vm, vma, vma.vm_start, page))
      return 0
    })
    const at = mapFile(vm, mm, file, flag.MAP_SHARED)
    expect(results).toEqual([-EFAULT, 0, -EBUSY])
    expect(find_vma(mm, at)!.vm_flags & flag.VM_MIXEDMAP).toBe(flag.VM_MIXEDMAP)
    expect([map.refcount[page - map.start_pfn], page_mapcount(vm, page)]).toEqual([2, 1])
    userWrite(vm, mm, at, byte(5))
    do_munmap(vm, mm, at, PAGE)
    expect([map.refcount[page - map.start_pfn], page_mapcount(vm, page)]).toEqual([1, 0])
  })

  test('vm_insert_page() refuses free and anonymous pages, and throws in a VMA of bare pfns', () => {
    const { vm, mm } = process()
    const anon = mapMemory(vm, mm, PAGE)
    userWrite(vm, mm, anon, byte(1))
    const [own] = pfns(vm, mm)
    const free = __alloc_pages(vm.pgdat, GFP_KERNEL, 0)! + 1
    vm.pgdat.map.refcount[free - vm.pgdat.map.start_pfn] = 0
    const results: number[] = []
    const at = mapFile(
      vm,
      mm,
      device(vm, () => 0),
      flag.MAP_SHARED,
    )
    const vma = find_vma(mm, at)!
    for (const page of [own!, free]) results.push(vm_insert_page(vm, vma, at, page))
    expect(results).toEqual([-EINVAL, -EINVAL])
    vma.vm_flags = (vma.vm_flags & ~flag.VM_MIXEDMAP) | flag.VM_PFNMAP
    expect(() => vm_insert_page(vm, vma, at, own!)).toThrow('kernel BUG')
  })

  test.each(['3.5', '4.12.4', '6.1.192', '6.12.117'] as const)(
    'vm_insert_page() of a page that nobody holds: the VMA is marked in 6.12 alone, %s',
    (kernel) => {
      const { vm, mm } = process(kernel)
      const { map } = vm.pgdat
      const free = map.end_pfn - 1
      expect(map.refcount[free - map.start_pfn]).toBe(0)
      const file = device(vm, () => 0)
      const vma = find_vma(mm, mapFile(vm, mm, file, flag.MAP_SHARED))!
      expect(vm_insert_page(vm, vma, vma.vm_start, free)).toBe(-EINVAL)
      const marks = flag.VM_MIXEDMAP | flag.VM_INSERTPAGE
      expect(vma.vm_flags & marks).toBe(kernel === '6.12.117' ? flag.VM_MIXEDMAP : 0)
    },
  )

  test('vmf_insert_pfn() is VM_FAULT_SIGBUS outside the VMA, and maps nothing', () => {
    const { vm, mm } = process()
    const file = device(vm, (vma) => ((vma.vm_flags |= flag.VM_PFNMAP), 0))
    const vma = find_vma(mm, mapFile(vm, mm, file, flag.MAP_SHARED))!
    const other = mapMemory(vm, mm, PAGE, { addr: vma.vm_end })
    expect(other).toBe(vma.vm_end)
    for (const addr of [vma.vm_start - PAGE, vma.vm_end]) {
      expect(vmf_insert_pfn(vm, vma, addr, 0x40010)).toBe(VM_FAULT_SIGBUS)
    }
    expect(pagemap(vm, mm)).toEqual([])
  })

  test('vm_map_pages() maps exactly what is there: -ENXIO for an offset or a length beyond', () => {
    const { vm, mm } = process()
    const pages = [0, 1, 2].map(() => __alloc_pages(vm.pgdat, GFP_KERNEL, 0)!)
    const ask = (count: number, pgoff: number) => {
      const file = device(vm, (vma) => vm_map_pages(vm, vma, pages, pages.length))
      return do_mmap(vm, mm, { len: count * PAGE, prot: RW, flags: flag.MAP_SHARED, file, pgoff })
    }
    expect([ask(4, 0), ask(1, 3), ask(2, 2)]).toEqual([-ENXIO, -ENXIO, -ENXIO])
    ask(2, 1)
    expect(pfns(vm, mm)).toEqual(pages.slice(1))
  })

  test('vmf_insert_pfn() maps from a fault handler, in a VMA that was marked for it', () => {
    const { vm, mm } = process()
    const vm_ops: VmOperations = {
      fault: (vm, { vma, address, pgoff }) => vmf_insert_pfn(vm, vma, address, 0x40010 + pgoff),
    }
    const marked = device(vm, (vma) => {
      vma.vm_ops = vm_ops
      vma.vm_flags |= flag.VM_PFNMAP
      return 0
    })
    const at = mapFile(vm, mm, marked, flag.MAP_SHARED)
    expect(userWrite(vm, mm, at + PAGE, byte(3))).toBeNull()
    expect(pagemap(vm, mm).map(({ va, pfn, bare }) => [va - at, pfn, bare])).toEqual([[PAGE, 0x40011, true]])
    const forgotten = device(vm, (vma) => {
      vma.vm_ops = vm_ops
      return 0
    })
    const wrong = mapFile(vm, mm, forgotten, flag.MAP_SHARED)
    expect(() => userRead(vm, mm, wrong, 1)).toThrow('expected VM_PFNMAP')
  })
})
