// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { walk } from '../../code/arch/pgtable.ts'
import { memoryTypeOf } from '../../code/arch/pgtable_prot.ts'
import { pte_pfn } from '../../code/arch/pgtable_pte.ts'
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from '../../code/lib/errno.ts'
import { encodeStruct, layoutOf } from '../../code/lib/c_layout.ts'
import { MiB } from '../../code/lib/units.ts'
import { createMisc, MISC_DYNAMIC_MINOR, misc_open, misc_register } from '../../code/machine/misc.ts'
import {
  loadSeedCmaMem,
  SEED_CMEM_ALLOCATE,
  SEED_PROGRAM_INFO,
  seedCmaMemFops,
  seedCmaMemIoctl,
} from '../../code/machine/seed_cma_mem.ts'
import { fput } from '../../code/mm/file.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { do_munmap } from '../../code/mm/mmap_unmap.ts'
import { createProcess, vma_lookup } from '../../code/mm/mm_struct.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import { PAGE, start, usedOf } from '../dma/dma_system.ts'
import { mapMemory, withoutMemory } from '../support/processes.ts'

/** Linux 3.9 on arm with the module loaded; programs that open, ALLOCATE and mmap. */
function machine() {
  const system = start({ kernel: '3.9', arch: 'arm', cmdline: 'cma=16M' })
  const { vm, dma } = system
  const seed = loadSeedCmaMem(dma)
  const misc = createMisc('3.9')
  const device = { minor: MISC_DYNAMIC_MINOR, name: 'cma_mem', fops: seedCmaMemFops(seed) }
  misc_register(misc, device)
  const program = () => {
    const mm = createProcess(vm, 'program')
    const scratch = mapMemory(vm, mm, PAGE)
    const file = misc_open(misc, vm, device.minor)
    if (typeof file === 'number') throw new Error(`misc_open: ${file}`)
    const layout = layoutOf(SEED_PROGRAM_INFO, 'ILP32')
    const allocate = (len: number) => {
      userWrite(vm, mm, scratch, encodeStruct(layout, { len }))
      return seedCmaMemIoctl(seed, mm, SEED_CMEM_ALLOCATE, scratch)
    }
    const ioctl = (cmd: number, arg: number) => seedCmaMemIoctl(seed, mm, cmd, arg)
    const mmap = (pages: number, pgoff = 0, flags: number = MAP_SHARED, prot = PROT_READ | PROT_WRITE) =>
      do_mmap(vm, mm, { len: pages * PAGE, prot, flags, file, pgoff })
    const pfnAt = (va: number) => pte_pfn(vm.geometry, walk(mm.pgd, va)!.pte)
    return { mm, file, scratch, layout, allocate, ioctl, mmap, pfnAt }
  }
  return { system, vm, seed, program }
}

