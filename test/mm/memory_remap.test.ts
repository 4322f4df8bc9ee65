// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { createCpu } from '../../code/arch/cpu.ts'
import { walk } from '../../code/arch/pgtable.ts'
import { memoryTypeOf, PAGE_SHARED, pgprot_writecombine } from '../../code/arch/pgtable_prot.ts'
import { pte_dirty, pte_pfn, pte_special, pte_write } from '../../code/arch/pgtable_pte.ts'
import { EACCES, EFAULT, EINVAL, EIO, ENOMEM } from '../../code/lib/errno.ts'
import {
  KERNEL_VERSIONS,
  kernelAtLeast,
  type Arch,
  type KernelVersion,
} from '../../code/lib/kernel_version.ts'
import type { Pfn, VirtAddr } from '../../code/lib/units.ts'
import { createDeviceNode, FMODE_READ, FMODE_WRITE, fput, openFile } from '../../code/mm/file.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { FOLL_LONGTERM, FOLL_WRITE, pin_user_pages } from '../../code/mm/gup.ts'
import { do_madvise, MADV_DODUMP, MADV_DOFORK, MADV_DONTNEED } from '../../code/mm/madvise.ts'
import { mem_rw } from '../../code/mm/memory_access.ts'
import { remap_pfn_range, vm_iomap_memory } from '../../code/mm/memory_remap.ts'
import { mlock } from '../../code/mm/mlock.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm } from '../../code/mm/mmap_unmap.ts'
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../code/mm/mremap.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import { aliasMismatches, pagemap, show_smap_vma_flags } from '../../code/mm/smaps.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { MmStruct, Vm, VmArea } from '../../code/mm/vm.ts'
import { PAGE, smallMachine } from '../support/mm_machine.ts'
import { freePagesOf, withoutMemory } from '../support/processes.ts'

const RW = flag.PROT_READ | flag.PROT_WRITE

interface Setup {
  readonly vm: Vm
  readonly mm: MmStruct
  /** The first page of the buffer. */
  readonly pfn: Pfn
}

/** A process, and a buffer of `2 ** order` pages that a driver has allocated. */
function setup(kernel: KernelVersion, arch: Arch = 'arm64', order = 2): Setup {
  const { vm } = smallMachine({ kernel, arch })
  const pfn = __alloc_pages(vm.pgdat, GFP_KERNEL, order)!
  return { vm, mm: createProcess(vm, 'prog'), pfn }
}

type DriverMmap = (vm: Vm, vma: VmArea) => number

interface Mapping {
  readonly rc: VirtAddr | number
  /** The VMA as the driver left it, also when it refused. */
  readonly vma: VmArea
}

/** mmap() of a device whose driver does `mmap`. */
function map(
  { vm, mm }: Setup,
  mmap: DriverMmap,
  {
    pages = 3,
    flags = flag.MAP_SHARED,
    prot = RW,
    pgoff = 0,
    f_mode = FMODE_READ | FMODE_WRITE,
    addr = 0,
  } = {},
): Mapping {
  let seen: VmArea | null = null
  const node = createDeviceNode('/dev/cma_mem', {
    mmap: (_vm, _file, vma) => {
      seen = vma
      return mmap(vm, vma)
    },
  })
  const file = openFile(vm, node, f_mode)
  const rc = do_mmap(vm, mm, { len: pages * PAGE, prot, flags, file, pgoff, addr })
  fput(vm, file)
  return { rc, vma: seen! }
}

const whole =
  (pfn: Pfn): DriverMmap =>
  (vm, vma) =>
    remap_pfn_range(vm, vma, vma.vm_start, pfn, vma.vm_end - vma.vm_start, vma.vm_page_prot)

const pteAt = (mm: MmStruct, va: VirtAddr): bigint => walk(mm.pgd, va)?.pte ?? 0n
const hex = (value: number): string => `0x${value.toString(16)}`

