// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EACCES, EAGAIN, EFAULT, EINVAL, ENODEV, ENOMEM, ENXIO, EOVERFLOW } from '../../code/lib/errno.ts'
import { createDeviceNode, FMODE_READ, FMODE_WRITE, fput, openFile } from '../../code/mm/file.ts'
import { createFile } from '../../code/mm/filemap_fault.ts'
import { do_madvise, MADV_DONTFORK } from '../../code/mm/madvise.ts'
import { mlock } from '../../code/mm/mlock.ts'
import { createProcess, find_vma, MAX_MAP_COUNT, vma_lookup } from '../../code/mm/mm_struct.ts'
import { do_mmap, get_unmapped_area } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm, exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { remap_pfn_range } from '../../code/mm/memory_remap.ts'
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../code/mm/mremap.ts'
import { pagemap, show_map_vma } from '../../code/mm/smaps.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { File, MmStruct, Vm, VmArea, VmOperations } from '../../code/mm/vm.ts'
import { PAGE, smallMachine } from '../support/mm_machine.ts'
import { freePagesOf, mapMemory, withoutMemory } from '../support/processes.ts'

const RW = flag.PROT_READ | flag.PROT_WRITE
const hex = (value: number): string => `0x${value.toString(16)}`

function process(
  kernel: Parameters<typeof smallMachine>[0]['kernel'] = '6.12.117',
  arch: 'arm' | 'arm64' = 'arm64',
) {
  const { vm } = smallMachine({ kernel, arch })
  return { vm, mm: createProcess(vm, 'prog') }
}

/** A driver that maps pfns from 0x40000 on and writes down what it is told: `open`, `close`, `release`. */
function driver(vm: Vm, events: string[]): File {
  const name = (vma: VmArea) => `${(vma.vm_end - vma.vm_start) / PAGE}@${vma.vm_pgoff}`
  const vm_ops: VmOperations = {
    open: (_vm, vma) => void events.push(`open ${name(vma)}`),
    close: (_vm, vma) => void events.push(`close ${name(vma)}`),
  }
  const node = createDeviceNode('/dev/cma_mem', {
    mmap: (vm, _file, vma) => {
      vma.vm_ops = vm_ops
      events.push('mmap')
      return remap_pfn_range(vm, vma, vma.vm_start, 0x40000, vma.vm_end - vma.vm_start, vma.vm_page_prot)
    },
    release: () => void events.push('release'),
  })
  return openFile(vm, node)
}

const shared = (vm: Vm, mm: MmStruct, file: File, pages: number) =>
  do_mmap(vm, mm, { len: pages * PAGE, prot: RW, flags: flag.MAP_SHARED, file })

