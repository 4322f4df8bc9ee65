// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { walk } from '../../code/arch/pgtable.ts'
import { memoryTypeOf } from '../../code/arch/pgtable_prot.ts'
import { pte_pfn } from '../../code/arch/pgtable_pte.ts'
import { aliasMismatch } from '../../code/dma/dma_mmap.ts'
import * as errno from '../../code/lib/errno.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import { probeCmaMem, readCmaMem, removeCmaMem, writeCmaMem } from '../../code/machine/cma_mem.ts'
import { CMA_MEM, CMA_MEM_MAP_DMA, CMA_MEM_MAP_PFN, cmaMemStruct } from '../../code/machine/cma_mem_abi.ts'
import { cmaMemFile } from '../../code/machine/cma_mem_buffer.ts'
import { cmaMemIoctl } from '../../code/machine/cma_mem_ioctl.ts'
import { createMisc } from '../../code/machine/misc.ts'
import { createDeviceNode, FMODE_READ, FMODE_WRITE, fput, openFile } from '../../code/mm/file.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_PRIVATE, MAP_SHARED, PROT_READ } from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm, exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { vma_lookup } from '../../code/mm/mm_struct.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import { freePagesOf } from '../support/processes.ts'
import { NOW, PAGE, start, usedOf } from '../dma/dma_system.ts'
import { cmaMem, type Program } from './cma_mem_program.ts'

const BOTH = [CMA_MEM_MAP_DMA, CMA_MEM_MAP_PFN] as const
const word = (n: number) => new Uint8Array([n, n + 1, n + 2, n + 3])

