// SPDX-License-Identifier: MIT
//
// The map of physical memory, in Node: what it says of each page, how it is laid out, and what a window of it shows.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startSystem } from '../../code/machine/system.ts'
import { NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { enWidgets } from '../../site/text/en_widgets.ts'
import { treeOf } from '../../site/widgets/board.ts'
import {
  boxesOf,
  fillPages,
  indexAt,
  KIND_MASK,
  KINDS,
  type Level,
  type PageMap,
  placeOf,
  pyramid,
} from '../../site/widgets/map_layout.ts'
import { pageMap } from '../../site/widgets/map_states.ts'
import { bounded, paintView, viewOf, wholeMap, zoomed } from '../../site/widgets/map_view.ts'
import { factsOf, sayFacts } from '../../site/widgets/map_where.ts'

const DTS = `/dts-v1/;
/ {
  #address-cells = <2>;
  #size-cells = <2>;
  memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 ({gib} << 30)>; };
  reserved-memory {
    #address-cells = <2>;
    #size-cells = <2>;
    ranges;
    dsp@50000000 { reg = <0x0 0x50000000 0x0 0x100000>; no-map; };
  };
};`
const board = { gib: 1, kernel: '6.12.117', cmdline: 'cma=16M', busy: 0, dts: DTS } as const
const count = ({ levels }: PageMap, kind: string): number =>
  levels[0]!.cells.reduce((sum, state) => sum + (KINDS[state & KIND_MASK] === kind ? 1 : 0), 0)

describe('pageMap()', () => {
  const map = pageMap(board)

  it('has as many free pages as the machine counts', () => {
    const tree = treeOf(DTS.replace('{gib}', '1'))
    const { pgdat } = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=16M' })
    const free = pgdat.zones.reduce((sum, { vm_stat }) => sum + vm_stat[NR_FREE_PAGES]!, 0)
    expect(count(map, 'free') + count(map, 'cmaFree')).toBe(free)
    expect(count(map, 'cmaFree') + count(map, 'cmaTaken')).toBe(4096)
    expect(count(map, 'nomap')).toBe(256)
  })

  it('knows of a page its zone, its pageblock and the smallest range around it', () => {
    expect(sayFacts(factsOf(map, 0x50000), enWidgets.map)).toBe(
      'Page frame 0x50000, at 0x5000_0000 · reserved, not mapped · zone DMA · pageblock MOVABLE · dsp@50000000',
    )
    expect(factsOf(map, 0x40300)).toMatchObject({ kind: 'reserved', region: 'Kernel code' })
    const area = map.ranges.find(({ from, to }) => to - from === 4096)!
    expect(factsOf(map, area.to - 1)).toMatchObject({
      kind: 'cmaFree',
      migratetype: 'CMA',
      region: 'reserved',
    })
  })

  it('fills Normal before it touches DMA, which chapter 1 says of the picture', () => {
    const busyIn = (gib: number, zone: number): number =>
      pageMap({
        ...board,
        gib,
        cmdline: 'cma=0',
        busy: 40,
        dts: DTS.replace('0x0 ({gib} << 30)', '({gib} >> 2) (({gib} & 3) << 30)'),
      }).levels[0]!.cells.reduce((sum, state) => sum + (state >> 4 === zone && (state & 15) >= 4 ? 1 : 0), 0)
    expect(busyIn(8, 0)).toBe(0)
    expect(busyIn(8, 1)).toBeGreaterThan(500_000)
    expect(busyIn(4, 0)).toBeGreaterThan(50_000)
  })

  it('passes on what the parser has against a device tree', () => {
    expect(() => pageMap({ ...board, dts: '/dts-v1/;\n/ { memory@0 { reg = <0x0; }; };' })).toThrow(
      /^board\.dts:2: /,
    )
  })
})

describe('the layout', () => {
  it('gives every page a place of its own, and indexAt() finds it again', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 24 - 1), fc.integer({ min: 0, max: 8 }), (index, log) => {
        const { x, y } = placeOf(index, 2 ** log)
        expect(indexAt(x, y, 2 ** log)).toBe(index)
      }),
    )
  })

  it('fillPages() writes the pages that were meant', () => {
    fc.assert(
      fc.property(fc.nat(2048), fc.nat(2048), (a, b) => {
        const level: Level = { width: 64, height: 32, cells: new Uint8Array(2048) }
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        fillPages(level, from, to, 7)
        for (let page = 0; page < 2048; page++) {
          const { x, y } = placeOf(page, 2)
          expect(level.cells[y * 64 + x]).toBe(page >= from && page < to ? 7 : 0)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('boxesOf() covers the pages that were meant, each once', () => {
    fc.assert(
      fc.property(fc.nat(4096), fc.nat(4096), fc.integer({ min: 0, max: 2 }), (a, b, log) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const covered: number[] = []
        for (const { x, y, width, height } of boxesOf(from, to, 2 ** log))
          for (let row = y; row < y + height; row++)
            for (let column = x; column < x + width; column++) covered.push(indexAt(column, row, 2 ** log))
        const meant = Array.from({ length: to - from }, (_, page) => from + page)
        expect(covered.sort((one, other) => one - other)).toEqual(meant)
      }),
      { numRuns: 40 },
    )
    expect(boxesOf(0, 512 * 64, 8).length).toBe(8)
  })

  it('pyramid() keeps what three of four have, and shares what is even', () => {
    const cells = new Uint8Array(128 * 128)
    for (let y = 0; y < 128; y++)
      for (let x = 0; x < 128; x++) cells[y * 128 + x] = y < 64 ? (x % 2 && y % 2 ? 1 : 2) : x % 2 ? 1 : 2
    const half = pyramid({ width: 128, height: 128, cells })[1]!
    expect([...half.cells.subarray(0, 32 * 64)].every((state) => state === 2)).toBe(true)
    const even = half.cells.subarray(32 * 64)
    expect(even.reduce((sum, state) => sum + (state === 1 ? 1 : 0), 0)).toBe(even.length / 2)
  })
})

describe('the window', () => {
  const map = pageMap(board)
  const { width, height, cells } = map.levels[0]!
  const palette = Uint32Array.from({ length: 256 }, (_, state) => state + 1)
  const size = { width: 120, height: 90 }

  it('shows at every point of it the page that lies there', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: width, noNaN: true }),
        fc.double({ min: -50, max: height, noNaN: true }),
        fc.double({ min: 1, max: 96, noNaN: true }),
        (x, y, scale) => {
          const out = new Uint32Array(size.width * size.height)
          paintView(map, { x, y, scale }, size, palette, 0, out)
          const step = 1 / scale
          for (let py = 0; py < size.height; py += 7) {
            for (let px = 0; px < size.width; px += 7) {
              const [cx, cy] = [Math.floor(x + px * step), Math.floor(y + py * step)]
              const outside = cx < 0 || cy < 0 || cx >= width || cy >= height
              expect(out[py * size.width + px]).toBe(outside ? 0 : palette[cells[cy * width + cx]!])
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('goes as near to some pages as shows them all', () => {
    for (const [from, to] of [
      [0, 1],
      [700, 9000],
      [100_000, 108_192],
    ] as const) {
      const boxes = boxesOf(from, to, width / 32)
      const { x, y, scale } = viewOf(map, size, boxes)
      for (const box of boxes) {
        expect(box.x).toBeGreaterThanOrEqual(x)
        expect(box.y).toBeGreaterThanOrEqual(y)
        expect(box.x + box.width).toBeLessThanOrEqual(x + size.width / scale)
        expect(box.y + box.height).toBeLessThanOrEqual(y + size.height / scale)
      }
      const [high, wide] = [
        Math.max(...boxes.map((box) => box.y + box.height)) - Math.min(...boxes.map((box) => box.y)),
        Math.max(...boxes.map((box) => box.x + box.width)) - Math.min(...boxes.map((box) => box.x)),
      ]
      const filled = Math.max((high * scale) / size.height, (wide * scale) / size.width)
      expect(scale === 96 ? 0.8 : filled).toBeCloseTo(0.8, 6)
    }
  })

  it('stays on the map, however it is moved, and the point under the pointer stays when it zooms', () => {
    const whole = wholeMap(map, size)
    expect(bounded(map, size, { x: 1e6, y: -1e6, scale: 1e-6 })).toEqual(whole)
    const near = zoomed(map, size, whole, 40, 60, 45)
    const nearer = zoomed(map, size, near, 3, 30, 20)
    expect(nearer.x + 30 / nearer.scale).toBeCloseTo(near.x + 30 / near.scale, 6)
    expect(nearer.y + 20 / nearer.scale).toBeCloseTo(near.y + 20 / near.scale, 6)
    expect(zoomed(map, size, nearer, 1e-9, 0, 0)).toEqual(whole)
  })
})