describe('seedCmaMemIoctl()', () => {
  test('MC-13.1: a bad pointer is -EFAULT, a length of 0 in whole pages -ENOMEM, both counted', () => {
    const { seed, program } = machine()
    const { allocate, ioctl } = program()
    expect(ioctl(SEED_CMEM_ALLOCATE, 0)).toBe(-EFAULT)
    expect([0, 0xffff_f001, 0xffff_ffff].map(allocate)).toEqual([-ENOMEM, -ENOMEM, -ENOMEM])
    expect(seed).toMatchObject({ count: 4, status: 'UNKNOW_STATUS', phy_base: 0 })
  })

  test('MC-13.1: without memory -ENOMEM, and the buffer before stays the one that is mapped', () => {
    const { seed, program } = machine()
    const { allocate } = program()
    expect(allocate(MiB(1))).toBe(0)
    const { phy_base } = seed
    expect([allocate(MiB(64)), allocate(0x8000_0000)]).toEqual([-ENOMEM, -ENOMEM])
    expect(seed).toMatchObject({ count: 3, status: 'HAVE_ALLOCED', phy_base })
  })

  test('MC-13.1: any other command is 0 and does nothing; ALLOCATE copies nothing back', () => {
    const { seed, system, program } = machine()
    const { mm, scratch, allocate, ioctl, layout } = program()
    const commands = [1, 2, 3, 4, 6, 7, 8].map((nr) => 0x4004_6d00 + nr)
    expect([...commands, 0, 0xdead_beef].map((cmd) => ioctl(cmd, 0))).toEqual(Array<number>(9).fill(0))
    expect(seed.count).toBe(0)
    allocate(MiB(1))
    expect(userRead(system.vm, mm, scratch, layout.size)).toEqual(encodeStruct(layout, { len: MiB(1) }))
  })

  test('MC-13.1: ALLOCATE number 33 writes behind the array, also when those before failed', () => {
    const { program } = machine()
    const { allocate } = program()
    for (let i = 0; i < 32; i++) allocate(0)
    expect(() => allocate(0)).toThrow('ALLOCATE number 33 writes cma_info[32]')
  })

  test('MC-13.1: nothing is freed, not by munmap and not by close', () => {
    const { system, vm, program } = machine()
    const { mm, file, allocate, mmap } = program()
    const before = usedOf(system)
    allocate(MiB(1))
    const va = mmap(256)
    do_munmap(vm, mm, va, MiB(1))
    fput(vm, file)
    expect(usedOf(system)).toBe(before + 256)
  })
})

describe('seedCmaMemMmap()', () => {
  test('MC-13.1: before the first ALLOCATE that succeeded it is -EINVAL', () => {
    const { program } = machine()
    const { allocate, mmap } = program()
    expect(mmap(1)).toBe(-EINVAL)
    allocate(0)
    expect(mmap(1)).toBe(-EINVAL)
    allocate(PAGE)
    expect(mmap(1)).toBeGreaterThan(0)
  })

  test('MC-13.1: A allocates at P1, B at P2, A maps: P2', () => {
    const { seed, program } = machine()
    const [a, b] = [program(), program()]
    a.allocate(MiB(1))
    const p1 = seed.phy_base
    b.allocate(MiB(1))
    const p2 = seed.phy_base
    expect(p2).not.toBe(p1)
    expect(a.pfnAt(a.mmap(1))).toBe(p2 / PAGE)
    // A program that never allocated maps it too.
    const c = program()
    expect(c.pfnAt(c.mmap(1))).toBe(p2 / PAGE)
  })

  test('MC-13.1: any length and any offset is mapped, and an offset goes round the end of 32 bits', () => {
    const { seed, program } = machine()
    const { allocate, mmap, pfnAt } = program()
    allocate(3 * PAGE)
    const pfn = seed.phy_base / PAGE
    const cases = [
      [4, 0, pfn],
      [2, 2, pfn + 2],
      [1, 5000, pfn + 5000],
      [1, 2 ** 20 - 1, pfn - 1],
    ] as const
    expect(cases.map(([pages, pgoff]) => pfnAt(mmap(pages, pgoff)))).toEqual(cases.map(([, , at]) => at))
  })

  test('MC-13.1: the mapping is cached and writable whatever was asked; -EAGAIN for any refusal', () => {
    const { vm, program } = machine()
    const { mm, allocate, mmap } = program()
    allocate(3 * PAGE)
    const va = mmap(1, 0, MAP_SHARED, PROT_READ)
    const { pte } = walk(mm.pgd, va)!
    expect([memoryTypeOf('arm', pte), vma_lookup(mm, va)!.vm_flags & 0x4000]).toEqual(['normal', 0])
    expect(vma_lookup(mm, mmap(3))!.vm_flags).toBe(0x40404fb)
    const other = program()
    // Private mappings go through too, and what remap_pfn_range() says of missing page tables is lost.
    expect(mmap(1, 0, MAP_PRIVATE)).toBeGreaterThan(0)
    expect(withoutMemory(vm, () => other.mmap(1))).toBe(-EAGAIN)
  })
})