describe.each(NOW)('cmaMemIoctl() [%s]', (kernel) => {
  test('MC-13.2: ALLOCATE refuses size 0, above the limit, an unknown flag, a reserved field: -EINVAL', () => {
    const { program, cm } = cmaMem(kernel, { limit: MiB(8) })
    const fd = program.open()
    const sizes = [0, MiB(8) + 1, 2 ** 32 + 1, 2n ** 64n - 4094n, 2n ** 64n - 1n]
    expect(sizes.map((size) => program.allocate(fd, size))).toEqual(sizes.map(() => -errno.EINVAL))
    expect([2, 0x8000_0001].map((flags) => program.allocate(fd, PAGE, flags))).toEqual([-22, -22])
    const reserved = program.call(fd, 'ALLOCATE', 'allocate', { size: PAGE, reserved: 1 })
    expect([reserved.errno, cm.used, cmaMemFile(program.file(fd))!.buffer]).toEqual([-errno.EINVAL, 0, null])
  })

  test('MC-13.2: ALLOCATE grants the size in whole pages, zeroed, and a second one is -EBUSY', () => {
    const { program, cm } = cmaMem(kernel)
    const granted = [1, PAGE, PAGE + 1, 1536000, 1536001].map((size) => {
      const fd = program.open()
      return program.call(fd, 'ALLOCATE', 'allocate', { size, flags: 1 }).got['granted']
    })
    expect(granted).toEqual([PAGE, PAGE, 2 * PAGE, 1536000, 1536000 + PAGE])
    expect(cm.used).toBe(granted.reduce<number>((sum, each) => sum + each!, 0))
    const { buffer } = cmaMemFile(program.file(6))!
    expect(readCmaMem(cmaMemFile(program.file(6))!, 0, 1536000).every((byte) => byte === 0)).toBe(true)
    expect(program.allocate(6, PAGE)).toBe(-errno.EBUSY)
    expect(cmaMemFile(program.file(6))!.buffer).toBe(buffer)
  })

  test('MC-13.2: without memory -ENOMEM, over the limit together -ENOSPC, and the file stays as it was', () => {
    const { program, cm, system } = cmaMem(kernel, { limit: MiB(32) })
    const before = usedOf(system)
    const fd = program.open()
    expect(program.allocate(fd, MiB(32))).toBe(-errno.ENOMEM)
    expect([cm.used, cmaMemFile(program.file(fd))!.buffer, usedOf(system)]).toEqual([0, null, before])
    expect(program.allocate(fd, MiB(8))).toBe(0)
    expect(program.allocate(program.open(), MiB(24) + 1)).toBe(-errno.ENOSPC)
  })

  test('MC-13.2: an answer that cannot be written frees the buffer: -EFAULT', () => {
    const { program, cm, system } = cmaMem(kernel)
    // A request that lies in memory of which the program has a read-only mapping: another file's buffer.
    const page = program.buffer(1)
    const reader = program.open(FMODE_READ)
    expect(program.call(reader, 'CONNECT', 'connect', { fd: page }).errno).toBe(0)
    writeCmaMem(cmaMemFile(program.file(page))!, 0, cmaMemStruct('allocate', { size: MiB(1) }))
    const request = { len: PAGE, prot: PROT_READ, flags: MAP_SHARED, file: program.file(reader) }
    const arg = do_mmap(system.vm, program.mm, request)
    const before = [usedOf(system), cm.used]
    const fd = program.open()
    expect(program.ioctl(fd, CMA_MEM.ALLOCATE, arg)).toBe(-errno.EFAULT)
    expect([usedOf(system), cm.used]).toEqual(before)
    expect([program.ioctl(fd, CMA_MEM.FREE), program.allocate(fd, PAGE)]).toEqual([-errno.ENOENT, 0])
  })

  test('MC-13.2: without a buffer: FREE and the rest -ENOENT, mmap -EINVAL, and the file is empty', () => {
    const { program } = cmaMem(kernel)
    const fd = program.open()
    const said = [
      program.call(fd, 'GET_PHYS', 'phys').errno,
      program.call(fd, 'GET_SIZE', 'size').errno,
      program.how(fd, CMA_MEM_MAP_PFN),
      program.ioctl(fd, CMA_MEM.UNMAP),
      program.call(fd, 'CACHE_FLUSH', 'range', { length: 1 }).errno,
      program.ioctl(fd, CMA_MEM.FREE),
    ]
    expect(said).toEqual(said.map(() => -errno.ENOENT))
    expect(program.mmap(fd, 1)).toBe(-errno.EINVAL)
    const cf = cmaMemFile(program.file(fd))!
    expect([readCmaMem(cf, 0, 8).length, writeCmaMem(cf, 0, word(1))]).toEqual([0, -errno.ENOSPC])
  })

  test('MC-13.2: an unknown command is -ENOTTY, also with a known number and another size', () => {
    const { program } = cmaMem(kernel)
    const fd = program.buffer(1)
    const commands = [0, 0xbc1a, 0xbc15, 0x4004_6d05, CMA_MEM.ALLOCATE + 0x1_0000]
    expect(commands.map((cmd) => program.ioctl(fd, cmd, program.scratch))).toEqual(
      commands.map(() => -errno.ENOTTY),
    )
  })

  test('a bad pointer is -EFAULT for every command that has one', () => {
    const { program } = cmaMem(kernel)
    const fd = program.buffer(1)
    const { FREE, UNMAP, ...rest } = CMA_MEM
    expect(Object.values(rest).map((cmd) => program.ioctl(fd, cmd, 0))).toEqual(
      Object.values(rest).map(() => -errno.EFAULT),
    )
    expect([program.ioctl(fd, UNMAP, 1), program.ioctl(fd, FREE, 1)]).toEqual([0, 0])
  })

  test('GET_PHYS is the DMA address, and nothing without CAP_SYS_RAWIO', () => {
    const { program } = cmaMem(kernel)
    const fd = program.buffer(3)
    const { buffer } = cmaMemFile(program.file(fd))!
    expect(program.call(fd, 'GET_PHYS', 'phys').got).toEqual({ address: buffer!.dma_handle, size: 3 * PAGE })
    const nobody = program.call(fd, 'GET_PHYS', 'phys', {}, { rawio: false })
    expect(nobody).toEqual({ errno: -errno.EPERM, got: { address: 0, size: 0 } })
  })

  test('CACHE_FLUSH takes bytes of the buffer and no others', () => {
    const { program } = cmaMem(kernel)
    const fd = program.buffer(2)
    const flush = (offset: number | bigint, length: number | bigint) =>
      program.call(fd, 'CACHE_FLUSH', 'range', { offset, length }).errno
    const all = 2 * PAGE
    expect([flush(0, all), flush(all - 1, 1)]).toEqual([0, 0])
    expect([flush(0, 0), flush(all, 1), flush(all - 1, 2), flush(1, 2n ** 64n - 1n)]).toEqual([
      ...[-errno.EINVAL, -errno.ENXIO, -errno.ENXIO, -errno.ENXIO],
    ])
  })
})