describe('do_mmap', () => {
  test('do_mmap() gives the flags that a booted kernel gives: 0xfb shared, 0x100073 private, 0xd1 read-only shared', () => {
    const { vm, mm } = process()
    const inode = createFile(vm, 'data', 4)
    const both = openFile(vm, inode)
    const reader = openFile(vm, inode, FMODE_READ)
    const flagsOf = (prot: number, flags: number, file?: File) => {
      const at = do_mmap(vm, mm, { len: PAGE, prot, flags, ...(file ? { file } : {}) })
      return hex(vma_lookup(mm, at)!.vm_flags)
    }
    expect(flagsOf(RW, flag.MAP_SHARED, both)).toBe('0xfb')
    expect(flagsOf(RW, flag.MAP_PRIVATE, both)).toBe('0x100073')
    expect(flagsOf(flag.PROT_READ, flag.MAP_SHARED, reader)).toBe('0xd1')
    expect(flagsOf(flag.PROT_READ, flag.MAP_PRIVATE, reader)).toBe('0x71')
    expect(flagsOf(RW, flag.MAP_PRIVATE | flag.MAP_ANONYMOUS)).toBe('0x100073')
    expect(flagsOf(RW, flag.MAP_PRIVATE | flag.MAP_ANONYMOUS | flag.MAP_NORESERVE)).toBe('0x200073')
  })

  test('do_mmap() rounds the length up to pages', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE + 1)
    expect(find_vma(mm, at)!.vm_end - at).toBe(2 * PAGE)
  })

  test('do_mmap() refuses: each errno for its cause', () => {
    const { vm, mm } = process()
    const anon = flag.MAP_ANONYMOUS | flag.MAP_PRIVATE
    const inode = createFile(vm, 'data', 4)
    const reader = openFile(vm, inode, FMODE_READ)
    const writer = openFile(vm, inode, FMODE_WRITE)
    const bare = openFile(vm, createDeviceNode('/dev/null', {}))
    const ask = (more: Partial<Parameters<typeof do_mmap>[2]>) =>
      do_mmap(vm, mm, { len: PAGE, prot: RW, flags: anon, ...more })
    expect(ask({ len: 0 })).toBe(-EINVAL)
    expect(ask({ flags: flag.MAP_ANONYMOUS })).toBe(-EINVAL)
    expect(ask({ flags: anon | flag.MAP_SHARED })).toBe(-EINVAL)
    expect(ask({ flags: anon | flag.MAP_FIXED, addr: 0x1234 })).toBe(-EINVAL)
    expect(ask({ len: 2 ** 50 })).toBe(-ENOMEM)
    expect(ask({ flags: anon | flag.MAP_FIXED, addr: mm.task_size })).toBe(-ENOMEM)
    expect(ask({ flags: flag.MAP_SHARED, file: reader })).toBe(-EACCES)
    expect(ask({ flags: flag.MAP_PRIVATE, prot: flag.PROT_READ, file: writer })).toBe(-EACCES)
    expect(ask({ flags: flag.MAP_SHARED, file: bare })).toBe(-ENODEV)
    expect(mm.mmap).toEqual([])
    // A private mapping may be written though the file may not: the writes are copies.
    expect(ask({ flags: flag.MAP_PRIVATE, file: reader })).toBeGreaterThan(0)
  })

  test.each([
    ['6.12.117', 'arm64', 2 ** 52 - 2, 0],
    ['6.12.117', 'arm64', 2 ** 52 - 1, -EOVERFLOW],
    ['4.12.4', 'arm64', 2 ** 52 - 1, 0],
    ['6.12.117', 'arm', 2 ** 20 - 2, 0],
    ['6.12.117', 'arm', 2 ** 20 - 1, -EOVERFLOW],
    ['4.12.4', 'arm', 2 ** 20, 0],
    ['4.12.4', 'arm', 2 ** 32 - 1, -EOVERFLOW],
  ] as const)(
    'do_mmap() of a file that would end behind the last number, %s %s, page %i: %i',
    (kernel, arch, pgoff, ret) => {
      const { vm } = smallMachine({ kernel, arch })
      const file = openFile(vm, createDeviceNode('/dev/large', { mmap: () => 0 }))
      const mm = createProcess(vm, 'prog')
      const at = do_mmap(vm, mm, { len: PAGE, prot: RW, flags: flag.MAP_SHARED, file, pgoff })
      expect(Math.min(at, 0)).toBe(ret)
    },
  )

  test('do_mmap() gives back what the driver’s mmap says, and nothing of it stays', () => {
    const { vm, mm } = process()
    const node = createDeviceNode('/dev/cma_mem', {
      mmap: (vm, _file, vma) => {
        remap_pfn_range(vm, vma, vma.vm_start, 0x40000, PAGE, vma.vm_page_prot)
        return -ENXIO
      },
    })
    const file = openFile(vm, node)
    expect(shared(vm, mm, file, 2)).toBe(-ENXIO)
    expect([mm.mmap.length, file.f_count]).toEqual([0, 1])
    const at = mapMemory(vm, mm, 2 * PAGE)
    expect(userRead(vm, mm, at, 1)).toEqual(Uint8Array.of(0))
    expect(pagemap(vm, mm)[0]!.bare).toBe(false)
  })

  test('do_mmap() of MAP_POPULATE brings the pages at once', () => {
    const { vm, mm } = process()
    mapMemory(vm, mm, 3 * PAGE, { flags: flag.MAP_ANONYMOUS | flag.MAP_PRIVATE | flag.MAP_POPULATE })
    expect(pagemap(vm, mm)).toHaveLength(3)
  })
})