describe('remap_pfn_range flags', () => {
  test('remap_pfn_range() MC-8.3, TV-20: turns 0xfb into 0x40444fb and leaves vm_pgoff of a shared mapping', () => {
    const machine = setup('6.12.117')
    let before = 0
    const { vma } = map(machine, (vm, vma) => {
      before = vma.vm_flags
      return whole(machine.pfn)(vm, vma)
    })
    expect([hex(before), hex(vma.vm_flags), vma.vm_pgoff]).toEqual(['0xfb', '0x40444fb', 0])
    const all = flag.VM_IO | flag.VM_PFNMAP | flag.VM_DONTEXPAND | flag.VM_DONTDUMP
    expect(vma.vm_flags & all).toBe(all)
  })

  test('remap_pfn_range() MC-8.3, TV-20: turns private 0x100073 into 0x4144473, and vm_pgoff is the pfn', () => {
    for (const kernel of ['3.9', '4.12.4', '6.1.192', '6.12.117'] as const) {
      const machine = setup(kernel)
      let before = 0
      const { rc, vma } = map(
        machine,
        (vm, vma) => {
          before = vma.vm_flags
          return whole(machine.pfn)(vm, vma)
        },
        { flags: flag.MAP_PRIVATE, pgoff: 1 },
      )
      expect(rc).toBe(vma.vm_start)
      expect([hex(before), hex(vma.vm_flags), vma.vm_pgoff]).toEqual(['0x100073', '0x4144473', machine.pfn])
    }
  })

  test('remap_pfn_range() of 3.5 has VM_RESERVED, and a whole VMA gets VM_PFN_AT_MMAP and the pfn as vm_pgoff', () => {
    const machine = setup('3.5')
    const { vma } = map(machine, whole(machine.pfn))
    const added = flag.VM_IO | flag.VM_RESERVED | flag.VM_PFNMAP | flag.VM_PFN_AT_MMAP
    expect(hex(vma.vm_flags)).toBe(hex(0xfb | added))
    expect(vma.vm_pgoff).toBe(machine.pfn)
    const part = map(machine, (vm, vma) =>
      remap_pfn_range(vm, vma, vma.vm_start, machine.pfn, PAGE, vma.vm_page_prot),
    )
    expect(part.vma.vm_flags & flag.VM_PFN_AT_MMAP).toBe(0)
    expect(part.vma.vm_pgoff).toBe(0)
  })

  test('show_smap_vma_flags() prints them as smaps does, shared and private, and nothing in 3.5', () => {
    const machine = setup('6.1.192')
    const shared = map(machine, whole(machine.pfn)).vma
    expect(show_smap_vma_flags(machine.vm, shared)).toBe('VmFlags: rd wr sh mr mw me ms pf io de dd ')
    const own = map(machine, whole(machine.pfn), { flags: flag.MAP_PRIVATE }).vma
    expect(show_smap_vma_flags(machine.vm, own)).toBe('VmFlags: rd wr mr mw me pf io de ac dd ')
    const old = setup('3.5')
    expect(show_smap_vma_flags(old.vm, map(old, whole(old.pfn)).vma)).toBe('')
  })
})

