// SPDX-License-Identifier: MIT
//
// Page tables against a Map, in each geometry; and what the MMU makes of an entry.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Cpu } from '../../code/arch/cpu.ts'
import { createCpu } from '../../code/arch/cpu.ts'
import { userAccess } from '../../code/arch/mmu.ts'
import { hardwarePte } from '../../code/arch/pgtable_arm.ts'
import {
  PAGE_COPY,
  PAGE_KERNEL,
  PAGE_NONE,
  PAGE_READONLY,
  PAGE_SHARED,
  pgprot_dmacoherent,
} from '../../code/arch/pgtable_prot.ts'
import { pfn_pte, pte_dirty, pte_mkdirty, pte_mkold, pte_young } from '../../code/arch/pgtable_pte.ts'
import { make_writable_migration_entry, swp_entry_to_pte } from '../../code/arch/pgtable_swap.ts'
import type { Geometry, GeometryName, Pgtable } from '../../code/arch/pgtable.ts'
import {
  clearPte,
  createPgtable,
  freeTables,
  freeTablesIn,
  GEOMETRIES,
  ptesIn,
  setPte,
  walk,
  writePteAt,
} from '../../code/arch/pgtable.ts'
import { createRam, fillBytes, read32, read64 } from '../../code/arch/ram.ts'
import { ENOMEM } from '../../code/lib/errno.ts'
import '../support/laws_seed.ts'

const NAMES = Object.keys(GEOMETRIES) as GeometryName[]
const TABLES = 0x8000_0000

/** Tables out of a stretch of RAM that holds garbage, at most `limit`; `live` are those in use. */
function tables(geometry: Geometry, limit = Infinity): { pgt: Pgtable; live: Map<number, number> } {
  const ram = createRam()
  const live = new Map<number, number>()
  let next = TABLES
  const pgt = createPgtable({
    geometry,
    ram,
    allocTable: (order) => {
      if (live.size >= limit) return null
      const pa = next
      next += geometry.pageSize * 2 ** order
      fillBytes(ram, pa, geometry.pageSize * 2 ** order, 0xff)
      live.set(pa, order)
      return pa
    },
    freeTable: (pa, order) => {
      expect(live.get(pa)).toBe(order)
      live.delete(pa)
    },
  })
  return { pgt, live }
}

describe('GEOMETRIES', () => {
  test('cut an address as the architecture does', () => {
    const shape = (name: GeometryName) =>
      GEOMETRIES[name].levels.map(({ span, entries }) => [Math.log2(span), entries])
    expect(shape('arm64-4k-39')).toEqual([
      [30, 512],
      [21, 512],
      [12, 512],
    ])
    expect(shape('arm64-4k-48')).toEqual([
      [39, 512],
      [30, 512],
      [21, 512],
      [12, 512],
    ])
    expect(shape('arm64-16k-47')).toEqual([
      [36, 2048],
      [25, 2048],
      [14, 2048],
    ])
    expect(shape('arm64-16k-48')).toEqual([
      [47, 2],
      [36, 2048],
      [25, 2048],
      [14, 2048],
    ])
    expect(shape('arm')).toEqual([
      [21, 2048],
      [12, 512],
    ])
  })
})

