// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MiB } from '../../code/lib/units.ts'
import {
  createMemblock,
  memblock_add,
  memblock_clear_nomap,
  memblock_end_of_DRAM,
  memblock_is_map_memory,
  memblock_is_region_reserved,
  memblock_mark_nomap,
  memblock_phys_free,
  memblock_phys_mem_size,
  memblock_remove,
  memblock_reserve,
  memblock_start_of_DRAM,
  regionEnd,
  type Memblock,
} from '../../code/mm/memblock.ts'
import { memblock_mem_limit_remove_map } from '../../code/mm/memblock_limit.ts'
import { forEachFreeRange, memblock_phys_alloc_range, withDirection } from '../../code/mm/memblock_find.ts'
import { memblock_debug_show, memblock_dump_all } from '../../code/mm/memblock_print.ts'
import '../support/laws_seed.ts'

// A picture is a page a column: `.` free RAM, `#` reserved RAM, `n` NOMAP, `N` NOMAP and reserved, `r` reserved and no
// RAM, space nothing. Page 0 is the first column.
const PAGE = 4096

function draw(memblock: Memblock, pages: number): string {
  return Array.from({ length: pages }, (_, i) => {
    const memory = memblock.memory.regions.find((r) => r.base <= i * PAGE && i * PAGE < regionEnd(r))
    const reserved = memblock_is_region_reserved(memblock, i * PAGE, PAGE)
    if (!memory) return reserved ? 'r' : ' '
    if (memory.flags) return reserved ? 'N' : 'n'
    return reserved ? '#' : '.'
  }).join('')
}

function drawn(before: string, act: (memblock: Memblock) => void, after: string): Memblock {
  const memblock = createMemblock()
  for (const [i, what] of [...before].entries()) {
    if ('.#nN'.includes(what)) memblock_add(memblock, i * PAGE, PAGE)
    if ('nN'.includes(what)) memblock_mark_nomap(memblock, i * PAGE, PAGE)
    if ('#Nr'.includes(what)) memblock_reserve(memblock, i * PAGE, PAGE)
  }
  expect(draw(memblock, before.length)).toBe(before)
  act(memblock)
  expect(draw(memblock, before.length)).toBe(after)
  return memblock
}

describe('memblock lists', () => {
  test('memblock_add() skips what is there and merges neighbours', () => {
    const memblock = drawn('..  ..  ', (m) => memblock_add(m, PAGE, 5 * PAGE), '......  ')
    expect(memblock.memory.regions).toEqual([{ base: 0, size: 6 * PAGE, flags: 0 }])
  })

  test('memblock_reserve() takes nothing out of memory and reaches beyond it', () => {
    const memblock = drawn('........  ', (m) => memblock_reserve(m, 6 * PAGE, 4 * PAGE), '......##rr')
    expect(memblock_phys_mem_size(memblock)).toBe(8 * PAGE)
  })

  test('memblock_remove() splits a region', () => {
    const memblock = drawn('........', (m) => memblock_remove(m, 2 * PAGE, 3 * PAGE), '..   ...')
    expect(memblock.memory.regions).toHaveLength(2)
    expect(memblock_start_of_DRAM(memblock)).toBe(0)
    expect(memblock_end_of_DRAM(memblock)).toBe(8 * PAGE)
  })

  test('memblock_phys_free() frees a part, whoever reserved it', () => {
    drawn('.######.', (m) => memblock_phys_free(m, 3 * PAGE, 2 * PAGE), '.##..##.')
  })

  test('memblock_mark_nomap() splits, memblock_clear_nomap() merges again', () => {
    const memblock = drawn('..####..', (m) => memblock_mark_nomap(m, PAGE, 2 * PAGE), '.nN###..')
    expect(memblock.memory.regions.map((r) => r.flags)).toEqual([0, 4, 0])
    expect(memblock_is_map_memory(memblock, PAGE)).toBe(false)
    expect(memblock_is_map_memory(memblock, 0)).toBe(true)
    memblock_clear_nomap(memblock, PAGE, 2 * PAGE)
    expect(memblock.memory.regions).toHaveLength(1)
  })

  test('memblock_add() leaves the flags of what is there', () => {
    drawn('..nn....', (m) => memblock_add(m, 0, 8 * PAGE), '..nn....')
  })

  test('memblock_mark_nomap() outside memory changes nothing', () => {
    drawn('....    ', (m) => memblock_mark_nomap(m, 5 * PAGE, PAGE), '....    ')
  })

  test('memblock_mem_limit_remove_map() keeps NOMAP above the limit', () => {
    drawn('....nn.##.', (m) => memblock_mem_limit_remove_map(m, 3 * PAGE), '... nn    ')
    drawn('....', (m) => memblock_mem_limit_remove_map(m, 9 * PAGE), '....')
  })
})