describe('remap_pfn_range ptes', () => {
  test('remap_pfn_range() maps pfn, pfn + 1, … specially, and takes no reference', () => {
    const machine = setup('6.12.117')
    const { vma } = map(machine, whole(machine.pfn))
    for (let page = 0; page < 3; page++) {
      const pte = pteAt(machine.mm, vma.vm_start + page * PAGE)
      expect(pte_pfn(machine.vm.geometry, pte)).toBe(machine.pfn + page)
      expect(pte_special('arm64', pte)).toBe(true)
    }
    const { map: pages } = machine.vm.pgdat
    expect(pages.refcount[machine.pfn - pages.start_pfn]).toBe(1)
    expect(pages.mapcount[machine.pfn - pages.start_pfn]).toBe(0)
  })

  test('remap_pfn_range() MC-8.1: the pte has the rights of prot, not those of the VMA', () => {
    for (const arch of ['arm', 'arm64'] as const) {
      const machine = setup('6.1.192', arch)
      const asShared: DriverMmap = (vm, vma) =>
        remap_pfn_range(vm, vma, vma.vm_start, machine.pfn, 3 * PAGE, PAGE_SHARED(arch))
      const readOnly = { prot: flag.PROT_READ }
      const { vma } = map(machine, asShared, readOnly)
      expect(vma.vm_flags & flag.VM_WRITE).toBe(0)
      expect(pte_write(arch, pteAt(machine.mm, vma.vm_start))).toBe(true)
      const honest = map(machine, whole(machine.pfn), readOnly).vma
      expect(pte_write(arch, pteAt(machine.mm, honest.vm_start))).toBe(false)
    }
  })

  test.each([
    ['arm64 without hardware dirty bit', 'arm64', false, 'SIGSEGV'],
    ['arm64 with hardware dirty bit', 'arm64', true, null],
    ['arm', 'arm', false, 'SIGSEGV'],
  ] as const)(
    'remap_pfn_range() S2-11, MC-8.1: a write to a PROT_READ map made with PAGE_SHARED, %s',
    (_name, arch, hwDirtyBit, expected) => {
      const plain = setup('6.1.192', arch)
      const vm = { ...plain.vm, cpu: createCpu({ ram: plain.vm.cpu.ram, arch, hwDirtyBit }) }
      const machine = { vm, mm: createProcess(vm, 'prog'), pfn: plain.pfn }
      const { vma } = map(
        machine,
        (vm, vma) => remap_pfn_range(vm, vma, vma.vm_start, machine.pfn, 3 * PAGE, PAGE_SHARED(arch)),
        { prot: flag.PROT_READ },
      )
      expect(userWrite(vm, machine.mm, vma.vm_start, Uint8Array.of(7))).toBe(expected)
      expect(userRead(vm, machine.mm, vma.vm_start, 1)).toEqual(Uint8Array.of(expected === null ? 7 : 0))
      // With the VMA's own protection no CPU lets it through.
      const honest = map(machine, whole(machine.pfn), { prot: flag.PROT_READ }).vma
      expect(userWrite(vm, machine.mm, honest.vm_start, Uint8Array.of(9))).toBe('SIGSEGV')
    },
  )

  test.each(KERNEL_VERSIONS)(
    'remap_pfn_range() MC-8.2: a shared mapping in parts, a private writable one only whole, %s',
    (kernel) => {
      const machine = setup(kernel)
      const middle: DriverMmap = (vm, vma) =>
        remap_pfn_range(vm, vma, vma.vm_start + PAGE, machine.pfn, PAGE, vma.vm_page_prot)
      const shared = map(machine, middle)
      expect(shared.rc).toBe(shared.vma.vm_start)
      expect(pagemap(machine.vm, machine.mm).map(({ va }) => va)).toEqual([shared.vma.vm_start + PAGE])
      const own = map(machine, middle, { flags: flag.MAP_PRIVATE })
      expect(own.rc).toBe(-EINVAL)
      expect(hex(own.vma.vm_flags)).toBe('0x100073')
      // Opened for reading only, a private mapping may still become writable (VM_MAYWRITE): also whole only.
      const readOnly = map(machine, middle, {
        flags: flag.MAP_PRIVATE,
        prot: flag.PROT_READ,
        f_mode: FMODE_READ,
      })
      expect(readOnly.rc).toBe(-EINVAL)
      // A shared one of such a file may not.
      const sharedReadOnly = map(machine, middle, { prot: flag.PROT_READ, f_mode: FMODE_READ })
      expect(sharedReadOnly.rc).toBe(sharedReadOnly.vma.vm_start)
    },
  )

  test.each(KERNEL_VERSIONS)(
    'remap_pfn_range() MC-8.4: throws where a page is mapped already, and for size 0, %s',
    (kernel) => {
      const machine = setup(kernel)
      const { vma } = map(machine, whole(machine.pfn))
      const again = () =>
        remap_pfn_range(machine.vm, vma, vma.vm_start + 2 * PAGE, machine.pfn, PAGE, vma.vm_page_prot)
      expect(again).toThrow(/the pte of 0x[0-9a-f]+ is 0x[0-9a-f]+, expected 0/)
      const nothing = () => remap_pfn_range(machine.vm, vma, vma.vm_start, machine.pfn, 0, vma.vm_page_prot)
      expect(nothing).toThrow('size 0')
    },
  )
})