describe.each(NOW)('do_mmap() of /dev/cma_mem [%s]', (kernel) => {
  test('MC-13.2: pages that the buffer does not have are -ENXIO, by both ways', () => {
    const { program } = cmaMem(kernel)
    const fd = program.buffer(3)
    for (const how of BOTH) {
      expect(program.how(fd, how)).toBe(0)
      const outside = [program.mmap(fd, 4), program.mmap(fd, 1, 3), program.mmap(fd, 2, 2)]
      expect([...outside, program.mmap(fd, 1, 0x7_ffff_ffff_ffff)]).toEqual([-6, -6, -6, -6])
      expect(program.mmap(fd, 1, 2)).toBeGreaterThan(0)
    }
  })

  test('MC-13.2: a private mapping is -EINVAL, by both ways', () => {
    const { program } = cmaMem(kernel)
    const fd = program.buffer(3)
    for (const how of BOTH) {
      program.how(fd, how)
      expect(program.mmap(fd, 3, 0, MAP_PRIVATE)).toBe(-errno.EINVAL)
    }
  })

  test.each([0, 1])('both ways map the buffer’s pages with the kernel’s memory type, flags %i', (flags) => {
    const { program, system } = cmaMem(kernel)
    const { vm, dma } = system
    const fd = program.buffer(5, flags)
    const { buffer } = cmaMemFile(program.file(fd))!
    for (const how of BOTH) {
      program.how(fd, how)
      const va = program.mmap(fd, 2, 3)
      const { pte } = walk(program.mm.pgd, va)!
      expect(pte_pfn(vm.geometry, pte)).toBe(buffer!.dma_handle / PAGE + 3)
      expect(memoryTypeOf('arm64', pte)).toBe('normal-nc')
      const vma = vma_lookup(program.mm, va)!
      expect([vma.vm_flags, aliasMismatch(dma, vma, buffer!.cpu_addr)]).toEqual([0x40444fb, null])
    }
  })

  test('what is written by one way is read by the other, and by the kernel', () => {
    const { program, system } = cmaMem(kernel)
    const fd = program.buffer(3)
    const [dma, pfn] = BOTH.map((how) => program.how(fd, how) || program.mmap(fd, 3))
    userWrite(system.vm, program.mm, dma! + PAGE, word(1))
    expect(userRead(system.vm, program.mm, pfn! + PAGE, 4)).toEqual(word(1))
    userWrite(system.vm, program.mm, pfn! + 2 * PAGE, word(5))
    expect(readCmaMem(cmaMemFile(program.file(fd))!, 2 * PAGE, 4)).toEqual(word(5))
  })
})