describe('memblock allocation', () => {
  test('memblock_phys_alloc_range() takes the upper end of the highest hole', () => {
    drawn(
      '........#...#...',
      (m) => expect(memblock_phys_alloc_range(m, 2 * PAGE, PAGE, 0, 16 * PAGE)).toBe(14 * PAGE),
      '........#...#.##',
    )
  })

  test('memblock_phys_alloc_range() bottom-up takes the lower end of the lowest, but never page 0', () => {
    const low = (m: Memblock) =>
      withDirection(m, true, () => memblock_phys_alloc_range(m, 2 * PAGE, PAGE, 0, 16 * PAGE))
    drawn('....#...', (m) => expect(low(m)).toBe(PAGE), '.##.#...')
  })

  test('memblock_phys_alloc_range() passes over NOMAP and obeys its bounds', () => {
    drawn(
      '......nn',
      (m) => expect(memblock_phys_alloc_range(m, PAGE, PAGE, PAGE, 4 * PAGE)).toBe(3 * PAGE),
      '...#..nn',
    )
    drawn(
      '......nn',
      (m) => expect(memblock_phys_alloc_range(m, 3 * PAGE, PAGE, 5 * PAGE, 8 * PAGE)).toBe(0),
      '......nn',
    )
  })

  test('memblock_phys_alloc_range() with end ACCESSIBLE stays below current_limit', () => {
    drawn(
      '........',
      (m) => {
        m.current_limit = 4 * PAGE
        expect(memblock_phys_alloc_range(m, PAGE, PAGE, 0, 0)).toBe(3 * PAGE)
      },
      '...#....',
    )
  })

  test('MC-12.6, TV-51: 1 GiB with its last 2 MiB reserved', () => {
    const fresh = () => {
      const memblock = createMemblock()
      memblock_add(memblock, 0x4000_0000, 0x4000_0000)
      memblock_reserve(memblock, 0x7fe0_0000, 0x20_0000)
      return memblock
    }
    const alloc = (m: Memblock, size: number) => memblock_phys_alloc_range(m, size, MiB(2), 0, 0)
    expect(alloc(fresh(), MiB(64))).toBe(0x7be0_0000)
    const low = fresh()
    expect(withDirection(low, true, () => alloc(low, MiB(64)))).toBe(0x4000_0000)
    const memblock = fresh()
    memblock_mark_nomap(memblock, 0x5000_0000, 0x100_0000)
    expect(memblock.memory.regions.map((r) => r.flags)).toEqual([0, 4, 0])
    expect(memblock.reserved.regions).toEqual([{ base: 0x7fe0_0000, size: 0x20_0000, flags: 0 }])
    expect(alloc(memblock, 0x2f00_0000)).toBe(0)
    expect(alloc(memblock, 0x2e00_0000)).toBe(0x51e0_0000)
    memblock_clear_nomap(memblock, 0x5000_0000, 0x100_0000)
    expect(memblock.memory.regions).toHaveLength(1)
  })
})