describe('remap_pfn_range at odd places', () => {
  test('remap_pfn_range() MC-8.7: 6.x refuses an unaligned addr and warns once; nothing changes', () => {
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      const machine = setup(kernel)
      const odd: DriverMmap = (vm, vma) =>
        remap_pfn_range(vm, vma, vma.vm_start + 0x100, machine.pfn, PAGE, vma.vm_page_prot)
      const warnings = () =>
        machine.vm.log.lines.filter((line) => JSON.stringify(line).includes('remap_pfn_range')).length
      for (let time = 0; time < 2; time++) {
        const { rc, vma } = map(machine, odd)
        expect([rc, hex(vma.vm_flags)]).toEqual([-EINVAL, '0xfb'])
        expect(warnings()).toBe(1)
      }
    }
  })

  test('remap_pfn_range() MC-8.7: 3.9 to 4.12 map the enclosing page, and run away at the end of a table', () => {
    for (const kernel of ['3.9', '4.6', '4.12.4'] as const) {
      const machine = setup(kernel)
      const odd: DriverMmap = (vm, vma) =>
        remap_pfn_range(vm, vma, vma.vm_start + 0x100, machine.pfn, 2 * PAGE, vma.vm_page_prot)
      const { rc, vma } = map(machine, odd, { addr: 0x4000_0000 })
      expect(rc).toBe(vma.vm_start)
      const mapped = pagemap(machine.vm, machine.mm).map(({ va, pfn }) => [va - vma.vm_start, pfn])
      expect(mapped).toEqual([
        [0, machine.pfn],
        [PAGE, machine.pfn + 1],
      ])
      const lastOfTable = 0x4020_0000 - PAGE
      expect(() => map(machine, odd, { addr: lastOfTable })).toThrow('would not end')
    }
  })
})

// A range that begins at the end of one page table page, whose ptes are there, and needs another, which is not.
function failsHalfway(kernel: KernelVersion, flags: number) {
  const machine = setup(kernel)
  const start = 0x4020_0000 - 2 * PAGE
  let rc = 0
  let left: VirtAddr[] = []
  const { vma } = map(
    machine,
    (vm, vma) => {
      remap_pfn_range(vm, { ...vma }, start - PAGE, machine.pfn, PAGE, vma.vm_page_prot)
      rc = withoutMemory(vm, () =>
        remap_pfn_range(vm, vma, vma.vm_start, machine.pfn, 4 * PAGE, vma.vm_page_prot),
      )
      left = [0, 1, 2, 3].map((page) => start + page * PAGE).filter((va) => pteAt(machine.mm, va) !== 0n)
      return 0
    },
    { pages: 4, flags, addr: start },
  )
  return { ...machine, vma, rc, left: left.map((va) => va - start) }
}