describe('get_unmapped_area', () => {
  test('get_unmapped_area() takes the highest gap that is long enough, below mmap_base', () => {
    const { vm, mm } = process()
    const at = [1, 3, 1].map((pages) => mapMemory(vm, mm, pages * PAGE))
    expect(at.map((va) => (mm.mmap_base - va) / PAGE)).toEqual([1, 4, 5])
    do_munmap(vm, mm, at[1]!, 3 * PAGE)
    expect(mapMemory(vm, mm, 4 * PAGE)).toBe(at[2]! - 4 * PAGE)
    expect(mapMemory(vm, mm, 2 * PAGE)).toBe(at[0]! - 2 * PAGE)
  })

  test('get_unmapped_area() takes a wish that is free and no other; arm has 3 GiB less 16 MiB', () => {
    const { vm, mm } = process('4.12.4', 'arm')
    expect(mm.task_size).toBe(0xbf00_0000)
    expect(get_unmapped_area(vm, mm, 0x2000_0001, PAGE, 0)).toBe(0x2000_1000)
    mapMemory(vm, mm, PAGE, { addr: 0x2000_0000 })
    expect(get_unmapped_area(vm, mm, 0x2000_0000, PAGE, 0)).toBe(mm.mmap_base - PAGE)
    // Above mmap_base there is room too, once nothing below is left.
    mapMemory(vm, mm, 0x2000_0000 - PAGE, { addr: PAGE })
    mapMemory(vm, mm, mm.mmap_base - 0x2000_1000, { addr: 0x2000_1000 })
    expect(get_unmapped_area(vm, mm, 0, PAGE, 0)).toBe(mm.mmap_base)
    expect(get_unmapped_area(vm, mm, 0, 2 ** 30, 0)).toBe(-ENOMEM)
  })
})

