// SPDX-License-Identifier: MIT
//
// Which area a buffer comes from, and the seed's cma_test as a small model of itself.
import { describe, expect, it, test } from 'vitest'
import {
  createDmaContiguous,
  dma_alloc_contiguous,
  dma_alloc_from_contiguous,
  dma_free_contiguous,
  dma_release_from_contiguous,
  type DmaContiguous,
} from '../../code/dma/contiguous.ts'
import { KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { get_order, MiB } from '../../code/lib/units.ts'
import { cma_alloc } from '../../code/mm/cma.ts'
import { cma_used_get } from '../../code/mm/cma_debug.ts'
import type { CmaAreas } from '../../code/mm/cma_declare.ts'
import { __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { createMemblock } from '../../code/mm/memblock.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import type { Vm } from '../../code/mm/vm.ts'
import { createDevice } from '../../code/of/reserved_mem.ts'
import { smallMachine, type SmallMachine } from '../support/mm_machine.ts'

// A machine whose area is the default one.
function withDefault(kernel: KernelVersion, cmaPages = 4096): SmallMachine & { contiguous: DmaContiguous } {
  const machine = smallMachine({ kernel, pages: cmaPages + 4096, cmaPages })
  const areas: CmaAreas = {
    ...{ kernel, memblock: createMemblock(), log: new Printk(), minAlignment: MiB(4), maxAreas: 8 },
    ...{ highmemStart: 0, areas: [machine.cma] },
  }
  const contiguous = createDmaContiguous(areas, { choose: 'MBYTES', mbytes: 16, percentage: 0 })
  contiguous.dma_contiguous_default_area = machine.cma
  return { ...machine, contiguous }
}

describe('dma_alloc_contiguous()', () => {
  test('MC-2.11: a single page comes from the default area for arm alone, from a device’s own area always', () => {
    const { vm, cma, contiguous } = withDefault('6.12.117')
    const dev = createDevice('dev', null)
    expect(dma_alloc_contiguous(vm, contiguous, dev, 4096, GFP_KERNEL)).toBeNull()
    expect(cma_used_get(cma)).toBe(0)
    expect(dma_alloc_from_contiguous(vm, contiguous, dev, 1, 0, false)).toBe(cma.base_pfn)
    expect(cma_used_get(cma)).toBe(1)
    dev.cma_area = cma
    expect(dma_alloc_contiguous(vm, contiguous, dev, 4096, GFP_KERNEL)).toBe(cma.base_pfn + 1)
    expect(cma_used_get(cma)).toBe(2)
  })

  it('not for a caller that may not sleep; without a word when there is no area', () => {
    const { vm, cma, contiguous } = withDefault('6.1.192')
    const dev = createDevice('dev', null)
    expect(dma_alloc_contiguous(vm, contiguous, dev, 8192, GFP_ATOMIC)).toBeNull()
    expect(dma_alloc_contiguous(vm, contiguous, dev, 8192, GFP_KERNEL)).toBe(cma.base_pfn)
    contiguous.dma_contiguous_default_area = null
    expect(dma_alloc_contiguous(vm, contiguous, dev, 8192, GFP_KERNEL)).toBeNull()
    expect(vm.pgdat.vm_event.cma_alloc_fail).toBe(0)
  })

  it('dma_free_contiguous() gives back the page that the size begins', () => {
    const { vm, cma, contiguous } = withDefault('6.12.117')
    const dev = createDevice('dev', null)
    const page = dma_alloc_contiguous(vm, contiguous, dev, 8192, GFP_KERNEL)!
    dma_free_contiguous(vm, contiguous, dev, page, 4097)
    expect(cma_used_get(cma)).toBe(0)
  })

  it('aligns to the order of the size, up to 1 MiB, and takes as many pages as asked for', () => {
    const { vm, cma, contiguous } = withDefault('6.12.117')
    const dev = createDevice('dev', null)
    const bit = (size: number) => dma_alloc_contiguous(vm, contiguous, dev, size, GFP_KERNEL)! - cma.base_pfn
    expect([bit(MiB(1.5)), bit(3 * 4096), bit(MiB(5))]).toEqual([0, 384, 512])
    expect(cma_used_get(cma)).toBe(384 + 3 + 1280)
  })

  it('keeps a failure out of the log for __GFP_NOWARN', () => {
    const { vm, contiguous } = withDefault('6.12.117')
    const before = vm.log.lines.length
    const ask = (gfp: number) => {
      contiguous.dma_contiguous_default_area!.bitmap!.words.fill(0xffff_ffff)
      return dma_alloc_contiguous(vm, contiguous, createDevice('dev', null), MiB(1), gfp)
    }
    expect([ask(GFP_KERNEL | __GFP_NOWARN), vm.log.lines.length]).toEqual([null, before])
    expect([ask(GFP_KERNEL), vm.log.lines.length]).toEqual([null, before + 2])
  })
})

describe('dma_free_contiguous()', () => {
  it('gives pages of the area back to it, and others to the buddy allocator', () => {
    const { vm, cma, contiguous } = withDefault('6.12.117')
    const dev = createDevice('dev', null)
    const page = dma_alloc_contiguous(vm, contiguous, dev, 3 * 4096, GFP_KERNEL)!
    dma_free_contiguous(vm, contiguous, dev, page, 3 * 4096)
    expect(cma_used_get(cma)).toBe(0)
    const buddy = __alloc_pages(vm.pgdat, GFP_KERNEL, 2)!
    dma_free_contiguous(vm, contiguous, dev, buddy, 3 * 4096)
    expect(vm.pgdat.map.refcount[buddy - vm.pgdat.map.start_pfn]).toBe(0)
    expect(dma_release_from_contiguous(vm, contiguous, dev, buddy, 4)).toBe(false)
  })
})

// cma_test of the seed: a write fills the lowest empty slot i with (i + 1) MiB, a read frees the lowest one in use. Both
// say that they succeeded, whatever happened.
interface CmaTest {
  write(): void
  read(): void
  /** First bit of each slot, null for an empty one. */
  slots(): (number | null)[]
}

function cmaTest({ vm, cma, contiguous }: { vm: Vm } & ReturnType<typeof withDefault>): CmaTest {
  const dev = createDevice('cma_test', null)
  const slots: (number | null)[] = Array.from({ length: 10 }, () => null)
  const pagesOf = (slot: number) => (slot + 1) * 256
  return {
    write: () => {
      const slot = slots.indexOf(null)
      if (slot < 0) return
      const align = get_order(pagesOf(slot) * 4096)
      slots[slot] = dma_alloc_from_contiguous(vm, contiguous, dev, pagesOf(slot), align, false)
    },
    read: () => {
      const slot = slots.findIndex((pfn) => pfn !== null)
      if (slot < 0) return
      dma_release_from_contiguous(vm, contiguous, dev, slots[slot]!, pagesOf(slot))
      slots[slot] = null
    },
    slots: () => slots.map((pfn) => (pfn === null ? null : pfn - cma.base_pfn)),
  }
}

describe.each(KERNEL_VERSIONS)('cma_test of the seed on %s', (kernel) => {
  const times = (count: number, act: () => void) => {
    for (let i = 0; i < count; i++) act()
  }
  const empty = (count: number) => Array.from({ length: count }, () => null)

  test('TV-48, MC-14.1: ten writes, two reads, two writes in 16 MiB of which 96 pages are taken', () => {
    const machine = withDefault(kernel)
    const { vm, cma } = machine
    expect(cma_alloc(vm, cma, 96, 0, false)).toBe(cma.base_pfn)
    const test = cmaTest(machine)
    times(10, test.write)
    expect(test.slots()).toEqual([256, 512, 1024, 1792, 2816, ...empty(5)])
    // All five failures asked for the sixth slot's 6 MiB.
    const failed = kernel.startsWith('6') ? 5 : 0
    expect([vm.pgdat.vm_event.cma_alloc_fail, cma.nr_pages_failed]).toEqual([failed, failed * 1536])
    times(2, test.read)
    expect(test.slots().slice(0, 3)).toEqual([null, null, 1024])
    expect(cma_used_get(cma)).toBe(96 + 768 + 1024 + 1280)
    times(2, test.write)
    expect(test.slots()).toEqual([256, 512, 1024, 1792, 2816, ...empty(5)])
  })

  test('MC-14.1: 64 MiB have room for all ten; the eleventh write does nothing', () => {
    const machine = withDefault(kernel, 16384)
    cma_alloc(machine.vm, machine.cma, 96, 0, false)
    const test = cmaTest(machine)
    times(10, test.write)
    const all = [256, 512, 1024, 1792, 2816, 4096, 5632, 7424, 9472, 11776]
    expect(test.slots()).toEqual(all)
    const used = cma_used_get(machine.cma)
    test.write()
    expect([test.slots(), cma_used_get(machine.cma)]).toEqual([all, used])
  })
})
