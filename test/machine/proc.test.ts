// SPDX-License-Identifier: MIT
//
// The files of /proc: the kernel's own format, and numbers that agree with the machine and with each other.
import { describe, expect, it } from 'vitest'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import { procBuddyinfo, procPagetypeinfo } from '../../code/machine/proc_buddyinfo.ts'
import { cmaFolder, procCma } from '../../code/machine/proc_cma.ts'
import { procMeminfo } from '../../code/machine/proc_meminfo.ts'
import { procVmstat } from '../../code/machine/proc_vmstat.ts'
import { procZoneinfo } from '../../code/machine/proc_zoneinfo.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { cma_alloc } from '../../code/mm/cma.ts'
import { GFP_HIGHUSER_MOVABLE } from '../../code/mm/gfp.ts'
import { createFile } from '../../code/mm/filemap_fault.ts'
import { folio_mark_dirty, read_cache_page } from '../../code/mm/filemap.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import { start_isolate_page_range } from '../../code/mm/page_isolation.ts'
import { board } from './board.ts'

const boot = (kernel: KernelVersion, arch: Arch, cmdline: string, mib = 512): System =>
  startSystem({ tree: board([0x4000_0000, mib * 2 ** 20]), kernel, arch, cmdline, image: null })

const values = (text: string): Record<string, number> =>
  Object.fromEntries(
    [...text.matchAll(/^ *(\S+?):? +(\d+)/gm)].map(([, name, value]) => [name, Number(value)]),
  )

describe('procMeminfo()', () => {
  it('prints a name, a number in eight columns and kB', () => {
    const { vm } = boot('6.12.117', 'arm64', 'cma=16M')
    expect(procMeminfo(vm)).toMatch(/^MemTotal: {9}5\d{5} kB\nMemFree: {10}\d{6} kB\nCached: {16}0 kB\n/)
    expect(procMeminfo(vm)).toMatch(/CmaTotal: {10}16384 kB\nCmaFree: {11}16000 kB\n$/)
  })

  it('counts the page cache, clean and dirty', () => {
    const { vm } = boot('6.12.117', 'arm64', 'cma=0')
    const file = createFile(vm, 'film', 8)
    const free = values(procMeminfo(vm))['MemFree']!
    for (let page = 0; page < 8; page++) read_cache_page(vm, file.i_mapping!, page)
    folio_mark_dirty(vm, file.i_mapping!.i_pages.get(3)!)
    expect(values(procMeminfo(vm))).toMatchObject({ Cached: 32, 'Inactive(file)': 32, Dirty: 4, Mapped: 0 })
    expect(values(procMeminfo(vm))['MemFree']).toBe(free - 32)
  })

  it('has no CMA lines in 3.x, and lines of high memory where there is such', () => {
    expect(procMeminfo(boot('3.9', 'arm', 'cma=16M').vm)).not.toContain('Cma')
    const high = values(procMeminfo(boot('6.12.117', 'arm', 'cma=0', 1024).vm))
    expect(high).toMatchObject({ HighTotal: 256 * 1024, LowTotal: 768 * 1024 })
  })
})