describe('setPte(), clearPte(), walk() and ptesIn()', () => {
  test.each(NAMES)('agree with a Map over any sequence, and give every table back [%s]', (name) => {
    const geometry = GEOMETRIES[name]
    const { pageSize, vaBits, arch } = geometry
    const pages = 2 ** vaBits / pageSize
    // Near each other, at both ends, and anywhere.
    const page = fc.oneof(
      fc.nat(2000),
      fc.nat(2000).map((n) => pages - 1 - n),
      fc.maxSafeNat().map((n) => n % pages),
    )
    const pfn = fc.nat(2 ** 20 - 1)
    const steps = fc.array(fc.record({ page, pfn, set: fc.boolean() }), { maxLength: 60 })
    fc.assert(
      fc.property(steps, page, page, (all, a, b) => {
        const { pgt, live } = tables(geometry)
        const naive = new Map<number, bigint>()
        for (const s of all) {
          const va = s.page * pageSize
          if (s.set) {
            const pte = pfn_pte(geometry, s.pfn, PAGE_SHARED(arch))
            expect(setPte(pgt, va, pte)).toBe(0)
            naive.set(va, pte)
          } else {
            expect(clearPte(pgt, va)).toBe(naive.get(va) ?? 0n)
            naive.delete(va)
          }
          expect(walk(pgt, va)?.pte ?? 0n).toBe(naive.get(va) ?? 0n)
        }
        const [start, end] = [Math.min(a, b) * pageSize, Math.max(a, b) * pageSize]
        // ptesIn() from end to end of a sparse tree is the slow one: only where something is mapped.
        for (const [va, pte] of naive) {
          const around = [...ptesIn(pgt, va, Math.min(va + 8 * pageSize, 2 ** vaBits))].map((found) => [
            found.va,
            found.pte,
          ])
          const expected = [...naive]
            .filter(([at]) => at >= va && at < va + 8 * pageSize)
            .sort(([x], [y]) => x - y)
          expect(around).toEqual(expected)
          expect(walk(pgt, va)?.pte).toBe(pte)
        }
        const window = Math.min(end, start + 4096 * pageSize)
        expect([...ptesIn(pgt, start, window)].map(({ va }) => va)).toEqual(
          [...naive.keys()].filter((va) => va >= start && va < window).sort((x, y) => x - y),
        )
        expect(pgt.tables).toBe(live.size)
        freeTables(pgt)
        expect([live.size, pgt.tables, pgt.root]).toEqual([0, 0, null])
      }),
      { numRuns: 200 },
    )
  })

  test.each(NAMES)(
    'walk() finds no table again that freeTablesIn() or freeTables() gave back [%s]',
    (name) => {
      const { pgt } = tables(GEOMETRIES[name])
      const { vaBits } = GEOMETRIES[name]
      setPte(pgt, 0, 1n)
      expect(clearPte(pgt, 0)).toBe(1n)
      freeTablesIn(pgt, 0, 2 ** vaBits)
      expect(walk(pgt, 0)).toBeNull()
      setPte(pgt, 0, 1n)
      expect(walk(pgt, 0)?.pte).toBe(1n)
      freeTables(pgt)
      expect(walk(pgt, 0)).toBeNull()
    },
  )

  test.each(NAMES)(
    'freeTablesIn() gives back the tables that serve its range alone, and no other entry goes [%s]',
    (name) => {
      const geometry = GEOMETRIES[name]
      const { pageSize, vaBits, arch, levels } = geometry
      const pages = 2 ** vaBits / pageSize
      // Near the borders of tables of every level.
      const borders = [0, pages, ...levels.map(({ span }) => span / pageSize), pages / 2]
      const page = fc
        .record({ at: fc.constantFrom(...borders), off: fc.integer({ min: -3, max: 3 }) })
        .map(({ at, off }) => Math.min(Math.max(at + off, 0), pages - 1))
      fc.assert(
        fc.property(fc.uniqueArray(page, { maxLength: 20 }), page, page, (all, a, b) => {
          const { pgt, live } = tables(geometry)
          const [floor, ceiling] = [Math.min(a, b) * pageSize, (Math.max(a, b) + 1) * pageSize]
          const vas = all.map((n) => n * pageSize)
          const inside = (va: number) => va >= floor && va < ceiling
          for (const va of vas) setPte(pgt, va, pfn_pte(geometry, 7, PAGE_SHARED(arch)))
          for (const va of vas.filter(inside)) clearPte(pgt, va)
          freeTablesIn(pgt, floor, ceiling)
          // A table below the root is named by its level and the first address that it serves.
          const kept = new Set<string>()
          for (const [level, { span }] of levels.slice(0, -1).entries())
            for (const va of vas) {
              const start = va - (va % span)
              if (start < floor || start + span > ceiling) kept.add(`${level} ${start}`)
            }
          expect(pgt.tables).toBe(vas.length > 0 ? 1 + kept.size : 0)
          expect(live.size).toBe(pgt.tables)
          for (const va of vas)
            expect(walk(pgt, va)?.pte ?? 0n).toBe(inside(va) ? 0n : pfn_pte(geometry, 7, PAGE_SHARED(arch)))
          // What was given back is not walked, and comes anew.
          for (const va of vas) expect(setPte(pgt, va, 1n)).toBe(0)
          freeTables(pgt)
          expect(live.size).toBe(0)
        }),
        { numRuns: 300 },
      )
    },
  )

  test.each(NAMES)(
    'ptesIn() yields what lies in the range, over the border of a table, and nothing beside [%s]',
    (name) => {
      const geometry = GEOMETRIES[name]
      const { pageSize, levels, arch } = geometry
      const { pgt } = tables(geometry)
      const border = levels[levels.length - 1]!.entries * pageSize
      for (let i = -8; i < 8; i++)
        setPte(pgt, border + i * pageSize, pfn_pte(geometry, 100 + i, PAGE_SHARED(arch)))
      const pages = (from: number, to: number) =>
        [...ptesIn(pgt, border + from * pageSize, border + to * pageSize)].map(({ va, pteAddr }) => {
          expect(walk(pgt, va)?.pteAddr).toBe(pteAddr)
          return va / pageSize - border / pageSize
        })
      expect(pages(-3, 3)).toEqual([-3, -2, -1, 0, 1, 2])
      expect(pages(2, 4)).toEqual([2, 3])
      expect(pages(-4, -2)).toEqual([-4, -3])
      expect(pages(-20, 20)).toHaveLength(16)
    },
  )

  test.each(NAMES)('leave words in RAM where the hardware would look [%s]', (name) => {
    const geometry = GEOMETRIES[name]
    const { pgt } = tables(geometry)
    const pte = pfn_pte(geometry, 0x1234, PAGE_SHARED(geometry.arch))
    setPte(pgt, 0, pte)
    const found = walk(pgt, 0)!
    const root = pgt.root!
    if (geometry.arch === 'arm') {
      const page = root + 16384
      expect([read32(pgt.ram, root), read32(pgt.ram, root + 4)]).toEqual([page + 2048 + 1, page + 3072 + 1])
      expect(found).toEqual({ pte, pteAddr: page, level: 2 })
      expect(read32(pgt.ram, page + 2048)).toBe(Number(hardwarePte(pte)))
    } else {
      expect(read64(pgt.ram, root)).toBe(BigInt(root + geometry.pageSize + 3))
      expect(found.level).toBe(3)
      expect(found.pteAddr).toBe(root + (geometry.levels.length - 1) * geometry.pageSize)
      expect(read64(pgt.ram, found.pteAddr)).toBe(pte)
    }
  })
})

