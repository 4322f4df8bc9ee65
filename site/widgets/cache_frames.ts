// SPDX-License-Identifier: MIT
//
// The film of `cache-lines`: the same bytes as the cache has them and as RAM has them, a frame for each access and each
// piece of maintenance. A letter stands for 16 bytes, so a line of 64 has four.
import { evict, lineState, prefetch, snapshotCache } from '../../code/arch/cache.ts'
import {
  cpuRead,
  cpuWrite,
  createCpu,
  type Cpu,
  deviceRead,
  deviceWrite,
  logCacheOps,
} from '../../code/arch/cpu.ts'
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '../../code/arch/dma_direction.ts'
import { arch_sync_dma_for_cpu, arch_sync_dma_for_device } from '../../code/arch/dma_sync.ts'
import { createRam, readInto, writeBytes } from '../../code/arch/ram.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import type { Frame, Said } from './frame.ts'

/** Letters in a line, and bytes that a letter stands for. */
export const LETTERS = 4
const BYTES = 16
const LINE = LETTERS * BYTES
const BASE = 0x4800_0000

export const DIRECTIONS = {
  TO_DEVICE: DMA_TO_DEVICE,
  FROM_DEVICE: DMA_FROM_DEVICE,
  BIDIRECTIONAL: DMA_BIDIRECTIONAL,
} as const

type Direction = keyof typeof DIRECTIONS
export type CacheStep =
  | { readonly cpuWrites: string; readonly at: number }
  | { readonly cpuReads: number; readonly at: number }
  | { readonly deviceWrites: string; readonly at: number }
  | { readonly deviceReads: number; readonly at: number }
  | { readonly forDevice: Direction; readonly at: number; readonly size: number }
  | { readonly forCpu: Direction; readonly at: number; readonly size: number }
  | { readonly prefetch: number }
  | { readonly evict: number }

export interface CacheScenario {
  readonly lines: number
  readonly memory: string
  readonly kernel: KernelVersion
  readonly coherent: boolean
  readonly steps: readonly CacheStep[]
}

/** A line: its letters in RAM, and in the cache if it is there. */
export interface DrawnLine {
  readonly state: 'absent' | 'clean' | 'dirty'
  readonly cache: string | null
  readonly ram: string
}

export interface CacheFrame extends Frame {
  readonly lines: readonly DrawnLine[]
  /** Letters that the step is about, and who touches them. */
  readonly about: {
    readonly from: number
    readonly to: number
    readonly by: 'cpu' | 'device' | 'kernel'
  } | null
}

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from([...text].flatMap((letter) => Array<number>(BYTES).fill(letter.charCodeAt(0))))
// A letter is shown by the first of its bytes: everything here touches whole ones.
const textOf = (bytes: Uint8Array): string =>
  Array.from({ length: bytes.length / BYTES }, (_, i) => String.fromCharCode(bytes[i * BYTES]!)).join('')

class Film {
  readonly frames: CacheFrame[] = []
  private readonly scenario: CacheScenario
  private readonly cpu: Cpu

  constructor(scenario: CacheScenario) {
    this.scenario = scenario
    this.cpu = createCpu({ ram: createRam(), arch: 'arm64', lineSize: LINE })
    writeBytes(this.cpu.ram, BASE, bytesOf(scenario.memory))
    this.show(
      { word: scenario.coherent ? 'startCoherent' : 'start', values: { lines: scenario.lines } },
      null,
    )
  }

  // What the cache has of a line is read off its snapshot, for a read would fetch it.
  private cached(line: number): string | null {
    const { l1 } = this.cpu
    const pa = BASE + line * LINE
    if (lineState(l1, pa) === 'absent') return null
    const first = Math.floor(pa / LINE)
    const block = snapshotCache(l1).blocks.find(({ index }) => index === Math.floor(first / 32))!
    const from = (first % 32) * LINE
    return textOf(block.data.subarray(from, from + LINE))
  }

  private show(said: Said, about: CacheFrame['about']): void {
    const lines = Array.from({ length: this.scenario.lines }, (_, line): DrawnLine => {
      const pa = BASE + line * LINE
      const ram = textOf(readInto(this.cpu.ram, pa, new Uint8Array(LINE)))
      return { state: lineState(this.cpu.l1, pa), cache: this.cached(line), ram }
    })
    this.frames.push({ said, lines, about })
  }

  private check(at: number, size: number): void {
    const letters = this.scenario.lines * LETTERS
    if (at + size > letters)
      throw new Error(`cache-lines: letters ${at} to ${at + size - 1}, expected below ${letters}`)
  }

  step(step: CacheStep): void {
    if ('cpuWrites' in step || 'deviceWrites' in step) return this.writes(step)
    if ('cpuReads' in step || 'deviceReads' in step) return this.reads(step)
    if ('forDevice' in step || 'forCpu' in step) return this.syncs(step)
    return this.byItself(step)
  }

