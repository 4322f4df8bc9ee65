// SPDX-License-Identifier: MIT
//
// Laws of the cache and of RAM, against a flat array and against a cache of the simplest kind.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Cache } from '../../code/arch/cache.ts'
import {
  cacheRead,
  cacheWrite,
  clean,
  cleanAndInvalidate,
  createCache,
  evict,
  invalidate,
  lineState,
  prefetch,
  restoreCache,
  snapshotCache,
  snoopInto,
} from '../../code/arch/cache.ts'
import type { Cpu } from '../../code/arch/cpu.ts'
import {
  cpuCopyPage,
  cpuFill,
  cpuRead,
  cpuWrite,
  createCpu,
  deviceRead,
  deviceWrite,
  restoreCpu,
  snapshotCpu,
} from '../../code/arch/cpu.ts'
import { isAliasMismatch } from '../../code/arch/memory_type.ts'
import type { Ram } from '../../code/arch/ram.ts'
import {
  clearPage,
  copyPage,
  createRam,
  fillBytes,
  read32,
  read64,
  readBytes,
  restoreRam,
  snapshotRam,
  write32,
  write64,
  writeBytes,
} from '../../code/arch/ram.ts'
import '../support/laws_seed.ts'

const read = (cache: Cache, pa: number, n: number): number[] => [...cacheRead(cache, pa, new Uint8Array(n))]
/** Index and bytes of the first difference, or null: much faster than toEqual(). */
function difference(got: Uint8Array, expected: Uint8Array): string | null {
  if (got.length !== expected.length) return `${got.length} bytes, expected ${expected.length}`
  const i = got.findIndex((value, at) => value !== expected[at])
  return i < 0 ? null : `[${i}] is ${got[i]}, expected ${expected[i]}`
}
const inRam = (ram: Ram, pa: number, n = 1): number[] => [...readBytes(ram, pa, n)]

/** A stretch of memory around a border of chunks and of blocks of lines, and any range in it. */
const SPACE = 0x3000
const BASE = 0x4_0000_f000
const range = fc
  .tuple(fc.nat(SPACE - 1), fc.integer({ min: 1, max: 300 }))
  .map(([at, n]) => ({ pa: BASE + at, n: Math.min(n, SPACE - at) }))
const lineSize = fc.constantFrom(16, 32, 64, 128)

describe('createRam()', () => {
  test('reads as zero and costs nothing until it is written, at 64 GiB too', () => {
    const ram = createRam()
    expect(inRam(ram, 0, 3)).toEqual([0, 0, 0])
    expect(inRam(ram, 64 * 2 ** 30 - 2, 4)).toEqual([0, 0, 0, 0])
    clearPage(ram, 32 * 2 ** 30, 4096)
    copyPage(ram, 16 * 2 ** 30, 32 * 2 ** 30, 4096)
    expect(ram.chunks.size).toBe(0)
    writeBytes(ram, 64 * 2 ** 30 - 1, Uint8Array.of(1, 2))
    expect(inRam(ram, 64 * 2 ** 30 - 1, 2)).toEqual([1, 2])
    expect(ram.chunks.size).toBe(2)
  })

  test('agrees with a flat array over any writes, fills and copies', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), range, value: fc.nat(255) }),
      fc.record({ kind: fc.constant('fill' as const), range, value: fc.nat(255) }),
      fc.record({ kind: fc.constant('copy' as const), src: fc.nat(2), dst: fc.nat(2) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ram = createRam()
        const flat = new Uint8Array(SPACE)
        for (const s of steps) {
          if (s.kind === 'copy') {
            copyPage(ram, BASE + s.dst * 4096, BASE + s.src * 4096, 4096)
            flat.copyWithin(s.dst * 4096, s.src * 4096, s.src * 4096 + 4096)
            continue
          }
          const { pa, n } = s.range
          if (s.kind === 'fill') fillBytes(ram, pa, n, s.value)
          else
            writeBytes(
              ram,
              pa,
              Uint8Array.from({ length: n }, (_, i) => s.value + i),
            )
          for (let i = 0; i < n; i++) flat[pa - BASE + i] = s.kind === 'fill' ? s.value : s.value + i
        }
        expect(difference(readBytes(ram, BASE, SPACE), flat)).toBeNull()
        const copy = createRam()
        restoreRam(copy, structuredClone(snapshotRam(ram)))
        expect(difference(readBytes(copy, BASE, SPACE), flat)).toBeNull()
      }),
    )
  })

  test('words are little-endian', () => {
    const ram = createRam()
    write64(ram, 0x1000, 0x1122_3344_5566_7788n)
    expect(inRam(ram, 0x1000, 3)).toEqual([0x88, 0x77, 0x66])
    expect([read32(ram, 0x1000), read32(ram, 0x1004)]).toEqual([0x5566_7788, 0x1122_3344])
    write32(ram, 0x1004, 0xffff_ffff)
    expect(read64(ram, 0x1000)).toBe(0xffff_ffff_5566_7788n)
    expect([read32(ram, 0x9000_0000), read64(ram, 0x9000_0000)]).toEqual([0, 0n])
  })

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('writeBytes() refuses address %d with a message', (pa) => {
    expect(() => writeBytes(createRam(), pa, Uint8Array.of(1))).toThrow(
      /writeBytes: got address .*expected an/,
    )
  })

  test('restoreRam() takes away what was written after the snapshot', () => {
    const ram = createRam()
    writeBytes(ram, 0x1000, Uint8Array.of(1))
    const before = snapshotRam(ram)
    writeBytes(ram, 0x1000, Uint8Array.of(2))
    writeBytes(ram, 0x9000_0000, Uint8Array.of(3))
    restoreRam(ram, before)
    expect([inRam(ram, 0x9000_0000), inRam(ram, 0x1000)]).toEqual([[0], [1]])
    writeBytes(ram, 0x1000, Uint8Array.of(4))
    expect(before[0]![1][0x1000]).toBe(1)
  })
})

