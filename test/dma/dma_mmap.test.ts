// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { kernelWrite } from '../../code/arch/kernel_map.ts'
import { walk } from '../../code/arch/pgtable.ts'
import { memoryTypeOf, PAGE_SHARED } from '../../code/arch/pgtable_prot.ts'
import { pte_pfn } from '../../code/arch/pgtable_pte.ts'
import { aliasMismatch, dma_mmap_coherent, dma_mmap_wc } from '../../code/dma/dma_mmap.ts'
import { dma_alloc_coherent, dma_alloc_wc } from '../../code/dma/mapping.ts'
import type { DmaBuffer } from '../../code/dma/dma_state.ts'
import { ENXIO } from '../../code/lib/errno.ts'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import type { System } from '../../code/machine/system.ts'
import { createDeviceNode, openFile } from '../../code/mm/file.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { remap_pfn_range } from '../../code/mm/memory_remap.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { userRead } from '../../code/mm/uaccess.ts'
import type { VmArea } from '../../code/mm/vm.ts'
import type { Device } from '../../code/of/reserved_mem.ts'
import { device, NOW, PAGE, pfnOf, start, withPool, type Wish } from './dma_system.ts'

type Mmap = (vma: VmArea) => number

// mmap(2) of a driver's file; the vma as the driver left it, and what it said.
function mapped(system: System, len: number, pgoff: number, mmap: Mmap, flags: number = MAP_SHARED) {
  const { vm } = system
  const mm = createProcess(vm, 'viewer')
  const seen: VmArea[] = []
  const node = createDeviceNode('driver', {
    mmap: (_vm, _file, vma) => {
      seen.push(vma)
      return mmap(vma)
    },
  })
  const prot = PROT_READ | PROT_WRITE
  const ret = do_mmap(vm, mm, { len, prot, flags, file: openFile(vm, node), pgoff })
  return { mm, vma: seen[0]!, ret: ret < 0 ? ret : 0, va: ret }
}

const coherentMmap = (
  { dma }: System,
  dev: Device,
  size: number,
  { cpu_addr, dma_handle }: DmaBuffer,
): Mmap => {
  return (vma) => dma_mmap_coherent(dma, dev, vma, cpu_addr, dma_handle, size)
}

describe('dma_mmap_coherent()', () => {
  const SIZE = 3 * PAGE
  const three = (kernel: KernelVersion, wish: Wish = {}) => {
    const system = start({ kernel, cmdline: 'cma=16M', ...wish })
    const dev = device()
    const buffer = dma_alloc_coherent(system.dma, dev, SIZE, GFP_KERNEL)!
    const call = (len: number, pgoff: number, flags?: number) =>
      mapped(system, len, pgoff, coherentMmap(system, dev, SIZE, buffer), flags)
    return { system, dev, buffer, call }
  }

  test.each(NOW)('TV-19, MC-8.5: a buffer of 3 pages, lengths and offsets [%s]', (kernel) => {
    const { call } = three(kernel)
    const cases = [
      [3, 0, 0],
      [4, 0, -ENXIO],
      [1, 2, 0],
      [2, 2, -ENXIO],
      [1, 3, -ENXIO],
      [1, 0x7_ffff_ffff_ffff, -ENXIO],
    ] as const
    expect(cases.map(([pages, pgoff]) => call(pages * PAGE, pgoff).ret)).toEqual(
      cases.map(([, , ret]) => ret),
    )
    const byte = call(1, 0)
    expect([byte.ret, byte.vma.vm_end - byte.vma.vm_start]).toEqual([0, PAGE])
  })

  test.each(NOW)('TV-19: flags, and the pfn in vm_pgoff of a private mapping [%s]', (kernel) => {
    const { system, dev, buffer, call } = three(kernel)
    const pfn = pfnOf(system, dev, buffer)
    expect(call(SIZE, 0).vma.vm_flags).toBe(0x40444fb)
    expect([call(SIZE, 0, MAP_PRIVATE).vma.vm_pgoff, call(PAGE, 1, MAP_PRIVATE).vma.vm_pgoff]).toEqual([
      pfn,
      pfn + 1,
    ])
  })

  test.each(NOW)('TV-19, MC-8.5: the memory type of the vma changes also when it fails [%s]', (kernel) => {
    const { vma, ret } = three(kernel).call(4 * PAGE, 0)
    expect([ret, memoryTypeOf('arm64', vma.vm_page_prot)]).toEqual([-ENXIO, 'normal-nc'])
  })

  test.each(NOW)('MC-8.5: a size of one byte is a page [%s]', (kernel) => {
    const { system, dev, buffer } = three(kernel)
    const one = coherentMmap(system, dev, 1, buffer)
    expect([mapped(system, PAGE, 0, one).ret, mapped(system, PAGE, 1, one).ret]).toEqual([0, -ENXIO])
    expect(mapped(system, 2 * PAGE, 0, one).ret).toBe(-ENXIO)
  })

  test.each([...NOW, '4.12.4', '3.9'] as const)(
    'maps the pages of the buffer, from vm_pgoff on [%s]',
    (kernel) => {
      const arch: Arch = kernel === '3.9' ? 'arm' : 'arm64'
      const { system, dev, buffer, call } = three(kernel, { arch })
      kernelWrite(system.kernelMap, buffer.cpu_addr + PAGE, new Uint8Array([0x5a]))
      const { mm, va } = call(2 * PAGE, 1)
      expect(pte_pfn({ arch, pageSize: PAGE }, walk(mm.pgd, va)!.pte)).toBe(pfnOf(system, dev, buffer) + 1)
      expect(userRead(system.vm, mm, va, 1)).toEqual(new Uint8Array([0x5a]))
    },
  )
})

