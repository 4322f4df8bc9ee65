// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { evict } from '../../code/arch/cache.ts'
import { cpuWrite, deviceRead } from '../../code/arch/cpu.ts'
import { is_vmalloc_addr, kernelRead, kernelWrite, translate, __va } from '../../code/arch/kernel_map.ts'
import {
  dma_alloc_attrs,
  dma_alloc_coherent,
  dma_free_attrs,
  dma_free_coherent,
} from '../../code/dma/mapping.ts'
import { dma_coherent_ok } from '../../code/dma/direct.ts'
import { DMA_ATTR_NO_KERNEL_MAPPING } from '../../code/dma/dma_state.ts'
import { gen_pool_has_addr } from '../../code/lib/genalloc.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import { GFP_ATOMIC, GFP_KERNEL, __GFP_DMA, __GFP_HIGHMEM } from '../../code/mm/gfp.ts'
import {
  complaints,
  device,
  freePages,
  NOW,
  PAGE,
  pfnOf,
  physOf,
  ramAt,
  soil,
  start,
  usedOf,
  withPool,
} from './dma_system.ts'

const inArea = (system: ReturnType<typeof start>, pa: number) =>
  system.cma.some(({ base, size }) => pa >= base && pa < base + size)

describe('dma_direct_alloc()', () => {
  test.each(NOW)(
    'TV-22, MC-6.2: buddy for a page, CMA for two, the pool for who cannot wait [%s]',
    (kernel) => {
      const system = start({ kernel, cmdline: 'cma=16M' })
      const { dma, kernelMap, pgdat } = system
      const dev = device()
      const success = () => pgdat.vm_event.cma_alloc_success
      const before = success()
      const page = dma_alloc_coherent(dma, dev, PAGE, GFP_KERNEL)!
      expect([inArea(system, physOf(system, dev, page)), success() - before]).toEqual([false, 0])
      const two = dma_alloc_coherent(dma, dev, 2 * PAGE, GFP_KERNEL)!
      expect([inArea(system, physOf(system, dev, two)), success() - before]).toEqual([true, 1])
      const atomic = dma_alloc_coherent(dma, dev, PAGE, GFP_ATOMIC)!
      expect(gen_pool_has_addr(dma.atomic.dma!, atomic.cpu_addr, PAGE)).toBe(true)
      expect(success() - before).toBe(1)
      for (const { cpu_addr } of [page, two, atomic]) {
        expect(is_vmalloc_addr(kernelMap, cpu_addr)).toBe(true)
        expect(translate(kernelMap, cpu_addr).type).toBe('normal-nc')
      }
    },
  )

  test('MC-6.2: a pool’s buffer of a coherent device has a vmalloc address as well', () => {
    const { system, dev } = withPool(4)
    dev.dma_coherent = true
    const { cpu_addr } = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    expect(is_vmalloc_addr(system.kernelMap, cpu_addr)).toBe(true)
  })

  test.each(NOW)(
    'TV-21, MC-6.4: without CMA 1 to 4 MiB, above that nothing and one warning [%s]',
    (kernel) => {
      const system = start({ kernel })
      const dev = device()
      const lines = system.printk.records.length
      const got = Array.from({ length: 10 }, (_, i) =>
        dma_alloc_coherent(system.dma, dev, MiB(i + 1), GFP_KERNEL),
      )
      expect(got.map((buffer) => buffer !== null)).toEqual([
        true,
        true,
        true,
        true,
        ...Array<boolean>(6).fill(false),
      ])
      expect(complaints(system, lines)).toEqual([
        expect.stringMatching(/^WARNING: at mm.page_alloc.c __alloc_pages(_noprof)?$/),
      ])
    },
  )

  test.each(NOW)(
    'MC-6.3: more than a page is CMA’s, and the buddy’s when the area is full [%s]',
    (kernel) => {
      const system = start({ kernel, cmdline: 'cma=4M' })
      const dev = device()
      const first = dma_alloc_coherent(system.dma, dev, MiB(2), GFP_KERNEL)!
      const second = dma_alloc_coherent(system.dma, dev, MiB(2), GFP_KERNEL)!
      expect([first, second].map((buffer) => inArea(system, physOf(system, dev, buffer)))).toEqual([
        true,
        false,
      ])
      expect(
        complaints(system).some((line) => line.includes('alloc failed, req-size: 512 pages, ret: -12')),
      ).toBe(true)
    },
  )

  test('MC-6.5: the buddy allocator keeps 2^order pages, CMA takes 375', () => {
    const plain = start()
    const before = freePages(plain)
    dma_alloc_coherent(plain.dma, device(), 1_536_000, GFP_KERNEL)
    expect(before - freePages(plain)).toBe(512)
    const withArea = start({ cmdline: 'cma=16M' })
    const used = usedOf(withArea)
    dma_alloc_coherent(withArea.dma, device(), 1_536_000, GFP_KERNEL)
    expect(usedOf(withArea) - used).toBe(375)
  })

  test.each(NOW)('MC-6.6: 32 bits ask for ZONE_DMA when that goes to 4 GiB [%s]', (kernel) => {
    const system = start({ kernel, ram: [GiB(1), GiB(6)] })
    const dev = device()
    system.trace.enabled = true
    const buffer = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    expect(physOf(system, dev, buffer)).toBeLessThan(GiB(4))
    const [event] = system.trace.records.filter(({ event: name }) => name === 'mm_page_alloc')
    expect(Number(event!.fields['gfp_flags']) & 0x05).toBe(0x01)
  })

  test.each(NOW)(
    'MC-6.6: with a ZONE_DMA of 1 GiB they ask for ZONE_DMA32, and for ZONE_DMA after it [%s]',
    (kernel) => {
      const wish = { kernel, ram: [0, GiB(6)], hardware: { dmaRangesLast: 0x3fff_ffff } } as const
      const system = start(wish)
      const zones = system.pgdat.zones.filter((zone) => zone.managed_pages > 0).map((zone) => zone.name)
      expect(zones).toEqual(['DMA', 'DMA32', 'Normal'])
      const dev = device()
      system.trace.enabled = true
      dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)
      // A limit inside ZONE_DMA32, below all that is free there: its page goes back and ZONE_DMA is asked.
      const short = device('short', { bus_dma_limit: 0x4000_0000 })
      const buffer = dma_alloc_coherent(system.dma, short, PAGE, GFP_KERNEL)!
      const asked = system.trace.records
        .filter(({ event }) => event === 'mm_page_alloc')
        .map(({ fields }) => Number(fields['gfp_flags']) & 0x05)
      expect(asked).toEqual([0x04, 0x04, 0x01])
      expect(physOf(system, short, buffer)).toBeLessThan(GiB(1))
    },
  )

  test.each(NOW)('MC-6.7: CMA above the mask is taken, found out of reach and given back [%s]', (kernel) => {
    const wish = {
      kernel,
      ram: [0, GiB(6)],
      cmdline: 'cma=16M@0x80000000',
      hardware: { dmaRangesLast: 0x3fff_ffff },
    } as const
    const system = start(wish)
    const dev = device('short', { coherent_dma_mask: 2 ** 30 - 1 })
    const used = usedOf(system)
    const before = system.pgdat.vm_event.cma_alloc_success
    system.trace.enabled = true
    const buffer = dma_alloc_coherent(system.dma, dev, 2 * PAGE, GFP_KERNEL)!
    expect(system.pgdat.vm_event.cma_alloc_success - before).toBe(1)
    expect(system.trace.records.filter(({ event }) => event === 'cma_release').length).toBe(1)
    expect(usedOf(system)).toBe(used)
    expect(physOf(system, dev, buffer)).toBeLessThan(GiB(1))
    const pages = system.trace.records.filter(({ event }) => event === 'mm_page_alloc')
    expect(Number(pages.at(-1)!.fields['gfp_flags']) & 0x05).toBe(0x01)
  })

  test.each(NOW)(
    'MC-6.8: coherent is the linear map, cached; not coherent is vmalloc, uncached [%s]',
    (kernel) => {
      const system = start({ kernel, cmdline: 'cma=16M' })
      const { dma, kernelMap } = system
      for (const size of [PAGE, MiB(1)]) {
        const coherent = device('c', { dma_coherent: true })
        const linear = dma_alloc_coherent(dma, coherent, size, GFP_KERNEL)!
        expect(linear.cpu_addr).toBe(__va(kernelMap, physOf(system, coherent, linear)))
        expect(translate(kernelMap, linear.cpu_addr).type).toBe('normal')
        const mapped = dma_alloc_coherent(dma, device(), size, GFP_KERNEL)!
        expect(translate(kernelMap, mapped.cpu_addr)).toEqual({
          pa: physOf(system, null, mapped),
          type: 'normal-nc',
        })
      }
    },
  )

  test.each(NOW)('MC-6.8: coherent devices that cannot wait need no pool [%s]', (kernel) => {
    const system = start({ kernel })
    const dev = device('c', { dma_coherent: true })
    const buffer = dma_alloc_coherent(system.dma, dev, PAGE, GFP_ATOMIC)!
    expect(is_vmalloc_addr(system.kernelMap, buffer.cpu_addr)).toBe(false)
  })

  test.each([...NOW, '4.12.4'] as const)(
    'MC-6.9: zeros for the CPU and for the device, whatever lay in RAM and in the caches [%s]',
    (kernel) => {
      for (const wish of [{ dma_coherent: true }, { dma_coherent: false }]) {
        for (const gfp of [GFP_KERNEL, GFP_ATOMIC]) {
          const system = start({ kernel, cmdline: 'cma=16M' })
          const { dma, vm, kernelMap } = system
          const dev = device('d', wish)
          const size = 2 * PAGE
          const first = dma_alloc_coherent(dma, dev, size, gfp)!
          const pa = physOf(system, dev, first)
          dma_free_coherent(dma, dev, size, first.cpu_addr, first.dma_handle)
          soil(system, pa, size)
          // The linear map still has the pages of a buffer; somebody wrote there, and the lines are dirty.
          cpuWrite(vm.cpu, pa, new Uint8Array(size).fill(0xab), 'normal')
          const again = dma_alloc_coherent(dma, dev, size, gfp)!
          expect(physOf(system, dev, again)).toBe(pa)
          expect(kernelRead(kernelMap, again.cpu_addr, size).every((byte) => byte === 0)).toBe(true)
          const seen = deviceRead(vm.cpu, pa, size, dev.dma_coherent)
          // The pool was cleaned once, at boot: dirt that came later stays in the cache, and in wait.
          if (gfp !== GFP_KERNEL) continue
          expect(seen.every((byte) => byte === 0)).toBe(true)
          // No dirty line of the linear map is left that could be written over the buffer later.
          evict(vm.cpu.l1, pa, size)
          expect(ramAt(system, pa, size).every((byte) => byte === 0)).toBe(true)
        }
      }
    },
  )

  test('a coherent buffer is seen by its device through the caches, an uncached one in RAM', () => {
    const system = start()
    const { dma, vm, kernelMap } = system
    for (const coherent of [true, false]) {
      const dev = device('d', { dma_coherent: coherent })
      const buffer = dma_alloc_coherent(dma, dev, PAGE, GFP_KERNEL)!
      const pa = physOf(system, dev, buffer)
      kernelWrite(kernelMap, buffer.cpu_addr, new Uint8Array([1, 2, 3]))
      expect([...deviceRead(vm.cpu, pa, 3, coherent)]).toEqual([1, 2, 3])
      expect([...ramAt(system, pa, 3)]).toEqual(coherent ? [0, 0, 0] : [1, 2, 3])
    }
  })

  test('zones that the caller names are not listened to', () => {
    const system = start({ ram: [GiB(1), GiB(6)] })
    const dev = device('wide', { coherent_dma_mask: 2 ** 64 })
    system.trace.enabled = true
    dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL | __GFP_DMA | __GFP_HIGHMEM)
    const [event] = system.trace.records.filter(({ event: name }) => name === 'mm_page_alloc')
    expect(Number(event!.fields['gfp_flags']) & 0x07).toBe(0)
  })

  test('DMA_ATTR_NO_KERNEL_MAPPING gives the page and leaves what is in it', () => {
    const system = start()
    const { dma, vm } = system
    const dev = device()
    const areas = system.kernelMap.areas.length
    const buffer = dma_alloc_attrs(dma, dev, MiB(1), GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING)!
    expect(buffer.cpu_addr).toBe(pfnOf(system, dev, buffer))
    expect(system.kernelMap.areas.length).toBe(areas)
    const free = freePages(system)
    dma_free_attrs(dma, dev, MiB(1), buffer.cpu_addr, buffer.dma_handle, DMA_ATTR_NO_KERNEL_MAPPING)
    expect(freePages(system) - free).toBe(256)
    soil(system, physOf(system, dev, buffer), PAGE)
    const again = dma_alloc_attrs(dma, dev, MiB(1), GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING)!
    expect(deviceRead(vm.cpu, physOf(system, dev, again), 1, false)[0]).toBe(0xd1)
  })

  test.each(NOW)(
    'DMA_ATTR_NO_KERNEL_MAPPING cleans the caches of the pages, so that the device sees what was in them [%s]',
    (kernel) => {
      const system = start({ kernel })
      const { dma, vm } = system
      const dev = device()
      const first = dma_alloc_attrs(dma, dev, PAGE, GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING)!
      const pa = physOf(system, dev, first)
      cpuWrite(vm.cpu, pa, Uint8Array.of(0xab), 'normal')
      dma_free_attrs(dma, dev, PAGE, first.cpu_addr, first.dma_handle, DMA_ATTR_NO_KERNEL_MAPPING)
      const again = dma_alloc_attrs(dma, dev, PAGE, GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING)!
      expect(physOf(system, dev, again)).toBe(pa)
      expect(deviceRead(vm.cpu, pa, 1, false)[0]).toBe(0xab)
    },
  )

  test('no room in the vmalloc area is no memory, and the pages go back', () => {
    const system = start({ cmdline: 'cma=16M' })
    const before = [freePages(system), usedOf(system)]
    Object.assign(system.kernelMap.layout, { vmallocEnd: system.kernelMap.areas.at(-1)!.va + MiB(1) })
    expect(dma_alloc_coherent(system.dma, device(), MiB(2), GFP_KERNEL)).toBeNull()
    expect([freePages(system), usedOf(system)]).toEqual(before)
  })
})