type Step =
  | { kind: 'write'; range: { pa: number; n: number }; value: number }
  | { kind: 'read' | 'clean' | 'flush' | 'evict' | 'prefetch'; range: { pa: number; n: number } }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), range, value: fc.nat(255) }),
  fc.record({ kind: fc.constantFrom('read', 'clean', 'flush', 'evict', 'prefetch'), range }),
)

// What the maintenance of a range means for one level, or for both.
function apply(cpu: Cpu, s: Step): void {
  const { pa, n } = s.range
  if (s.kind === 'write') cpuWrite(cpu, pa, new Uint8Array(n).fill(s.value), 'normal')
  if (s.kind === 'read') cpuRead(cpu, pa, n, 'normal')
  if (s.kind === 'prefetch') prefetch(cpu.l1, pa)
  for (const cache of [cpu.l1, cpu.outer])
    if (cache) {
      if (s.kind === 'clean') clean(cache, pa, n)
      if (s.kind === 'flush') cleanAndInvalidate(cache, pa, n)
      if (s.kind === 'evict') evict(cache, pa, n)
    }
}

describe('cacheRead() and cacheWrite()', () => {
  test.each([false, true])(
    'agree with a flat memory for a single agent, whatever is maintained (outer: %s)',
    (outer) => {
      fc.assert(
        fc.property(lineSize, fc.array(step, { maxLength: 60 }), (line, steps) => {
          const cpu = createCpu({ ram: createRam(), arch: 'arm', lineSize: line, outer })
          const flat = new Uint8Array(SPACE)
          for (const s of steps) {
            apply(cpu, s)
            if (s.kind === 'write') flat.fill(s.value, s.range.pa - BASE, s.range.pa - BASE + s.range.n)
          }
          expect(difference(deviceRead(cpu, BASE, SPACE, true), flat)).toBeNull()
          const copy = createCpu({ ram: cpu.ram, arch: 'arm', lineSize: line, outer })
          restoreCpu(copy, structuredClone(snapshotCpu(cpu)))
          expect(difference(cpuRead(copy, BASE, SPACE, 'normal'), flat)).toBeNull()
          for (const cache of [cpu.l1, cpu.outer]) if (cache) evict(cache, BASE, SPACE)
          expect(difference(readBytes(cpu.ram, BASE, SPACE), flat)).toBeNull()
          expect(cpu.l1.blocks.size).toBe(0)
        }),
      )
    },
  )

  test('a partial write takes the rest of its line from RAM, a whole one does not', () => {
    const ram = createRam()
    const cache = createCache(ram, { lineSize: 64 })
    fillBytes(ram, 0, 128, 7)
    cacheWrite(cache, 4, Uint8Array.of(1))
    fillBytes(ram, 0, 128, 9)
    expect(read(cache, 0, 6)).toEqual([7, 7, 7, 7, 1, 7])
    cacheWrite(cache, 64, new Uint8Array(64).fill(3))
    expect(read(cache, 64, 1)).toEqual([3])
    expect(lineState(cache, 0)).toBe('dirty')
  })
})