describe.each(NOW)('a buffer of /dev/cma_mem [%s]', (kernel) => {
  test('MC-13.2: FREE and UNMAP while it is mapped are -EBUSY; UNMAP refuses mmap until MAP', () => {
    const { program, system } = cmaMem(kernel)
    const fd = program.buffer(3)
    const va = program.mmap(fd, 3)
    expect([program.ioctl(fd, CMA_MEM.FREE), program.ioctl(fd, CMA_MEM.UNMAP)]).toEqual([-16, -16])
    // The middle goes: two mappings are left.
    do_munmap(system.vm, program.mm, va + PAGE, PAGE)
    expect(program.call(fd, 'GET_SIZE', 'size').got).toEqual({
      ...{ size: 3 * PAGE, flags: 1, how: CMA_MEM_MAP_DMA, mappings: 2, files: 1 },
    })
    do_munmap(system.vm, program.mm, va, 3 * PAGE)
    expect([program.ioctl(fd, CMA_MEM.UNMAP), program.mmap(fd, 1)]).toEqual([0, -errno.EINVAL])
    expect([program.how(fd, 3), program.how(fd, 0), program.how(fd, CMA_MEM_MAP_PFN)]).toEqual([-22, -22, 0])
    expect(program.mmap(fd, 1)).toBeGreaterThan(0)
  })

  test('MC-13.2: two files never see each other’s buffer', () => {
    const { program, system, cm } = cmaMem(kernel)
    const [one, two] = [program.buffer(4), program.buffer(4)]
    const [a, b] = [program.mmap(one, 4), program.mmap(two, 4)]
    userWrite(system.vm, program.mm, a, word(1))
    expect(userRead(system.vm, program.mm, b, 4)).toEqual(new Uint8Array(4))
    do_munmap(system.vm, program.mm, b, 4 * PAGE)
    fput(system.vm, program.file(two))
    expect([userRead(system.vm, program.mm, a, 4), cm.used]).toEqual([word(1), 4 * PAGE])
  })

  test('MC-13.2: close with a live mapping keeps it, the last munmap gives it back', () => {
    const { program, system, cm } = cmaMem(kernel)
    const before = usedOf(system)
    const fd = program.buffer(4)
    const va = program.mmap(fd, 4)
    fput(system.vm, program.file(fd))
    userWrite(system.vm, program.mm, va, word(9))
    expect([userRead(system.vm, program.mm, va, 4), cm.used]).toEqual([word(9), 4 * PAGE])
    expect(removeCmaMem(cm)).toBe(-errno.EAGAIN)
    do_munmap(system.vm, program.mm, va, PAGE)
    expect(usedOf(system)).toBe(before + 4)
    do_munmap(system.vm, program.mm, va + PAGE, 3 * PAGE)
    expect([usedOf(system), cm.used, removeCmaMem(cm)]).toEqual([before, 0, 0])
  })

  test.each(['child', 'parent'])(
    'MC-13.2: after a fork the exit of the %s changes nothing for the other',
    (who) => {
      const { program, system, cm } = cmaMem(kernel)
      const { vm } = system
      const fd = program.buffer(4)
      const va = program.mmap(fd, 4)
      const child = dup_mm(vm, program.mm)
      if (typeof child === 'number') throw new Error(`dup_mm: ${child}`)
      userWrite(vm, child, va, word(3))
      expect(cmaMemFile(program.file(fd))!.mappings).toBe(2)
      const [gone, left] = who === 'child' ? [child, program.mm] : [program.mm, child]
      exit_mmap(vm, gone)
      expect([userRead(vm, left, va, 4), cm.used]).toEqual([word(3), 4 * PAGE])
      expect(program.ioctl(fd, CMA_MEM.FREE)).toBe(-errno.EBUSY)
      exit_mmap(vm, left)
      fput(vm, program.file(fd))
      expect(cm.used).toBe(0)
    },
  )
})