describe('a buffer of a pool', () => {
  const pool = (kernel: KernelVersion, size: number) => {
    const { system, dev } = withPool(16, { kernel })
    dma_alloc_coherent(system.dma, dev, 2 * PAGE, GFP_KERNEL)
    const buffer = dma_alloc_coherent(system.dma, dev, size, GFP_KERNEL)!
    return {
      system,
      dev,
      call: (pages: number, pgoff: number) =>
        mapped(system, pages * PAGE, pgoff, coherentMmap(system, dev, size, buffer)),
    }
  }

  test.each([...NOW, '4.12.4', '4.6'] as const)(
    'MC-8.5: the same checks, and its own pages [%s]',
    (kernel) => {
      const { call } = pool(kernel, 3 * PAGE)
      expect([call(3, 0).ret, call(4, 0).ret, call(1, 2).ret, call(1, 3).ret]).toEqual([0, -ENXIO, 0, -ENXIO])
      const { mm, va } = call(1, 2)
      expect(pte_pfn({ arch: 'arm64', pageSize: PAGE }, walk(mm.pgd, va)!.pte)).toBe(0x5_0004 + 2)
    },
  )

  test('4.6 maps whole pages of the size only: one page of a page and a byte, two since', () => {
    const second = (['4.6', '4.12.4', '6.1.192'] as const).map(
      (kernel) => pool(kernel, PAGE + 1).call(2, 0).ret,
    )
    expect(second).toEqual([-ENXIO, 0, 0])
  })
})

describe('aliasMismatch()', () => {
  const views = (system: System, dev: Device) => {
    const buffer = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    const { vma, ret, mm, va } = mapped(system, PAGE, 0, coherentMmap(system, dev, PAGE, buffer))
    expect(ret).toBe(0)
    return {
      type: memoryTypeOf('arm64', walk(mm.pgd, va)!.pte),
      alias: aliasMismatch(system.dma, vma, buffer.cpu_addr),
    }
  }

  test.each(NOW)(
    'MC-8.6: none for dma-direct, coherent or not, nor for a pool’s device that is not [%s]',
    (kernel) => {
      const system = start({ kernel })
      expect(views(system, device('c', { dma_coherent: true }))).toEqual({ type: 'normal', alias: null })
      expect(views(system, device())).toEqual({ type: 'normal-nc', alias: null })
      const pooled = withPool(4, { kernel })
      expect(views(pooled.system, pooled.dev)).toEqual({ type: 'normal-nc', alias: null })
    },
  )

  test.each(NOW)('MC-8.6: a pool’s coherent device, which sees old bytes [%s]', (kernel) => {
    const { system, dev } = withPool(4, { kernel })
    dev.dma_coherent = true
    expect(views(system, dev)).toEqual({ type: 'normal', alias: { kernel: 'normal-nc', user: 'normal' } })
    const buffer = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    const { mm, va } = mapped(system, PAGE, 0, coherentMmap(system, dev, PAGE, buffer))
    expect(userRead(system.vm, mm, va, 1)).toEqual(new Uint8Array([0]))
    kernelWrite(system.kernelMap, buffer.cpu_addr, new Uint8Array([9]))
    expect(userRead(system.vm, mm, va, 1)).toEqual(new Uint8Array([0]))
  })

  test.each([...NOW, '3.9'] as const)('MC-8.6: PAGE_SHARED over a write-combined buffer [%s]', (kernel) => {
    const arch: Arch = kernel === '3.9' ? 'arm' : 'arm64'
    const system = start({ kernel, arch, cmdline: 'cma=16M' })
    const dev = device()
    const buffer = dma_alloc_wc(system.dma, dev, PAGE, GFP_KERNEL)!
    const { vma } = mapped(system, PAGE, 0, (each) => {
      each.vm_page_prot = PAGE_SHARED(arch)
      const size = each.vm_end - each.vm_start
      return remap_pfn_range(
        system.vm,
        each,
        each.vm_start,
        pfnOf(system, dev, buffer),
        size,
        each.vm_page_prot,
      )
    })
    expect(aliasMismatch(system.dma, vma, buffer.cpu_addr)).toEqual({ kernel: 'normal-nc', user: 'normal' })
  })
})

describe('dma_mmap_wc()', () => {
  test('who gets uncached pages, by kernel and coherence', () => {
    const type = (kernel: KernelVersion, arch: Arch, coherent: boolean) => {
      const system = start({ kernel, arch, cmdline: 'cma=16M' })
      const dev = device('d', { dma_coherent: coherent })
      const { cpu_addr, dma_handle } = dma_alloc_wc(system.dma, dev, PAGE, GFP_KERNEL)!
      const { vma } = mapped(system, PAGE, 0, (each) =>
        dma_mmap_wc(system.dma, dev, each, cpu_addr, dma_handle, PAGE),
      )
      return memoryTypeOf(arch, vma.vm_page_prot)
    }
    const both = (kernel: KernelVersion, arch: Arch) => [type(kernel, arch, false), type(kernel, arch, true)]
    expect(both('3.9', 'arm')).toEqual(['normal-nc', 'normal-nc'])
    expect(both('4.12.4', 'arm')).toEqual(['normal-nc', 'normal'])
    expect(both('4.12.4', 'arm64')).toEqual(['normal-nc', 'normal-nc'])
    for (const kernel of NOW) {
      expect([both(kernel, 'arm'), both(kernel, 'arm64')]).toEqual([
        ['normal-nc', 'normal'],
        ['normal-nc', 'normal'],
      ])
    }
  })
})