/** Everything a device may do between two steps of the CPU, and what the lines must then be. */
describe('clean() and invalidate()', () => {
  const writes = fc.array(fc.record({ range, value: fc.integer({ min: 1, max: 255 }) }), {
    minLength: 1,
    maxLength: 10,
  })

  test('clean() makes RAM as the CPU sees the range, twice is once, and no line leaves', () => {
    fc.assert(
      fc.property(lineSize, writes, range, (line, all, { pa, n }) => {
        const ram = createRam()
        const cache = createCache(ram, { lineSize: line })
        for (const { range: r, value } of all) cacheWrite(cache, r.pa, new Uint8Array(r.n).fill(value))
        const seen = snoopInto(cache, pa, new Uint8Array(n))
        const lines = snapshotCache(cache).blocks.map(({ index, valid }) => ({ index, valid }))
        clean(cache, pa, n)
        expect(readBytes(ram, pa, n)).toEqual(seen)
        const once = readBytes(ram, BASE, SPACE)
        clean(cache, pa, n)
        expect(difference(readBytes(ram, BASE, SPACE), once)).toBeNull()
        expect(snapshotCache(cache).blocks.map(({ index, valid }) => ({ index, valid }))).toEqual(lines)
      }),
    )
  })

  test('invalidate() makes the CPU see RAM in the range, and leaves RAM as it is', () => {
    fc.assert(
      fc.property(lineSize, writes, range, (line, all, { pa, n }) => {
        const ram = createRam()
        const cache = createCache(ram, { lineSize: line })
        fillBytes(ram, BASE, SPACE, 0)
        for (const { range: r, value } of all) cacheWrite(cache, r.pa, new Uint8Array(r.n).fill(value))
        const before = readBytes(ram, BASE, SPACE)
        invalidate(cache, pa, n)
        expect(difference(readBytes(ram, BASE, SPACE), before)).toBeNull()
        expect(read(cache, pa, n)).toEqual([...readBytes(ram, pa, n)])
      }),
    )
  })

  test('a line that was cleaned is not lost by invalidate(); one that was not is counted', () => {
    const cache = createCache(createRam(), { lineSize: 64 })
    cacheWrite(cache, 0, new Uint8Array(128).fill(5))
    clean(cache, 0, 64)
    invalidate(cache, 0, 128)
    expect([read(cache, 0, 1), read(cache, 64, 1)]).toEqual([[5], [0]])
    expect(cache.counts).toEqual({ clean: 1, invalidate: 2, flush: 0, dirtyLinesLost: 1 })
  })

  test('over a range much larger than what is cached finds the lines all the same', () => {
    const cache = createCache(createRam(), { lineSize: 64 })
    cacheWrite(cache, 0x8000_0040, Uint8Array.of(5))
    const others = [0x0fff_ffc0, 0xc000_0000, 0xc000_0800, 0xc100_0040]
    for (const pa of others) cacheWrite(cache, pa, Uint8Array.of(6))
    cleanAndInvalidate(cache, 0x1000_0000, 0xb000_0000)
    expect(lineState(cache, 0x8000_0040)).toBe('absent')
    expect(others.map((pa) => lineState(cache, pa))).toEqual(['dirty', 'dirty', 'dirty', 'dirty'])
    expect(cache.counts.flush).toBe(0xb000_0000 / 64)
    expect(inRam(cache.ram, 0x8000_0040)).toEqual([5])
  })

  test('of size 0 touches nothing', () => {
    const cache = createCache(createRam(), { lineSize: 64 })
    cacheWrite(cache, 0, Uint8Array.of(5))
    clean(cache, 0x10, 0)
    invalidate(cache, 0x10, 0)
    cleanAndInvalidate(cache, 0x10, 0)
    expect(lineState(cache, 0)).toBe('dirty')
    expect(cache.counts).toEqual({ clean: 0, invalidate: 0, flush: 0, dirtyLinesLost: 0 })
  })
})

describe('createCache()', () => {
  test.each([0, 48, 2, 4096])('refuses a line of %d bytes', (bytes) => {
    expect(() => createCache(createRam(), { lineSize: bytes })).toThrow(
      `createCache: got a line of ${bytes} bytes, expected a power of two from 4 to 2048`,
    )
  })

  test('restoreCache() brings back lines and counts', () => {
    const ram = createRam()
    const cache = createCache(ram)
    cacheWrite(cache, 0, Uint8Array.of(1))
    const before = snapshotCache(cache)
    cacheWrite(cache, 0, Uint8Array.of(2))
    clean(cache, 0, 1)
    restoreCache(cache, before)
    expect([read(cache, 0, 1), lineState(cache, 0), cache.counts.clean]).toEqual([[1], 'dirty', 0])
  })
})