describe('a device without mask', () => {
  test.each(NOW)(
    'TV-23, MC-6.11: one warning, never memory; two pages take and return CMA [%s]',
    (kernel) => {
      const system = start({ kernel, cmdline: 'cma=16M' })
      const dev = device('misc', { coherent_dma_mask: 0, dma_mask: null })
      const before = [freePages(system), usedOf(system), system.pgdat.vm_event.cma_alloc_success]
      system.trace.enabled = true
      const counts = () => [
        system.pgdat.vm_event.cma_alloc_success - before[2]!,
        system.trace.records.filter(({ event }) => event === 'cma_release').length,
      ]
      expect(dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)).toBeNull()
      expect(counts()).toEqual([0, 0])
      expect(dma_alloc_coherent(system.dma, dev, 2 * PAGE, GFP_KERNEL)).toBeNull()
      expect(counts()).toEqual([1, 1])
      expect(dma_alloc_coherent(system.dma, dev, 2 * PAGE, GFP_KERNEL)).toBeNull()
      expect(counts()).toEqual([2, 2])
      expect([freePages(system), usedOf(system)]).toEqual(before.slice(0, 2))
      expect(complaints(system)).toEqual(['WARNING: at kernel/dma/mapping.c dma_alloc_attrs'])
    },
  )

  test('MC-6.11: with a limit of its bus alone it works', () => {
    const system = start()
    const dev = device('misc', { coherent_dma_mask: 0, bus_dma_limit: 0xffff_ffff })
    expect(dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)).not.toBeNull()
    expect(complaints(system)).toEqual(['WARNING: at kernel/dma/mapping.c dma_alloc_attrs'])
  })
})

