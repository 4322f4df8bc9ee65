// SPDX-License-Identifier: MIT
//
// The film of `page-walk`: a program's pointer taken apart, one entry read from each table, and the last one bit by bit.
// The tables are those of a process on a booted machine: it maps memory and writes to the byte, so that a fault has put
// the entry there; or it maps a device's coherent buffer.
import { type Geometry, walk } from '../../code/arch/pgtable.ts'
import * as bits from '../../code/arch/pgtable_arm64.ts'
import { memoryTypeOf } from '../../code/arch/pgtable_prot.ts'
import { pte_pfn } from '../../code/arch/pgtable_pte.ts'
import { read64 } from '../../code/arch/ram.ts'
import { dma_mmap_coherent } from '../../code/dma/dma_mmap.ts'
import { dma_alloc_coherent } from '../../code/dma/mapping.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { createDeviceNode, openFile } from '../../code/mm/file.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { userWrite } from '../../code/mm/uaccess.ts'
import type { MmStruct } from '../../code/mm/vm.ts'
import { createDevice } from '../../code/of/reserved_mem.ts'
import { boardTree } from './board.ts'
import type { Frame, Said } from './frame.ts'

export interface WalkScenario {
  readonly maps: 'memory' | 'coherent'
  /** Length of the mapping, and the byte of it that is looked for. */
  readonly pages: number
  readonly byte: number
}

/** A level: which entry of its table the pointer names, and what it holds once it has been read. */
export interface DrawnLevel {
  readonly name: string
  readonly index: number
  /** Bits of the pointer that are the index: the highest and the lowest. */
  readonly bits: readonly [number, number]
  /** Of the table, and of the entry as 16 digits; null until the walk is there. */
  readonly table: string | null
  readonly entry: string | null
}

export interface WalkFrame extends Frame {
  readonly va: string
  readonly offset: number
  readonly levels: readonly DrawnLevel[]
  /** Levels that have been read. */
  readonly read: number
  /** What the last entry's bits say, and whether the film has come to them. */
  readonly attributes: readonly { readonly name: string; readonly set: boolean }[]
  readonly looked: boolean
  /** The physical address, once it is known. */
  readonly pa: string | null
}

const NAMES = ['PGD', 'PUD', 'PMD', 'PTE']
const SHOWN = [
  'PTE_VALID',
  'PTE_USER',
  'PTE_RDONLY',
  'PTE_AF',
  'PTE_NG',
  'PTE_WRITE',
  'PTE_PXN',
  'PTE_UXN',
  'PTE_DIRTY',
  'PTE_SPECIAL',
] as const

const hex = (value: number): string => `0x${value.toString(16)}`

function mapped({ maps, pages }: WalkScenario, system: System): { mm: MmStruct; va: number } {
  const { vm, dma } = system
  const mm = createProcess(vm, 'viewer')
  const len = pages * mm.pgd.geometry.pageSize
  const prot = PROT_READ | PROT_WRITE
  if (maps === 'memory') return { mm, va: do_mmap(vm, mm, { len, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS }) }
  const camera = createDevice('camera', null)
  const buffer = dma_alloc_coherent(dma, camera, len, GFP_KERNEL)
  if (!buffer)
    throw new Error(
      `page-walk: the model has no buffer of ${pages} pages, expected at most those of its CMA area`,
    )
  const node = createDeviceNode('/dev/camera', {
    mmap: (_vm, _file, vma) => dma_mmap_coherent(dma, camera, vma, buffer.cpu_addr, buffer.dma_handle, len),
  })
  return { mm, va: do_mmap(vm, mm, { len, prot, flags: MAP_SHARED, file: openFile(vm, node) }) }
}

function levelsOf({ levels }: Geometry, va: number): DrawnLevel[] {
  return levels.map(({ span, entries }, at) => {
    const low = Math.log2(span)
    return {
      name: NAMES.at(at - levels.length) ?? '',
      index: Math.floor(va / span) % entries,
      bits: [low + Math.log2(entries) - 1, low],
      table: null,
      entry: null,
    }
  })
}

function attributesOf(pte: bigint): { name: string; set: boolean }[] {
  const named = SHOWN.map((name) => ({ name, set: (pte & bits[name]) !== 0n }))
  return [
    ...named,
    { name: `AttrIndx ${(pte & bits.PTE_ATTRINDX_MASK) >> 2n}: ${memoryTypeOf('arm64', pte)}`, set: true },
  ]
}

/** Throws what the models throw, and when the byte lies outside the mapping. */
export function walkFrames(scenario: WalkScenario): WalkFrame[] {
  const system = startSystem({ tree: boardTree(512), kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=16M' })
  const { mm, va: start } = mapped(scenario, system)
  const { ram } = system.vm.cpu
  const geometry: Geometry = mm.pgd.geometry
  const { pageSize } = geometry
  const { byte, pages, maps } = scenario
  if (byte >= pages * pageSize)
    throw new Error(`page-walk: byte ${byte}, expected below ${pages * pageSize}, ${pages} pages`)
  const va = start + byte
  userWrite(system.vm, mm, va, new Uint8Array([1]))
  const levels = levelsOf(geometry, va)
  const offset = va % pageSize
  const attributes = attributesOf(walk(mm.pgd, va - offset)!.pte)
  const frames: WalkFrame[] = []
  const show = (said: Said, read: number, more: Partial<WalkFrame> = {}): void => {
    frames.push({
      ...{ said, va: hex(va), offset, levels: [...levels], read, attributes, looked: false, pa: null },
      ...more,
    })
  }
  show(
    {
      word: maps === 'memory' ? 'startMemory' : 'startCoherent',
      values: { va: hex(va), offset: hex(offset) },
    },
    0,
  )
  let table = mm.pgd.root!
  let entry = 0n
  levels.forEach((level, at) => {
    entry = read64(ram, table + level.index * geometry.entryBytes)
    levels[at] = { ...level, table: hex(table), entry: entry.toString(16).padStart(16, '0') }
    const values = {
      name: level.name,
      index: level.index,
      table: hex(table),
      next: hex(pte_pfn({ arch: 'arm64', pageSize }, entry) * pageSize),
    }
    show({ word: at === levels.length - 1 ? 'last' : 'level', values }, at + 1)
    table = pte_pfn({ arch: 'arm64', pageSize }, entry) * pageSize
  })
  show({ word: 'attributes', values: { type: memoryTypeOf('arm64', entry) } }, levels.length, {
    looked: true,
  })
  const pa = hex(table + offset)
  show(
    { word: 'physical', values: { frame: hex(table / pageSize), offset: hex(offset), pa } },
    levels.length,
    { looked: true, pa },
  )
  return frames
}