describe('memblock against a page at a time', () => {
  const PAGES = 24
  const act = fc.record({
    op: fc.constantFrom('add', 'remove', 'reserve', 'free', 'mark', 'clear'),
    from: fc.nat(PAGES - 1),
    count: fc.integer({ min: 1, max: PAGES }),
  })

  test('the lists hold exactly the pages that a byte-wise memory would, sorted, apart and merged', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 20 }), (acts) => {
        const memblock = createMemblock()
        const pages = Array.from({ length: PAGES }, () => ({ ram: false, nomap: false, taken: false }))
        for (const { op, from, count } of acts) {
          const size = Math.min(count, PAGES - from) * PAGE
          const range = pages.slice(from, from + size / PAGE)
          const base = from * PAGE
          if (op === 'add') range.forEach((p) => (p.ram ||= true))
          if (op === 'remove') range.forEach((p) => ((p.ram = false), (p.nomap = false)))
          if (op === 'reserve') range.forEach((p) => (p.taken = true))
          if (op === 'free') range.forEach((p) => (p.taken = false))
          if (op === 'mark') range.forEach((p) => (p.nomap = p.ram))
          if (op === 'clear') range.forEach((p) => (p.nomap = false))
          const call = {
            add: memblock_add,
            remove: memblock_remove,
            reserve: memblock_reserve,
            free: memblock_phys_free,
            mark: memblock_mark_nomap,
            clear: memblock_clear_nomap,
          }[op]
          call?.(memblock, base, size)
        }
        const picture = pages.map((p) => (p.ram ? (p.nomap ? 'nN' : '.#') : ' r')[p.taken ? 1 : 0]).join('')
        expect(draw(memblock, PAGES)).toBe(picture)
        for (const { regions } of [memblock.memory, memblock.reserved]) {
          for (const [i, next] of regions.entries()) {
            const prev = regions[i - 1]
            if (!prev) continue
            expect(regionEnd(prev)).toBeLessThanOrEqual(next.base)
            if (regionEnd(prev) === next.base) expect(prev.flags).not.toBe(next.flags)
          }
        }
        let free = 0
        forEachFreeRange(memblock, (from, to) => {
          free += to - from
          return false
        })
        expect(free / PAGE).toBe([...picture].filter((c) => c === '.').length)
      }),
    )
  })
})

test('a list of 32-bit addresses ends at PHYS_ADDR_MAX, whatever a region claims', () => {
  const memblock = createMemblock(32)
  memblock_reserve(memblock, 0xf000_0000, 0x2000_0000)
  expect(memblock.reserved.regions).toEqual([{ base: 0xf000_0000, size: 0xfff_ffff, flags: 0 }])
  const wide = createMemblock(64)
  memblock_reserve(wide, 0xf000_0000, 0x2000_0000)
  expect(wide.reserved.regions[0]?.size).toBe(0x2000_0000)
})

describe('memblock as text', () => {
  const memblock = createMemblock()
  memblock_add(memblock, 0x4000_0000, 0x4000_0000)
  memblock_mark_nomap(memblock, 0x5000_0000, 0x100_0000)
  memblock_reserve(memblock, 0x4020_0000, 0x1000)

  test('memblock_dump_all() prints the configuration block of memblock=debug', () => {
    expect(memblock_dump_all(memblock)).toEqual([
      'MEMBLOCK configuration:',
      ' memory size = 0x0000000040000000 reserved size = 0x0000000000001000',
      ' memory.cnt  = 0x3',
      ' memory[0x0]\t[0x0000000040000000-0x000000004fffffff], 0x0000000010000000 bytes flags: 0x0',
      ' memory[0x1]\t[0x0000000050000000-0x0000000050ffffff], 0x0000000001000000 bytes flags: 0x4',
      ' memory[0x2]\t[0x0000000051000000-0x000000007fffffff], 0x000000002f000000 bytes flags: 0x0',
      ' reserved.cnt  = 0x1',
      ' reserved[0x0]\t[0x0000000040200000-0x0000000040200fff], 0x0000000000001000 bytes flags: 0x0',
    ])
  })

  test('memblock_debug_show() prints node and flags since 6.12', () => {
    const show = (kernel: '6.1.192' | '6.12.117', nid: number | null) =>
      memblock_debug_show(memblock, memblock.memory, kernel, nid).split('\n')[1]
    expect(show('6.1.192', 0)).toBe('   1: 0x0000000050000000..0x0000000050ffffff')
    expect(show('6.12.117', 0)).toBe('   1: 0x0000000050000000..0x0000000050ffffff    0 NOMAP')
    expect(show('6.12.117', null)).toBe('   1: 0x0000000050000000..0x0000000050ffffff    x NOMAP')
  })
})