describe('remap_pfn_range halfway', () => {
  test.each(KERNEL_VERSIONS)(
    'remap_pfn_range() MC-8.8: no page for a table after 2 of 4 pages, %s',
    (kernel) => {
      const { vm, mm, rc, left, vma } = failsHalfway(kernel, flag.MAP_SHARED)
      expect(rc).toBe(-ENOMEM)
      expect(left).toEqual(kernelAtLeast(kernel, '6.1.192') ? [] : [0, PAGE])
      expect(vma.vm_flags & (flag.VM_PFNMAP | flag.VM_IO)).toBe(flag.VM_PFNMAP | flag.VM_IO)
      do_munmap(vm, mm, vma.vm_start, 4 * PAGE)
      expect(pagemap(vm, mm)).toEqual([])
    },
  )

  test('remap_pfn_range() MC-8.8: a private VMA keeps the pfn as vm_pgoff after the failure', () => {
    for (const kernel of ['4.12.4', '6.1.192', '6.12.117'] as const) {
      const { rc, pfn, vma } = failsHalfway(kernel, flag.MAP_PRIVATE)
      expect([rc, vma.vm_pgoff, hex(vma.vm_flags)]).toEqual([-ENOMEM, pfn, '0x4144473'])
    }
  })

  test('remap_pfn_range() MC-8.8: a pfn that is forbidden ends it with -EACCES in 6.x, and nothing stays', () => {
    const machine = setup('6.12.117')
    machine.vm.hooks.pfn_modify_allowed = (pfn) => pfn !== machine.pfn + 2
    let rc = 0
    const { vma } = map(machine, (vm, vma) => {
      rc = whole(machine.pfn)(vm, vma)
      return 0
    })
    expect(rc).toBe(-EACCES)
    expect(pagemap(machine.vm, machine.mm)).toEqual([])
    expect(hex(vma.vm_flags)).toBe('0x40444fb')
  })
})