  private writes(step: Extract<CacheStep, { cpuWrites: string } | { deviceWrites: string }>): void {
    const byCpu = 'cpuWrites' in step
    const text = byCpu ? step.cpuWrites : step.deviceWrites
    this.check(step.at, text.length)
    const pa = BASE + step.at * BYTES
    if (byCpu) cpuWrite(this.cpu, pa, bytesOf(text), 'normal')
    else deviceWrite(this.cpu, pa, bytesOf(text), this.scenario.coherent)
    const about = { from: step.at, to: step.at + text.length, by: byCpu ? 'cpu' : 'device' } as const
    const device = this.scenario.coherent ? 'deviceWritesCoherent' : 'deviceWrites'
    this.show({ word: byCpu ? 'cpuWrites' : device, values: { text } }, about)
  }

  private reads(step: Extract<CacheStep, { cpuReads: number } | { deviceReads: number }>): void {
    const byCpu = 'cpuReads' in step
    const size = byCpu ? step.cpuReads : step.deviceReads
    this.check(step.at, size)
    const pa = BASE + step.at * BYTES
    const bytes = byCpu
      ? cpuRead(this.cpu, pa, size * BYTES, 'normal')
      : deviceRead(this.cpu, pa, size * BYTES, this.scenario.coherent)
    const text = textOf(bytes)
    const stale =
      byCpu &&
      text !== textOf(readInto(this.cpu.ram, pa, new Uint8Array(size * BYTES))) &&
      !this.dirty(step.at, size)
    const missed = !byCpu && text !== this.newest(step.at, size)
    const about = { from: step.at, to: step.at + size, by: byCpu ? 'cpu' : 'device' } as const
    const word = `${byCpu ? 'cpuReads' : 'deviceReads'}${stale || missed ? 'Stale' : ''}`
    this.show({ word, values: { text } }, about)
  }

  private lines(at: number, size: number): number[] {
    const first = Math.floor(at / LETTERS)
    return Array.from({ length: Math.floor((at + size - 1) / LETTERS) - first + 1 }, (_, i) => first + i)
  }

  private dirty(at: number, size: number): boolean {
    return this.lines(at, size).some((line) => lineState(this.cpu.l1, BASE + line * LINE) === 'dirty')
  }

  // As the CPU would read it now, without that a line moves.
  private newest(at: number, size: number): string {
    const all = Array.from({ length: this.scenario.lines }, (_, line) => {
      const ram = textOf(readInto(this.cpu.ram, BASE + line * LINE, new Uint8Array(LINE)))
      return this.dirty(line * LETTERS, 1) ? this.cached(line)! : ram
    })
    return all.join('').slice(at, at + size)
  }

  private syncs(step: Extract<CacheStep, { forDevice: Direction } | { forCpu: Direction }>): void {
    this.check(step.at, step.size)
    const forDevice = 'forDevice' in step
    const direction = forDevice ? step.forDevice : step.forCpu
    const sync = forDevice ? arch_sync_dma_for_device : arch_sync_dma_for_cpu
    const log = logCacheOps(this.cpu)
    const kernel = { kernel: this.scenario.kernel, arch: 'arm64' } as const
    // A device that looks into the cache needs none of it, and nobody calls this for it.
    if (!this.scenario.coherent)
      sync(this.cpu, kernel, BASE + step.at * BYTES, step.size * BYTES, DIRECTIONS[direction])
    const ops = [...new Set(log.map(({ op }) => op))].join(', ')
    const word = `${forDevice ? 'forDevice' : 'forCpu'}${ops === '' ? 'Nothing' : ''}`
    this.show(
      { word, values: { direction: `DMA_${direction}`, ops } },
      { from: step.at, to: step.at + step.size, by: 'kernel' },
    )
  }

  private byItself(step: Extract<CacheStep, { prefetch: number } | { evict: number }>): void {
    const fetches = 'prefetch' in step
    const at = fetches ? step.prefetch : step.evict
    this.check(at, 1)
    const pa = BASE + at * BYTES
    if (fetches) prefetch(this.cpu.l1, pa)
    else evict(this.cpu.l1, pa)
    const line = Math.floor(at / LETTERS)
    this.show(
      { word: fetches ? 'prefetch' : 'evict', values: { line } },
      { from: line * LETTERS, to: (line + 1) * LETTERS, by: 'cpu' },
    )
  }
}

/** Throws when a step is about letters that there are not. */
export function cacheFrames(scenario: CacheScenario): CacheFrame[] {
  const film = new Film(scenario)
  for (const step of scenario.steps) film.step(step)
  return film.frames
}