describe('procBuddyinfo() and procPagetypeinfo()', () => {
  it('MC-9.7: an idle area of 16 MiB is four blocks of order 10', () => {
    const without = boot('6.12.117', 'arm64', 'cma=0 coherent_pool=128K')
    const orders = (system: System) => procBuddyinfo(system.pgdat).trim().split(/ +/).slice(4).map(Number)
    expect(procBuddyinfo(without.pgdat)).toMatch(/^Node 0, zone {6}DMA ( +\d+ ){11}\n$/)
    const area = boot('4.12.4', 'arm64', 'cma=16M')
    const cma = procPagetypeinfo(area.pgdat)
      .split('\n')
      .find((line) => / CMA /.test(line) && /type/.test(line))!
    expect(orders(without)).toHaveLength(11)
    // 4.12 has taken 256 KiB for its atomic pool: three whole blocks and the rest of the fourth.
    expect(cma).toMatch(/^Node {4}0, zone {6}DMA, type {10}CMA( +\d+){10} +3 $/)
  })

  it('MC-9.7: nothing taken, nothing missing', () => {
    const { pgdat } = boot('3.5', 'arm', 'cma=16M')
    const row = (text: string, type: string) =>
      text.split('\n').find((line) => line.includes(`type ${type.padStart(12)}`))!
    const counts = row(procPagetypeinfo(pgdat), 'CMA').trim().split(/ +/).slice(6).map(Number)
    expect(counts.reduce((sum, blocks, order) => sum + blocks * 2 ** order, 0)).toBe(4096 - usedBy(pgdat))
  })

  it('MC-9.8: isolated pages are free in the lists and not in MemFree', () => {
    const { vm, pgdat } = boot('6.12.117', 'arm64', 'cma=0')
    const before = values(procMeminfo(vm))['MemFree']!
    const pfn = pgdat.map.start_pfn + 0x4000
    expect(start_isolate_page_range(pgdat, pfn, pfn + 512, pgdat.migrate.MOVABLE)).toBe(0)
    const text = procPagetypeinfo(pgdat)
    expect(text).toMatch(/type {6}Isolate( +0 ){9} +1 /)
    expect(values(procMeminfo(vm))['MemFree']).toBe(before - 2048)
  })

  it('MC-9.10: counts pageblocks by type: 64 MiB of CMA are 32 blocks of 2 MiB', () => {
    const text = procPagetypeinfo(boot('6.1.192', 'arm64', 'cma=64M').pgdat)
    expect(text).toMatch(
      /^Page block order: 9\nPages per block: {2}512\n\nFree pages count per migrate type at order {7}0 /,
    )
    expect(text).toContain(
      '\nNumber of blocks type     Unmovable      Movable  Reclaimable   HighAtomic          CMA      Isolate \n',
    )
    expect(/^Node 0, zone {6}DMA ( +\d+ ){4} +32 +0 \n$/m.test(text)).toBe(true)
  })

  it('stops counting a list at 100,000 blocks in 6.x', () => {
    // The free pages of order 0 of the first three types.
    const orderZero = (kernel: KernelVersion) => {
      const { pgdat } = boot(kernel, 'arm', 'cma=0')
      pgdat.zones[0]!.nr_free.set([99_999, 100_000, 100_001])
      return [...procPagetypeinfo(pgdat).matchAll(/, type +\w+ +(>?\d+) /g)]
        .slice(0, 3)
        .map(([, count]) => count)
    }
    expect(orderZero('6.12.117')).toEqual(['99999', '>100000', '>100000'])
    expect(orderZero('4.12.4')).toEqual(['99999', '100000', '100001'])
  })

  it('calls the types by the names of the time', () => {
    const names = (kernel: KernelVersion) =>
      /blocks type (.*)\n/
        .exec(procPagetypeinfo(boot(kernel, 'arm', 'cma=0').pgdat))![1]!
        .trim()
        .split(/ +/)
    expect(names('3.5')).toEqual(['Unmovable', 'Reclaimable', 'Movable', 'Reserve', 'CMA', 'Isolate'])
    expect(names('4.6')).toEqual(['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'CMA', 'Isolate'])
  })
})

// Pages of CMA blocks that are in use.
function usedBy({ map, pageblock_flags, pageblock_order, migrate }: System['pgdat']): number {
  let used = 0
  for (let at = 0; at < map.end_pfn - map.start_pfn; at++) {
    if (pageblock_flags[at >> pageblock_order] === migrate.CMA && map.refcount[at]! > 0) used++
  }
  return used
}

describe('procZoneinfo()', () => {
  it('prints watermarks, pages and protection as each version does', () => {
    const now = boot('6.12.117', 'arm64', 'cma=16M')
    const zone = now.pgdat.zones[0]!
    const { min, low, high, promo } = zone.watermark
    const lines = procZoneinfo(now.vm).split('\n')
    const pages = lines.findIndex((line) => line.startsWith('  pages free '))
    expect(lines.slice(0, 3)).toEqual([
      'Node 0, zone      DMA',
      '  per-node stats',
      '      nr_inactive_anon 0',
    ])
    expect(lines.slice(pages + 1, pages + 10)).toEqual([
      ...[
        '        boost    0',
        `        min      ${min}`,
        `        low      ${low}`,
        `        high     ${high}`,
      ],
      ...[`        promo    ${promo}`, '        spanned  131072', '        present  131072'],
      ...[`        managed  ${zone.managed_pages}`, '        cma      4096'],
    ])
    expect(lines).toContain('Node 0, zone   Normal')
    expect(procZoneinfo(now.vm)).toContain('\nNode 0, zone   Normal\n  pages free     0\n')
    // Nothing more is said of an empty zone: as a booted 6.12 prints them, watermarks of ZONE_MOVABLE included.
    expect(procZoneinfo(now.vm)).toMatch(
      /\nNode 0, zone {2}Movable\n {2}pages free {5}0\n {8}boost {4}0\n {8}min {6}32\n {8}low {6}32\n {8}high {5}32\n {8}promo {4}32\n {8}spanned {2}0\n {8}present {2}0\n {8}managed {2}0\n {8}cma {6}0\n {8}protection: \(0, 0, 0, 0\)\n$/,
    )
  })

  it('prints zones with memory only before 4.12, and fewer lines', () => {
    const then = procZoneinfo(boot('3.5', 'arm', 'cma=16M').vm)
    expect(then).toMatch(
      / {2}pages free {5}\d+\n {8}min {6}\d+\n {8}low {6}\d+\n {8}high {5}\d+\n {8}spanned {2}131072\n/,
    )
    expect(then).toMatch(/ {8}present {2}131072\n {4}nr_free_pages \d+\n/)
    expect(then).not.toMatch(/managed|promo|boost|cma|HighMem/)
  })

  it('agrees with meminfo and vmstat', () => {
    const { vm, pgdat } = boot('6.12.117', 'arm64', 'cma=16M')
    for (let i = 0; i < 100; i++) __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 0)
    const free = values(procVmstat(vm))['nr_free_pages']!
    expect(free * 4).toBe(values(procMeminfo(vm))['MemFree'])
    const zones = [...procZoneinfo(vm).matchAll(/pages free +(\d+)/g)].map(([, pages]) => Number(pages))
    expect(zones.reduce((sum, pages) => sum + pages, 0)).toBe(free)
  })
})

describe('procVmstat()', () => {
  it('has the counters of its version in the kernel’s order', () => {
    const names = (kernel: KernelVersion) =>
      Object.keys(values(procVmstat(boot(kernel, 'arm', 'cma=16M').vm)))
    expect(names('3.5').slice(0, 3)).toEqual(['nr_free_pages', 'nr_inactive_anon', 'nr_active_anon'])
    expect(names('3.5')).not.toContain('nr_free_cma')
    expect(names('3.9')).toContain('pgmigrate_success')
    expect(
      ['4.12.4', '6.1.192'].map((kernel) => names(kernel as KernelVersion).includes('oom_kill')),
    ).toEqual([false, true])
    expect(names('4.12.4').indexOf('nr_free_cma')).toBeLessThan(names('4.12.4').indexOf('nr_inactive_anon'))
    expect(names('6.12.117').slice(-2)).toEqual(['cma_alloc_success', 'cma_alloc_fail'])
  })
})

describe('procCma()', () => {
  it('prints the files of every area, in the folder of its version', () => {
    const { vm, cma } = boot('6.12.117', 'arm64', 'cma=16M')
    cma_alloc(vm, cma[0]!, 256, 8, false)
    const text = procCma('6.12.117', cma)
    expect(text).toContain('/sys/kernel/debug/cma/reserved/count: 4096\n')
    expect(text).toContain('/sys/kernel/debug/cma/reserved/used: 352\n')
    expect(text).toContain('/sys/kernel/debug/cma/reserved/maxchunk: 3584\n')
    expect(text).toMatch(/reserved\/bitmap: 4294967295 4294967295 4294967295 0 0 0 0 0 4294967295 /)
    const folders = (['3.9', '4.6', '4.12.4', '6.1.192'] as const).map((kernel) =>
      cmaFolder(kernel, cma[0]!, 0),
    )
    expect(folders).toEqual([null, 'cma-0', 'cma-reserved', 'reserved'])
  })
})