describe('do_munmap', () => {
  test.each([
    // What is new is what stays; before, all above the first cut, then what goes.
    ['6.12.117', ['open 1@0', 'open 1@2', 'close 1@1']],
    ['6.1.192', ['open 2@1', 'open 1@1', 'close 1@1']],
    ['4.12.4', ['open 2@1', 'open 1@1', 'close 1@1']],
  ] as const)(
    'do_munmap() of the middle tells the driver of both splits and of what goes, %s',
    (kernel, told) => {
      const { vm, mm } = process(kernel)
      const events: string[] = []
      const file = driver(vm, events)
      const at = shared(vm, mm, file, 3)
      expect(do_munmap(vm, mm, at + PAGE, PAGE)).toBe(0)
      expect(events).toEqual(['mmap', ...told])
      expect(file.f_count).toBe(3)
      expect(pagemap(vm, mm).map(({ va, pfn }) => [va - at, pfn])).toEqual([
        [0, 0x40000],
        [2 * PAGE, 0x40002],
      ])
      expect(mm.mmap.map((vma) => [vma.vm_start - at, vma.vm_pgoff])).toEqual([
        [0, 0],
        [2 * PAGE, 2],
      ])
    },
  )

  test.each([
    ['6.12.117', ['open 2@0', 'close 1@2', 'open 1@1', 'close 1@0']],
    ['6.1.192', ['open 1@2', 'close 1@2', 'open 1@0', 'close 1@0']],
  ] as const)('do_munmap() of an end splits once, %s', (kernel, told) => {
    const { vm, mm } = process(kernel)
    const events: string[] = []
    const at = shared(vm, mm, driver(vm, events), 3)
    do_munmap(vm, mm, at + 2 * PAGE, PAGE)
    do_munmap(vm, mm, at, PAGE)
    expect(events).toEqual(['mmap', ...told])
  })

  test('do_munmap() gives page tables back that serve no other VMA; on arm those of the lowest two pages stay', () => {
    const { vm, mm } = process()
    const free = freePagesOf(vm)
    const [a, b] = [0x4000_0000, 0x4010_0000].map((addr) => mapMemory(vm, mm, PAGE, { addr }))
    for (const at of [a!, b!]) userWrite(vm, mm, at, Uint8Array.of(1))
    // Two pages, and four levels of tables for both.
    expect([free - freePagesOf(vm), mm.pgd.tables]).toEqual([6, 4])
    do_munmap(vm, mm, a!, PAGE)
    expect([free - freePagesOf(vm), mm.pgd.tables]).toEqual([5, 4])
    do_munmap(vm, mm, b!, PAGE)
    expect([free - freePagesOf(vm), mm.pgd.tables]).toEqual([1, 1])
    expect(mapMemory(vm, mm, PAGE, { addr: a! })).toBe(a)
    expect(userRead(vm, mm, a!, 1)).toEqual(Uint8Array.of(0))

    const old = process('4.12.4', 'arm')
    for (const [addr, kept] of [
      [0x20_0000, 1],
      [2 * PAGE, 2],
    ] as const) {
      mapMemory(old.vm, old.mm, PAGE, { addr })
      userWrite(old.vm, old.mm, addr, Uint8Array.of(1))
      do_munmap(old.vm, old.mm, addr, PAGE)
      expect(old.mm.pgd.tables).toBe(kept)
    }
  })

  test('do_munmap() refuses the middle of a VMA when there are too many, and takes an end', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, 3 * PAGE, { addr: 0x1000_0000 })
    while (mm.mmap.length < MAX_MAP_COUNT) {
      const addr = 0x2000_0000 + mm.mmap.length * 2 * PAGE
      mapMemory(vm, mm, PAGE, { addr, flags: flag.MAP_FIXED | flag.MAP_PRIVATE | flag.MAP_ANONYMOUS })
    }
    expect(do_munmap(vm, mm, at + PAGE, PAGE)).toBe(-ENOMEM)
    expect(mm.mmap).toHaveLength(MAX_MAP_COUNT)
    expect(do_madvise(vm, mm, at + PAGE, PAGE, MADV_DONTFORK)).toBe(-EAGAIN)
    expect(mlock(vm, mm, at + PAGE, PAGE)).toBe(-ENOMEM)
    const to = 0x7000_0000
    const move = () => mremap(vm, mm, at, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, to)
    expect(move()).toBe(-ENOMEM)
    expect(do_munmap(vm, mm, at, PAGE)).toBe(0)
    expect([vma_lookup(mm, at), vma_lookup(mm, at + PAGE)!.vm_end - at]).toEqual([null, 3 * PAGE])
    expect(mm.mmap).toHaveLength(MAX_MAP_COUNT)
  })

  test('do_munmap() refuses addresses that are not aligned or not a program’s; a hole is fine', () => {
    const { vm, mm } = process()
    expect(do_munmap(vm, mm, 1, PAGE)).toBe(-EINVAL)
    expect(do_munmap(vm, mm, PAGE, 0)).toBe(-EINVAL)
    expect(do_munmap(vm, mm, mm.task_size, PAGE)).toBe(-EINVAL)
    expect(do_munmap(vm, mm, PAGE, 16 * PAGE)).toBe(0)
  })

  test('fput() runs the driver’s release after the last munmap and the last close, whichever is last', () => {
    for (const closeFirst of [true, false]) {
      const { vm, mm } = process()
      const events: string[] = []
      const file = driver(vm, events)
      const at = shared(vm, mm, file, 2)
      const child = dup_mm(vm, mm) as MmStruct
      const close = () => fput(vm, file)
      const unmap = () => {
        do_munmap(vm, mm, at, 2 * PAGE)
        exit_mmap(vm, child)
      }
      const [first, last] = closeFirst ? [close, unmap] : [unmap, close]
      first()
      expect(events).not.toContain('release')
      last()
      expect(events).toEqual(['mmap', 'open 2@0', 'close 2@0', 'close 2@0', 'release'])
      expect(vm.files).toEqual([])
      expect(() => fput(vm, file)).toThrow('has 0 references')
    }
  })
})