describe.each(NOW)('CONNECT [%s]', (kernel) => {
  const connect = (program: Program, fd: number, other: number) =>
    program.call(fd, 'CONNECT', 'connect', { fd: other }).errno

  test('makes two files hold one buffer, which outlives the first', () => {
    const { program, system, cm } = cmaMem(kernel)
    const [owner, other] = [program.buffer(4), program.open()]
    expect(connect(program, other, owner)).toBe(0)
    const va = program.mmap(other, 4)
    userWrite(system.vm, program.mm, va, word(4))
    expect(program.call(owner, 'GET_SIZE', 'size').got['files']).toBe(2)
    expect([program.ioctl(owner, CMA_MEM.FREE), program.allocate(owner, 4 * PAGE)]).toEqual([0, 0])
    expect([userRead(system.vm, program.mm, va, 4), cm.used]).toEqual([word(4), 8 * PAGE])
  })

  test('refuses what is no file of the device, has no buffer, or would have two', () => {
    const { program, system } = cmaMem(kernel)
    const [full, empty, other] = [program.buffer(1), program.open(), program.buffer(1)]
    program.files.set(99, openFile(system.vm, createDeviceNode('null', {})))
    const { EBADF, EINVAL, ENOENT, EBUSY } = errno
    expect([-1, 55, 99, empty].map((fd) => connect(program, empty, fd))).toEqual([
      ...[-EBADF, -EBADF, -EINVAL, -ENOENT],
    ])
    expect([empty, other, full].map((fd) => connect(program, full, fd))).toEqual([-ENOENT, -EBUSY, -EBUSY])
    expect(program.call(empty, 'CONNECT', 'connect', { fd: full, reserved: 1 }).errno).toBe(-EINVAL)
  })

  test('gives no right that the other file has not', () => {
    const { program } = cmaMem(kernel)
    const owner = program.buffer(1)
    const [reader, writer] = [program.open(FMODE_READ), program.open(FMODE_WRITE)]
    expect([connect(program, reader, owner), connect(program, writer, owner)]).toEqual([0, 0])
    const both = program.open()
    expect([connect(program, both, reader), connect(program, both, writer)]).toEqual([-13, -13])
    expect(connect(program, program.open(FMODE_READ), reader)).toBe(0)
  })
})

describe('probeCmaMem()', () => {
  test('refuses a limit of less than a page or more than 1 GiB', () => {
    const { dma } = start()
    const said = [0, PAGE - 1, GiB(1) + PAGE].map((limit) =>
      probeCmaMem(dma, createMisc('6.12.117'), { limit }),
    )
    expect(said).toEqual([-22, -22, -22])
  })

  test('says what the module says', () => {
    const { system } = cmaMem('6.12.117', { limit: MiB(32) + 5 })
    expect(system.printk.records.at(-1)!.text).toBe('cma_mem cma_mem: /dev/cma_mem: up to 32768 KiB')
  })

  test('everything comes back: pages, kernel addresses, bytes', () => {
    const { program, system, cm } = cmaMem()
    const held = () => [usedOf(system), freePagesOf(system.vm), system.kernelMap.areas.length]
    let before: number[] = []
    for (let round = 0; round < 20; round++) {
      // The first round brings the program its page tables.
      if (round === 1) before = held()
      const fd = program.buffer(2 + round, round % 2)
      const other = program.open()
      program.call(other, 'CONNECT', 'connect', { fd })
      program.how(other, CMA_MEM_MAP_PFN)
      const [a, b] = [program.mmap(fd, 2), program.mmap(other, 2)]
      for (const va of [a, b]) do_munmap(system.vm, program.mm, va, 2 * PAGE)
      for (const each of [fd, other]) fput(system.vm, program.file(each))
    }
    expect(held()).toEqual(before)
    expect([cm.used, removeCmaMem(cm)]).toEqual([0, 0])
  })

  test('cmaMemIoctl() throws for a file of another driver', () => {
    const { system, cm, program } = cmaMem()
    const file = openFile(system.vm, createDeviceNode('null', {}))
    expect(() => cmaMemIoctl(cm, { mm: program.mm }, file, CMA_MEM.FREE)).toThrow('got a file of null')
  })
})