describe('setPte()', () => {
  test.each(NAMES)('is -ENOMEM as long as a table is missing, and nothing is mapped [%s]', (name) => {
    const geometry = GEOMETRIES[name]
    const pte = pfn_pte(geometry, 1, PAGE_SHARED(geometry.arch))
    for (let limit = 0; limit < geometry.levels.length; limit++) {
      const { pgt, live } = tables(geometry, limit)
      expect(setPte(pgt, 0, pte)).toBe(-ENOMEM)
      expect(walk(pgt, 0)?.pte ?? 0n).toBe(0n)
      expect(live.size).toBe(limit)
      freeTables(pgt)
      expect(live.size).toBe(0)
    }
    expect(setPte(tables(geometry, geometry.levels.length).pgt, 0, pte)).toBe(0)
  })

  test.each([-4096, 0x123, 2 ** 48])('refuses address %d with a message', (va) => {
    const { pgt } = tables(GEOMETRIES['arm64-4k-48'])
    expect(() => setPte(pgt, va, 1n)).toThrow(/setPte: got address .*expected a multiple of 4096 below 2\^48/)
  })

  test('walk() of tables that map nothing is null, clearPte() 0, ptesIn() empty', () => {
    const { pgt } = tables(GEOMETRIES['arm64-4k-48'])
    expect([walk(pgt, 0x4000), clearPte(pgt, 0x4000), [...ptesIn(pgt, 0, 2 ** 30)]]).toEqual([null, 0n, []])
    freeTables(pgt)
    expect(pgt.tables).toBe(0)
  })
})