describe('dup_mm', () => {
  test('dup_mm() calls open before the pages are copied in 6.x, after it in 4.12', () => {
    for (const [kernel, before] of [
      ['4.12.4', 1],
      ['6.1.192', 0],
      ['6.12.117', 0],
    ] as const) {
      const { vm, mm } = process(kernel)
      const seen: number[] = []
      const node = createDeviceNode('/dev/cma_mem', {
        mmap: (vm, _file, vma) => {
          vma.vm_ops = { open: (vm, copy) => void seen.push(pagemap(vm, copy.vm_mm).length) }
          return remap_pfn_range(vm, vma, vma.vm_start, 0x40000, PAGE, vma.vm_page_prot)
        },
      })
      shared(vm, mm, openFile(vm, node), 1)
      dup_mm(vm, mm)
      expect(seen).toEqual([before])
    }
  })

  test('dup_mm() leaves VM_DONTCOPY out, and takes back what it copied when memory runs out', () => {
    const { vm, mm } = process()
    const events: string[] = []
    const file = driver(vm, events)
    const at = mapMemory(vm, mm, PAGE)
    shared(vm, mm, file, 1)
    userWrite(vm, mm, at, Uint8Array.of(1))
    const free = freePagesOf(vm)
    expect(withoutMemory(vm, () => dup_mm(vm, mm))).toBe(-ENOMEM)
    expect(freePagesOf(vm)).toBe(free)
    expect([file.f_count, events.at(-1)]).toEqual([2, 'close 1@0'])
    expect(vm.mms).toEqual([mm])
    find_vma(mm, at)!.vm_flags |= flag.VM_DONTCOPY
    const child = dup_mm(vm, mm) as MmStruct
    expect(child.mmap).toHaveLength(1)
    expect(userRead(vm, child, at, 1)).toBe('SIGSEGV')
  })

  test('exit_mmap() gives every page back, page tables too', () => {
    for (const arch of ['arm', 'arm64'] as const) {
      const { vm, mm } = process('6.1.192', arch)
      const free = freePagesOf(vm)
      const at = mapMemory(vm, mm, 64 * PAGE)
      for (let page = 0; page < 64; page++) userWrite(vm, mm, at + page * PAGE, Uint8Array.of(page))
      expect(free - freePagesOf(vm)).toBeGreaterThanOrEqual(64 + 2)
      exit_mmap(vm, mm)
      expect(freePagesOf(vm)).toBe(free)
    }
  })
})