describe('a remapped VMA', () => {
  test.each(KERNEL_VERSIONS)(
    'dup_mm() copies a shared pte clean, so that the child’s first write is noticed, %s',
    (kernel) => {
      const machine = setup(kernel)
      const { vma } = map(machine, whole(machine.pfn))
      userWrite(machine.vm, machine.mm, vma.vm_start, Uint8Array.of(0x5a))
      const child = dup_mm(machine.vm, machine.mm) as MmStruct
      const dirty = (mm: MmStruct) => pte_dirty('arm64', pteAt(mm, vma.vm_start))
      expect([dirty(machine.mm), dirty(child)]).toEqual([true, false])
      expect(userRead(machine.vm, child, vma.vm_start, 1)).toEqual(Uint8Array.of(0x5a))
      expect(userWrite(machine.vm, child, vma.vm_start, Uint8Array.of(0x5b))).toBeNull()
      expect(dirty(child)).toBe(true)
    },
  )

  test('do_munmap() MC-8.9: never frees the memory of the buffer', () => {
    for (const kernel of ['3.5', '4.12.4', '6.12.117'] as const) {
      const machine = setup(kernel)
      const { vma } = map(machine, whole(machine.pfn))
      userWrite(machine.vm, machine.mm, vma.vm_start, Uint8Array.of(0x5a))
      const before = freePagesOf(machine.vm)
      const { pgd } = machine.mm
      const tables = pgd.tables
      expect(do_munmap(machine.vm, machine.mm, vma.vm_start, 3 * PAGE)).toBe(0)
      // All that is free again are page tables.
      expect(freePagesOf(machine.vm)).toBe(before + tables - pgd.tables)
      const { map: pages } = machine.vm.pgdat
      expect(pages.refcount[machine.pfn - pages.start_pfn]).toBe(1)
      const again = map(machine, whole(machine.pfn)).vma
      expect(userRead(machine.vm, machine.mm, again.vm_start, 1)).toEqual(Uint8Array.of(0x5a))
    }
  })

  test('remap_pfn_range() makes mremap, madvise, mlock, /proc/self/mem and pins answer as on a booted kernel', () => {
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      const machine = setup(kernel)
      const { vm, mm } = machine
      const { vma } = map(machine, whole(machine.pfn))
      const at = vma.vm_start
      expect(mremap(vm, mm, at, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE)).toBe(-EFAULT)
      expect(do_madvise(vm, mm, at, 3 * PAGE, MADV_DONTNEED)).toBe(-EINVAL)
      expect(do_madvise(vm, mm, at, 3 * PAGE, MADV_DODUMP)).toBe(-EINVAL)
      expect(do_madvise(vm, mm, at, 3 * PAGE, MADV_DOFORK)).toBe(-EINVAL)
      expect(mlock(vm, mm, at, 3 * PAGE)).toBe(0)
      expect(vma.vm_flags & flag.VM_LOCKED).toBe(0)
      expect(mem_rw(vm, mm, new Uint8Array(8), 8, at, false)).toBe(-EIO)
      expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE | FOLL_LONGTERM, [])).toBe(-EFAULT)
      expect(pagemap(vm, mm)).toHaveLength(3)
    }
  })

  test('mremap() moves a remapped VMA and shrinks it', () => {
    const machine = setup('6.12.117')
    const { vm, mm, pfn } = machine
    const { vma } = map(machine, whole(pfn))
    const to = 0x5000_0000
    expect(mremap(vm, mm, vma.vm_start, 3 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to)).toBe(to)
    expect(pagemap(vm, mm).map(({ va, pfn }) => [va, pfn])).toEqual([
      [to, pfn],
      [to + PAGE, pfn + 1],
    ])
  })

  test('dup_mm() gives the child the same pfns; a private page becomes a copy at the first write', () => {
    for (const arch of ['arm', 'arm64'] as const) {
      const machine = setup('6.1.192', arch)
      const { vm, mm, pfn } = machine
      const { vma } = map(machine, whole(pfn), { flags: flag.MAP_PRIVATE })
      const child = dup_mm(vm, mm) as MmStruct
      expect(pagemap(vm, child).map((entry) => entry.pfn)).toEqual([pfn, pfn + 1, pfn + 2])
      expect(userWrite(vm, child, vma.vm_start, Uint8Array.of(9))).toBeNull()
      const [first] = pagemap(vm, child)
      expect([first!.pfn === pfn, first!.bare]).toEqual([false, false])
      expect(userRead(vm, mm, vma.vm_start, 1)).toEqual(Uint8Array.of(0))
      expect(pagemap(vm, mm)[0]!.bare).toBe(true)
    }
  })

  test('aliasMismatches() MC-8.6: PAGE_SHARED over a write-combined buffer disagrees, the same type does not', () => {
    for (const arch of ['arm', 'arm64'] as const) {
      const machine = setup('6.1.192', arch)
      const asShared = map(machine, (vm, vma) =>
        remap_pfn_range(vm, vma, vma.vm_start, machine.pfn, 3 * PAGE, PAGE_SHARED(arch)),
      ).vma
      const { pid } = machine.mm
      expect(aliasMismatches(machine.vm, machine.pfn, 'normal-nc')).toEqual([
        { pid, va: asShared.vm_start, user: 'normal', kernel: 'normal-nc' },
      ])
      expect(aliasMismatches(machine.vm, machine.pfn, 'normal')).toEqual([])
      do_munmap(machine.vm, machine.mm, asShared.vm_start, 3 * PAGE)
      map(machine, (vm, vma) => {
        vma.vm_page_prot = pgprot_writecombine(arch, vma.vm_page_prot)
        return whole(machine.pfn)(vm, vma)
      })
      expect(aliasMismatches(machine.vm, machine.pfn, 'normal-nc')).toEqual([])
    }
  })
})

