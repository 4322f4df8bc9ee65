// SPDX-License-Identifier: MIT
//
// The films of four kinds of widget, without a page: what their frames say is what the models did.
import { describe, expect, it } from 'vitest'
import { enWidgets } from '../../site/text/en_widgets.ts'
import { addressesFrames } from '../../site/widgets/addresses_frames.ts'
import { AddressesScenario } from '../../site/widgets/addresses_scenario.ts'
import { cacheFrames } from '../../site/widgets/cache_frames.ts'
import { CacheScenario } from '../../site/widgets/cache_scenario.ts'
import { callsFrames } from '../../site/widgets/calls_frames.ts'
import { CallsScenario } from '../../site/widgets/calls_scenario.ts'
import { type Frame, sentenceOf } from '../../site/widgets/frame.ts'
import { drawingOf } from '../../site/widgets/kinds_draw.ts'
import type { FilmKind } from '../../site/widgets/kinds_frames.ts'
import { walkFrames } from '../../site/widgets/walk_frames.ts'
import { WalkScenario } from '../../site/widgets/walk_scenario.ts'

const told = (kind: FilmKind, frames: readonly Frame[]): string[] =>
  frames.map(({ said }) => sentenceOf(said, enWidgets.kinds[kind]))

/** Every frame has its words and a picture of one size. */
function wellMade(kind: FilmKind, frames: readonly Frame[]): void {
  const pictures = frames.map((frame) => drawingOf(kind, frame, enWidgets.kinds[kind]))
  for (const text of [...told(kind, frames), ...pictures]) expect(text).not.toMatch(/\{\w+\}|undefined|NaN/)
  expect(new Set(pictures.map((svg) => /viewBox="([^"]+)"/.exec(svg)?.[1])).size).toBe(1)
}

describe('cache-lines', () => {
  const scenario = (more: object) => CacheScenario.parse({ lines: 2, memory: 'nnaaaaaa', ...more })
  const buffer = { at: 2, size: 6 }
  const stale = [
    { forDevice: 'FROM_DEVICE', ...buffer },
    { prefetch: 2 },
    { deviceWrites: 'DDDDDD', at: 2 },
    { cpuReads: 6, at: 2 },
    { forCpu: 'FROM_DEVICE', ...buffer },
    { cpuReads: 6, at: 2 },
  ]
  const lost = [
    { forDevice: 'FROM_DEVICE', ...buffer },
    { cpuWrites: 'NN', at: 0 },
    { deviceWrites: 'EEEEEE', at: 2 },
    { forCpu: 'FROM_DEVICE', ...buffer },
    { cpuReads: 6, at: 2 },
  ]

  it('shows a stale line until the processor has the buffer back', () => {
    const frames = cacheFrames(scenario({ steps: stale }))
    wellMade('cache-lines', frames)
    expect(frames[4]!.lines[0]).toEqual({ state: 'clean', cache: 'nnaa', ram: 'nnDD' })
    expect([frames[4]!.said, frames[6]!.said]).toEqual([
      { word: 'cpuReadsStale', values: { text: 'aaDDDD' } },
      { word: 'cpuReads', values: { text: 'DDDDDD' } },
    ])
  })

  it('shows what becomes of half a line that a neighbour has written to', () => {
    const frames = cacheFrames(scenario({ steps: [...stale, ...lost] }))
    expect(frames.at(-3)!.lines[0]).toEqual({ state: 'dirty', cache: 'NNDD', ram: 'nnEE' })
    expect(frames.at(-1)!.said.values).toEqual({ text: 'DDEEEE' })
  })

  it('has nothing stale for a device that looks into the cache, and dirty bytes reach it', () => {
    const steps = [...stale, { cpuWrites: 'PP', at: 2 }, { deviceReads: 2, at: 2 }]
    const frames = cacheFrames(scenario({ coherent: true, steps }))
    wellMade('cache-lines', frames)
    expect(frames.map(({ said }) => said.word)).not.toContain('cpuReadsStale')
    expect(frames.at(-1)!.said).toEqual({ word: 'deviceReads', values: { text: 'PP' } })
    const blind = cacheFrames(
      scenario({
        steps: [
          { cpuWrites: 'PP', at: 2 },
          { deviceReads: 2, at: 2 },
        ],
      }),
    )
    expect(blind.at(-1)!.said).toEqual({ word: 'deviceReadsStale', values: { text: 'aa' } })
  })

  it('refuses letters that there are not', () => {
    expect(() => scenario({ memory: 'abc', steps: stale })).toThrow('expected 4 letters for each line')
    expect(() => cacheFrames(scenario({ steps: [{ evict: 8 }] }))).toThrow('letters 8 to 8, expected below 8')
  })
})

describe('page-walk', () => {
  it.each(['memory', 'coherent'] as const)('reads an entry of each table, down to the byte: %s', (maps) => {
    const frames = walkFrames(WalkScenario.parse({ maps, pages: 2000, byte: 4205672 }))
    wellMade('page-walk', frames)
    const last = frames.at(-1)!
    const entries = last.levels.map(({ entry }) => BigInt(`0x${entry}`))
    // Each entry names the table of the next, and the last one the page.
    const named = entries.map((entry) => `0x${(entry & 0x0000_ffff_ffff_f000n).toString(16)}`)
    expect(named.slice(0, -1)).toEqual(last.levels.slice(1).map(({ table }) => table))
    expect(BigInt(last.pa!)).toBe(BigInt(named.at(-1)!) + BigInt(4205672 % 4096))
    const indices = last.levels.map(({ index }) => BigInt(index))
    const pointer = indices.reduce((sum, index) => sum * 512n + index, 0n) * 4096n + BigInt(last.offset)
    expect(pointer).toBe(BigInt(last.va))
    expect(frames.map(({ looked }) => looked).slice(-3)).toEqual([false, true, true])
    expect(last.attributes.at(-1)!.name).toBe(
      maps === 'memory' ? 'AttrIndx 0: normal' : 'AttrIndx 2: normal-nc',
    )
  })

  it('refuses a byte outside the mapping', () => {
    expect(() => walkFrames({ maps: 'memory', pages: 1, byte: 4096 })).toThrow(
      'byte 4096, expected below 4096',
    )
  })
})

describe('three-addresses', () => {
  it('follows a byte from the pointer to the bus and back, shifted for one device and as it is for the other', () => {
    const frames = addressesFrames(AddressesScenario.parse({ buffer: 8, byte: 4660, bus: 0 }))
    wellMade('three-addresses', frames)
    expect(frames.map(({ device }) => device)).toEqual([
      ...Array<string>(4).fill('camera'),
      ...Array<string>(4).fill('card'),
    ])
    for (const { cpu, phys, dma, device } of frames) {
      for (const { first, byte } of [cpu, phys, dma]) expect(BigInt(byte) - BigInt(first)).toBe(4660n)
      expect(BigInt(phys.byte) - BigInt(dma.byte)).toBe(device === 'camera' ? 0x4000_0000n : 0n)
    }
    expect(frames[3]!.said.values['again']).toBe(frames[3]!.phys.byte)
  })

  it('takes a bus that counts from elsewhere, and refuses one that RAM does not fit', () => {
    const [, , third] = addressesFrames({ buffer: 8, byte: 0, bus: 2048 })
    expect([third!.said.word, third!.dma.first]).toEqual(['dmaAbove', '0x90060000'])
    expect(() => addressesFrames({ buffer: 8, byte: 0, bus: 4000 })).toThrow(
      'expected RAM to end below 4 GiB',
    )
    expect(() => addressesFrames({ buffer: 8, byte: 8192, bus: 0 })).toThrow('byte 8192, expected below 8192')
  })
})

describe('calls-over-time', () => {
  const calls = ['ALLOCATE', 'mmap', 'munmap', 'fork', 'FREE', 'exit', 'rmmod', 'exit child', 'rmmod']

  it('shows each call with what the driver answers, and how often each page is mapped', () => {
    const frames = callsFrames(CallsScenario.parse({ pages: 5, calls }))
    wellMade('calls-over-time', frames)
    const seen = frames.map(({ calls, pages }) => {
      const { answer, mappings, used } = calls.at(-1)!
      return [answer, mappings, used, pages.join('')]
    })
    expect(seen).toEqual([
      [0, 0, 0, ''],
      [0, 0, 5, '00000'],
      [0, 1, 5, '11111'],
      [0, 2, 5, '11011'],
      [0, 4, 5, '22022'],
      [-16, 4, 5, '22022'],
      [0, 2, 5, '11011'],
      [-11, 2, 5, '11011'],
      [0, null, 0, ''],
      [0, null, 0, ''],
    ])
  })

  it('refuses calls in an order that makes no sense', () => {
    expect(() => callsFrames({ pages: 5, calls: ['exit child'] })).toThrow('expected a fork before it')
  })
})