describe('mremap', () => {
  const filled = () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, 2 * PAGE, { addr: 0x1000_0000 })
    userWrite(vm, mm, at, Uint8Array.of(1))
    userWrite(vm, mm, at + PAGE, Uint8Array.of(2))
    return { vm, mm, at }
  }
  const bytes = (vm: Vm, mm: MmStruct, at: number) =>
    [0, 1].map((page) => userRead(vm, mm, at + page * PAGE, 1)[0])

  test('mremap() grows where it is when the addresses behind are free, else moves if it may', () => {
    const { vm, mm, at } = filled()
    expect(mremap(vm, mm, at, 2 * PAGE, 3 * PAGE, 0)).toBe(at)
    mapMemory(vm, mm, PAGE, { addr: at + 3 * PAGE })
    expect(mremap(vm, mm, at, 3 * PAGE, 4 * PAGE, 0)).toBe(-ENOMEM)
    const pfns = pagemap(vm, mm).map(({ pfn }) => pfn)
    const to = mremap(vm, mm, at, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE)
    expect(bytes(vm, mm, to)).toEqual([1, 2])
    expect(pagemap(vm, mm).map(({ pfn }) => pfn)).toEqual(pfns)
    expect(userRead(vm, mm, at, 1)).toBe('SIGSEGV')
  })

  test('mremap() to a place of the caller’s choice unmaps what is there', () => {
    const { vm, mm, at } = filled()
    const to = mapMemory(vm, mm, PAGE, { addr: 0x2000_0000 })
    expect(mremap(vm, mm, at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to)).toBe(to)
    expect(bytes(vm, mm, to)).toEqual([1, 2])
    expect(mm.mmap).toHaveLength(1)
  })

  test('mremap() refuses: each errno for its cause, and leaves all as it was without memory', () => {
    const { vm, mm, at } = filled()
    expect(mremap(vm, mm, at + 1, PAGE, PAGE, 0)).toBe(-EINVAL)
    expect(mremap(vm, mm, at, PAGE, 0, 0)).toBe(-EINVAL)
    expect(mremap(vm, mm, at, PAGE, PAGE, 8)).toBe(-EINVAL)
    expect(mremap(vm, mm, at, PAGE, PAGE, MREMAP_FIXED, 0x2000_0000)).toBe(-EINVAL)
    expect(mremap(vm, mm, at, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, at)).toBe(-EINVAL)
    expect(mremap(vm, mm, 0x3000_0000, PAGE, 2 * PAGE, 0)).toBe(-14)
    expect(mremap(vm, mm, at, 3 * PAGE, 4 * PAGE, 0)).toBe(-14)
    const move = () => mremap(vm, mm, at, 2 * PAGE, 2 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, 0x5000_0000)
    expect(withoutMemory(vm, move)).toBe(-ENOMEM)
    expect(bytes(vm, mm, at)).toEqual([1, 2])
    expect(mm.mmap).toHaveLength(1)
  })

  test('mremap() that runs out of page tables halfway moves back what it had moved', () => {
    const { vm, mm } = process()
    // The source lies in one table; of the target's two there is one already.
    const at = mapMemory(vm, mm, 4 * PAGE, { addr: 0x1000_0000 })
    for (let page = 0; page < 4; page++) userWrite(vm, mm, at + page * PAGE, Uint8Array.of(page + 1))
    const there = mapMemory(vm, mm, PAGE, { addr: 0x3ff0_0000 })
    userWrite(vm, mm, there, Uint8Array.of(9))
    const to = 0x4000_0000 - 2 * PAGE
    const move = () => mremap(vm, mm, at, 4 * PAGE, 4 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, to)
    expect(withoutMemory(vm, move)).toBe(-ENOMEM)
    expect([0, 1, 2, 3].map((page) => userRead(vm, mm, at + page * PAGE, 1)[0])).toEqual([1, 2, 3, 4])
    expect(mm.mmap).toHaveLength(2)
    expect(move()).toBe(to)
  })

  test('mremap() of memory that nobody touched counts its pages by the new address', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE, { addr: 0x1000_0000 })
    const to = 0x2000_0000
    expect(mremap(vm, mm, at, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, to)).toBe(to)
    expect(find_vma(mm, to)!.vm_pgoff).toBe(to / PAGE)
    userWrite(vm, mm, to, Uint8Array.of(1))
    mremap(vm, mm, to, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, at)
    expect(find_vma(mm, at)!.vm_pgoff).toBe(to / PAGE)
  })

  test('mremap() where nothing is mapped: 6.x looks first; 4.12 unmaps the target, and shrinks holes', () => {
    for (const [kernel, shrunk, left] of [
      ['6.12.117', -EFAULT, 1],
      ['4.12.4', 0x3000_0000, 0],
    ] as const) {
      const { vm, mm } = process(kernel)
      const target = mapMemory(vm, mm, PAGE, { addr: 0x2000_0000 })
      expect(mremap(vm, mm, 0x3000_0000, 2 * PAGE, PAGE, 0)).toBe(shrunk)
      const fixed = MREMAP_FIXED | MREMAP_MAYMOVE
      expect(mremap(vm, mm, 0x3000_0000, PAGE, PAGE, fixed, target)).toBe(-EFAULT)
      expect(mm.mmap).toHaveLength(left)
    }
  })
})

describe('show_map_vma', () => {
  test('show_map_vma() prints a line of /proc/<pid>/maps', () => {
    const { vm, mm } = process('6.1.192')
    const at = shared(vm, mm, driver(vm, []), 3)
    const line = show_map_vma(vm, find_vma(mm, at)!)
    const range = `${at.toString(16)}-${(at + 3 * PAGE).toString(16)}`
    expect(line).toBe(`${range} rw-s 00000000 00:00 0 `.padEnd(73) + '/dev/cma_mem')
    const anon = mapMemory(vm, mm, PAGE, { prot: flag.PROT_READ, addr: 0x1000_0000 })
    expect(show_map_vma(vm, find_vma(mm, anon)!)).toBe('10000000-10001000 r--p 00000000 00:00 0 ')
    const flags = flag.MAP_SHARED | flag.MAP_ANONYMOUS
    const both = mapMemory(vm, mm, PAGE, { flags, addr: 0x2000_0000 })
    expect(show_map_vma(vm, find_vma(mm, both)!)).toBe(
      '20000000-20001000 rw-s 00000000 00:00 0 '.padEnd(73) + '/dev/zero (deleted)',
    )
  })
})