describe('vm_iomap_memory', () => {
  const results = (kernel: KernelVersion, cases: readonly (readonly [pages: number, pgoff: number])[]) =>
    cases.map(([pages, pgoff]) => {
      const machine = setup(kernel)
      const { rc } = map(machine, (vm, vma) => vm_iomap_memory(vm, vma, machine.pfn * PAGE, 3 * PAGE), {
        pages,
        pgoff,
      })
      return rc < 0 ? rc : pagemap(machine.vm, machine.mm).map(({ pfn }) => pfn! - machine.pfn)
    })

  test('vm_iomap_memory() MC-8.10: never reaches beyond a region of 3 pages', () => {
    for (const kernel of ['3.9', '4.12.4', '6.1.192', '6.12.117'] as const) {
      expect(
        results(kernel, [
          [3, 0],
          [1, 2],
          [4, 0],
          [2, 2],
          [1, 3],
          [1, 4],
        ]),
      ).toEqual([[0, 1, 2], [2], -EINVAL, -EINVAL, -EINVAL, -EINVAL])
    }
  })

  test('vm_iomap_memory() MC-8.10: an unaligned start maps the enclosing page, and prot stays', () => {
    const machine = setup('6.12.117')
    const { pfn } = machine
    let before = 0n
    const { rc, vma } = map(
      machine,
      (vm, vma) => {
        before = vma.vm_page_prot
        return vm_iomap_memory(vm, vma, pfn * PAGE + 0x800, 2 * PAGE)
      },
      { pages: 3 },
    )
    expect(rc).toBe(vma.vm_start)
    expect(vma.vm_page_prot).toBe(before)
    expect(pagemap(machine.vm, machine.mm).map((entry) => entry.pfn)).toEqual([pfn, pfn + 1, pfn + 2])
    const type = memoryTypeOf('arm64', pteAt(machine.mm, vma.vm_start))
    expect(type).toBe('normal')
  })

  test('vm_iomap_memory() refuses a region that wraps: 32 bits on arm, 64 on arm64', () => {
    const wraps = (arch: Arch, start: number, len: number) => {
      const machine = setup('6.1.192', arch)
      return map(machine, (vm, vma) => vm_iomap_memory(vm, vma, start, len), { pages: 1 }).rc
    }
    expect(wraps('arm', 0xffff_f000, 0x2000)).toBe(-EINVAL)
    expect(wraps('arm64', 0xffff_f000, 0x2000)).toBeGreaterThan(0)
    expect(wraps('arm64', 2 ** 64 - 8192, 3 * PAGE)).toBe(-EINVAL)
  })
})

describe('the mmap of seed 002', () => {
  // What cma_mem.c of the seed does, line by line, but for the test of its state.
  const seed002 =
    (phy_base: number): DriverMmap =>
    (vm, vma) => {
      const page = Math.floor((phy_base + vma.vm_pgoff * PAGE) / PAGE)
      const size = vma.vm_end - vma.vm_start
      if (remap_pfn_range(vm, vma, vma.vm_start, page, size, PAGE_SHARED(vm.pgdat.arch)) !== 0) return -11
      vma.vm_flags &= ~flag.VM_IO
      vma.vm_flags |= flag.VM_DONTEXPAND | flag.VM_DONTDUMP
      return 0
    }

  test('remap_pfn_range() MC-8.11: seed 002 maps any length and offset, ends with 0x40404fb, and is cacheable', () => {
    for (const [kernel, arch] of [
      ['3.9', 'arm'],
      ['6.1.192', 'arm64'],
      ['6.12.117', 'arm64'],
    ] as const) {
      for (const [pages, pgoff] of [
        [3, 0],
        [4, 0],
        [1, 2],
        [2, 2],
        [1, 3],
        [64, 1000],
      ] as const) {
        const machine = setup(kernel, arch)
        const { rc, vma } = map(machine, seed002(machine.pfn * PAGE), { pages, pgoff })
        expect(rc).toBe(vma.vm_start)
        expect(hex(vma.vm_flags)).toBe('0x40404fb')
        const entries = pagemap(machine.vm, machine.mm)
        expect(entries.map(({ pfn }) => pfn)).toEqual(
          Array.from({ length: pages }, (_, i) => machine.pfn + pgoff + i),
        )
        expect(new Set(entries.map(({ type }) => type))).toEqual(new Set(['normal']))
        expect(aliasMismatches(machine.vm, machine.pfn + pgoff, 'normal-nc')).toHaveLength(1)
      }
    }
  })
})