describe('dma_coherent_ok()', () => {
  test('counts the last byte, on the bus of the device', () => {
    const { dma } = start()
    const dev = device('d', { coherent_dma_mask: 0x4000_0fff })
    expect(dma_coherent_ok(dma, dev, 0x4000_0000, PAGE)).toBe(true)
    expect(dma_coherent_ok(dma, dev, 0x4000_0000, PAGE + 1)).toBe(false)
    dev.dma_range_map = [{ cpu_start: 0x4000_0000, dma_start: 0, size: MiB(1) }]
    expect(dma_coherent_ok(dma, dev, 0x4000_1000, PAGE)).toBe(true)
    expect(dma_coherent_ok(dma, dev, 0x5000_0000, PAGE)).toBe(false)
  })
})

describe('dma_direct_free()', () => {
  test.each(NOW)('a wrong handle frees the pages that it names [%s]', (kernel) => {
    const system = start({ kernel })
    const { dma, pgdat } = system
    const dev = device()
    const [a, b] = [1, 2].map(() => dma_alloc_coherent(dma, dev, PAGE, GFP_KERNEL)!)
    dma_free_coherent(dma, dev, PAGE, a!.cpu_addr, b!.dma_handle)
    const counted = (buffer: typeof a) =>
      pgdat.map.refcount[pfnOf(system, dev, buffer!) - pgdat.map.start_pfn]
    expect([counted(a), counted(b)]).toEqual([1, 0])
    expect(() => translate(system.kernelMap, a!.cpu_addr)).toThrow()
    expect(translate(system.kernelMap, b!.cpu_addr).pa).toBe(physOf(system, dev, b!))
  })

  test('MC-2.11: a page is the buddy’s unless the device has an area, the default one is not touched', () => {
    const reserved =
      'c: cma@50000000 { compatible = "shared-dma-pool"; reusable; reg = <0 0x50000000 0 0x400000>; };'
    const system = start({ reserved, cmdline: 'cma=16M', dma: { coherent_pool: PAGE } })
    const [own, byDefault] = [system.cma.findIndex(({ name }) => name !== 'reserved'), 1]
    const used = () => system.cma.map((_, i) => usedOf(system, i))
    expect(system.cma[byDefault]!.name).toBe('reserved')
    const before = used()
    dma_alloc_coherent(system.dma, device(), PAGE, GFP_KERNEL)
    expect(used()).toEqual(before)
    dma_alloc_coherent(system.dma, device('own', { cma_area: system.cma[own] }), PAGE, GFP_KERNEL)
    expect(used()[own]! - before[own]!).toBe(1)
    expect(used()[byDefault]).toBe(before[byDefault])
  })
})