describe('userAccess()', () => {
  const VA = 0x40_0000
  const mapped = (cpu: Cpu, pte: bigint): Pgtable => {
    const { pgt } = tables(GEOMETRIES[cpu.arch === 'arm' ? 'arm' : 'arm64-4k-48'])
    setPte(pgt, VA, pte)
    return pgt
  }
  const arm64 = (hwDirtyBit: boolean) => createCpu({ ram: createRam(), arch: 'arm64', hwDirtyBit })
  const arm = createCpu({ ram: createRam(), arch: 'arm' })
  const page = 0x1234 * 4096
  const ok = { fault: null, pa: page + 0x10, type: 'normal' }
  const entry = (arch: 'arm' | 'arm64', prot: (arch: 'arm' | 'arm64') => bigint) => BigInt(page) | prot(arch)

  test('MC-8.1: PAGE_SHARED without a dirty bit in hardware: a load goes through, the first store faults', () => {
    for (const cpu of [arm64(false), arm]) {
      const pgt = mapped(cpu, entry(cpu.arch, PAGE_SHARED))
      expect(userAccess(cpu, pgt, VA + 0x10, 'load')).toEqual(ok)
      expect(userAccess(cpu, pgt, VA + 0x10, 'store')).toEqual({ fault: 'permission' })
      const found = walk(pgt, VA)!
      expect(pte_dirty(cpu.arch, found.pte)).toBe(false)
      writePteAt(pgt, found.pteAddr, pte_mkdirty(cpu.arch, found.pte))
      expect(userAccess(cpu, pgt, VA + 0x10, 'store')).toEqual(ok)
    }
  })

  test('MC-8.1: PAGE_SHARED with it: the store succeeds at once, whatever the vma says, and the entry is dirty', () => {
    const cpu = arm64(true)
    const pgt = mapped(cpu, entry('arm64', PAGE_SHARED))
    expect(userAccess(cpu, pgt, VA + 0x10, 'store')).toEqual(ok)
    expect(pte_dirty('arm64', walk(pgt, VA)!.pte)).toBe(true)
  })

  test('MC-8.1: PAGE_READONLY and PAGE_COPY fault at a store on every CPU', () => {
    for (const cpu of [arm64(false), arm64(true), arm])
      for (const prot of [PAGE_READONLY, PAGE_COPY]) {
        const pgt = mapped(cpu, pte_mkdirty(cpu.arch, entry(cpu.arch, prot)))
        expect(userAccess(cpu, pgt, VA + 0x10, 'load')).toEqual(ok)
        expect(userAccess(cpu, pgt, VA + 0x10, 'store')).toEqual({ fault: 'permission' })
      }
  })

  test('finds nothing where nothing is: empty, PROT_NONE, a page that moves', () => {
    for (const cpu of [arm64(true), arm]) {
      const away = swp_entry_to_pte(cpu.arch, make_writable_migration_entry(0x1234))
      for (const pte of [0n, entry(cpu.arch, PAGE_NONE), away])
        expect(userAccess(cpu, mapped(cpu, pte), VA, 'load')).toEqual({ fault: 'translation' })
      expect(userAccess(cpu, mapped(cpu, 0n), 0x8000_0000, 'load')).toEqual({ fault: 'translation' })
    }
  })

  test('of a page of the kernel alone is a fault', () => {
    for (const cpu of [arm64(true), arm])
      for (const access of ['load', 'store'] as const)
        expect(userAccess(cpu, mapped(cpu, entry(cpu.arch, PAGE_KERNEL)), VA, access)).toEqual({
          fault: 'permission',
        })
  })

  test('of an old entry faults, or makes it young where the hardware can', () => {
    const old = pte_mkold('arm64', entry('arm64', PAGE_SHARED))
    expect(userAccess(arm64(false), mapped(arm64(false), old), VA, 'load')).toEqual({ fault: 'access-flag' })
    const cpu = arm64(true)
    const pgt = mapped(cpu, old)
    expect(userAccess(cpu, pgt, VA, 'load').fault).toBeNull()
    expect(pte_young('arm64', walk(pgt, VA)!.pte)).toBe(true)
    expect(userAccess(arm, mapped(arm, pte_mkold('arm', entry('arm', PAGE_SHARED))), VA, 'load')).toEqual({
      fault: 'translation',
    })
  })

  test('goes through the memory type of the entry', () => {
    for (const cpu of [arm64(false), arm]) {
      const pgt = mapped(cpu, BigInt(page) | pgprot_dmacoherent(cpu.arch, PAGE_SHARED(cpu.arch)))
      expect(userAccess(cpu, pgt, VA + 0x10, 'load')).toEqual({ ...ok, type: 'normal-nc' })
    }
  })
})