describe('cpuRead() and cpuWrite()', () => {
  test('of an alias that is not cacheable read stale bytes, and lose what they wrote when the line leaves', () => {
    const cpu = createCpu({ ram: createRam(), arch: 'arm64' })
    cpuWrite(cpu, 0x1000, Uint8Array.of(1), 'normal')
    expect(cpuRead(cpu, 0x1000, 1, 'normal-nc')[0]).toBe(0)
    cpuWrite(cpu, 0x1001, Uint8Array.of(2), 'normal-nc')
    expect(cpuRead(cpu, 0x1001, 1, 'normal')[0]).toBe(0)
    evict(cpu.l1, 0x1000)
    expect([...readBytes(cpu.ram, 0x1000, 2)]).toEqual([1, 0])
  })

  test.each([false, true])('of normal-wt write through to RAM and keep the line (outer: %s)', (outer) => {
    const cpu = createCpu({ ram: createRam(), arch: 'arm', outer })
    cpuWrite(cpu, 0x1000, Uint8Array.of(1), 'normal-wt')
    expect(deviceRead(cpu, 0x1000, 1, false)[0]).toBe(1)
    expect(lineState(cpu.l1, 0x1000)).toBe('clean')
    deviceWrite(cpu, 0x1000, Uint8Array.of(9), false)
    expect(cpuRead(cpu, 0x1000, 1, 'normal-wt')[0]).toBe(1)
  })

  test('createCpu() refuses an outer cache on arm64', () => {
    expect(() => createCpu({ ram: createRam(), arch: 'arm64', outer: true })).toThrow(/outer cache on arm64/)
  })

  test('restoreCpu() refuses a snapshot of a machine with another cache', () => {
    const withOuter = createCpu({ ram: createRam(), arch: 'arm', outer: true })
    const without = createCpu({ ram: createRam(), arch: 'arm' })
    expect(() => restoreCpu(without, snapshotCpu(withOuter))).toThrow(/got a snapshot with an outer cache/)
    expect(() => restoreCpu(withOuter, snapshotCpu(without))).toThrow(/got a snapshot without an outer cache/)
  })
})

describe('cpuCopyPage() and cpuFill()', () => {
  test.each([false, true])('copy and fill what the CPU sees, wherever lines are (outer: %s)', (outer) => {
    const page = fc.nat(2)
    const bulk = fc.oneof(
      fc.record({ kind: fc.constant('copy' as const), dst: page, src: page }),
      fc.record({ kind: fc.constant('fillRange' as const), range, value: fc.nat(255) }),
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(step, bulk), { maxLength: 40 }), (steps) => {
        const cpu = createCpu({ ram: createRam(), arch: 'arm', outer })
        const flat = new Uint8Array(SPACE)
        for (const s of steps) {
          if (s.kind === 'copy') {
            cpuCopyPage(cpu, BASE + s.dst * 4096, BASE + s.src * 4096, 4096)
            flat.copyWithin(s.dst * 4096, s.src * 4096, s.src * 4096 + 4096)
          } else if (s.kind === 'fillRange') {
            cpuFill(cpu, s.range.pa, s.range.n, s.value)
            flat.fill(s.value, s.range.pa - BASE, s.range.pa - BASE + s.range.n)
          } else {
            apply(cpu, s)
            if (s.kind === 'write') flat.fill(s.value, s.range.pa - BASE, s.range.pa - BASE + s.range.n)
          }
        }
        expect(difference(cpuRead(cpu, BASE, SPACE, 'normal'), flat)).toBeNull()
      }),
    )
  })

  test('leave no line of the destination behind: RAM has it all', () => {
    const cpu = createCpu({ ram: createRam(), arch: 'arm64' })
    cpuWrite(cpu, 0x1000, Uint8Array.of(1), 'normal')
    cpuWrite(cpu, 0x2000, Uint8Array.of(2), 'normal')
    cpuCopyPage(cpu, 0x2000, 0x1000, 4096)
    expect(inRam(cpu.ram, 0x2000)).toEqual([1])
    expect(lineState(cpu.l1, 0x2000)).toBe('absent')
  })
})

describe('isAliasMismatch()', () => {
  test('MC-8.6: a cacheable and a non-cacheable mapping of one page disagree, two of a kind do not', () => {
    expect(isAliasMismatch('normal', 'normal-nc')).toBe(true)
    expect(isAliasMismatch('normal-nc', 'normal')).toBe(true)
    expect(isAliasMismatch('normal', 'device-nGnRnE')).toBe(true)
    expect(isAliasMismatch('normal', 'normal')).toBe(false)
    expect(isAliasMismatch('normal-nc', 'normal-nc')).toBe(false)
  })
})
