// SPDX-License-Identifier: MIT
//
// Streaming DMA, model against kernel: makes on the model what stream_dma_calls has made on the kernel with a real device,
// and holds every answer against the kernel's: the device's addresses, slots of the bounce buffer in use, errors, and which
// bytes the CPU sees after each step.
//
//     map 3 0 1 96:2049 -> 81e00060 78001000:2049 used 2
//     sync 3 0 0 0
//     sum 3 96 2049 -> 8f2a17c3
//
// The model is told where each file's memory and the bounce buffer lie, and finds the rest: what bounces, into which slots,
// what fails, who sees what. kernel/user/stream_dma_calls.c has the words.
import { gunzipSync } from 'node:zlib'
import { Complaint } from '../lib/complaint.ts'
import { deviceRead, deviceWrite } from '../arch/cpu.ts'
import { DMA_FROM_DEVICE, DMA_TO_DEVICE, type DmaDirection } from '../arch/dma_direction.ts'
import { __va, kernelRead, kernelWrite } from '../arch/kernel_map.ts'
import { DMA_BIT_MASK, dma_to_phys } from '../dma/dma_address.ts'
import * as single from '../dma/map.ts'
import { dma_map_sg, dma_sync_sg_for_cpu, dma_sync_sg_for_device, dma_unmap_sg } from '../dma/map_sg.ts'
import { dma_set_mask_and_coherent } from '../dma/mask.ts'
import { sg_set_page, type Scatterlist } from '../dma/scatterlist.ts'
import { IO_TLB_SIZE, mem_used, swiotlb_init_io_tlb_pool } from '../dma/swiotlb_pool.ts'
import type { Bytes, DmaAddr, PhysAddr } from '../lib/units.ts'
import { startSystem, type System } from '../machine/system.ts'
import { of_dma_configure } from '../of/device.ts'
import { createDevice, type Device } from '../of/reserved_mem.ts'
import type { DtNode } from '../of/tree.ts'
import { kernelSpeech, optionsBeside } from './model_system.ts'
import type { Observed } from './run_lab.ts'
import type { Compared } from './verdict.ts'

const POOL = /software IO TLB: mapped \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]/
const AREAS = /software IO TLB: area num (\d+)\./

// The bounce buffer lies where the kernel said: what took its memory before, page tables and the like, the model is told too.
function tellBounceBuffer({ dma }: System, observed: Observed): void {
  const text = kernelSpeech(observed)
  const mapped = POOL.exec(text)
  if (!mapped) return
  const [start, end] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)]
  const areas = Number(AREAS.exec(text)?.[1] ?? 1)
  dma.swiotlb.defpool = swiotlb_init_io_tlb_pool(start, (end - start) / IO_TLB_SIZE, areas)
}

/** What the driver was told of the device in these labs (dma_bits=). */
const ADDRESS_LINES = 31
const DEVICE_BYTES: Bytes = 4096
const SG = 2
const SINGLE = 0
const FOR_CPU = 0

interface Piece {
  readonly offset: Bytes
  readonly length: Bytes
}

interface Loan {
  readonly kind: number
  readonly dir: DmaDirection
  readonly pieces: readonly Piece[]
  readonly segments: readonly { addr: DmaAddr; length: Bytes }[]
  readonly sg: Scatterlist[]
}

/** The model while it makes the calls. */
interface Player {
  readonly system: System
  readonly dev: Device
  /** The device's own memory: zeros at first. */
  readonly inside: Uint8Array
  /** Where each file's buffer lies. */
  readonly base: Map<number, PhysAddr>
  readonly loans: Map<number, Loan>
}

// The PCI function: no node of its own, so what the tree says of the bus counts for it.
function pciDevice(system: System): Device {
  const { root } = system.machine.tree
  const bus = root.children.find(({ name }) => name.startsWith('pcie@'))
  if (!bus) throw new Complaint({ text: 'the board’s tree has no pcie@…: was QEMU given a PCI device?' })
  const node: DtNode = { name: 'edu', labels: [], properties: [], children: [], parent: bus }
  const dev = createDevice('stream-dma 0000:00:01.0', node)
  of_dma_configure(system.machine.kernel, dev)
  const errno = dma_set_mask_and_coherent(system.dma, dev, DMA_BIT_MASK(ADDRESS_LINES))
  if (errno !== 0) throw new Complaint({ text: `the model refuses ${ADDRESS_LINES} address lines: ${errno}` })
  return dev
}

function partsOf(text: string): Piece[] {
  return text.split(' ').map((part) => {
    const [offset, length] = part.split(':').map(Number)
    return { offset: offset!, length: length! }
  })
}

function baseOf({ base }: Player, file: number): PhysAddr {
  const pa = base.get(file)
  if (pa === undefined) throw new Complaint({ text: `file ${file} is used before its first map` })
  return pa
}

function loanOf({ loans }: Player, file: number): Loan {
  const loan = loans.get(file)
  if (!loan) throw new Complaint({ text: `file ${file} has nothing lent here, but had on the kernel` })
  return loan
}

/** The bytes of stream_dma_calls, by their seed. */
const patternOf = (length: Bytes, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + Math.floor(i / 251) + seed) % 256)

/** 32-bit FNV-1a. */
function hashOf(bytes: Uint8Array): string {
  let hash = 2166136261
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619)
  return (hash < 0 ? hash + 2 ** 32 : hash).toString(16).padStart(8, '0')
}

function entryOf(pa: PhysAddr, length: Bytes, pageSize: Bytes): Scatterlist {
  const entry = { page: 0, offset: 0, length: 0, dma_address: 0, dma_length: 0 }
  sg_set_page(entry, Math.floor(pa / pageSize), length, pa % pageSize)
  return entry
}

// Lends, or null when the DMA API refuses.
function lend(player: Player, file: number, kind: number, dir: DmaDirection, pieces: Piece[]): Loan | null {
  const { system, dev } = player
  const { dma, kernelMap, pgdat } = system
  const first = pieces[0]!
  const pa = baseOf(player, file) + first.offset
  if (kind === SG) {
    const sg = pieces.map((each) => entryOf(baseOf(player, file) + each.offset, each.length, pgdat.pageSize))
    const count = dma_map_sg(dma, dev, sg, sg.length, dir)
    if (count === 0) return null
    const segments = sg.slice(0, count).map((s) => ({ addr: s.dma_address, length: s.dma_length }))
    return { kind, dir, pieces, segments, sg }
  }
  const addr =
    kind === SINGLE
      ? single.dma_map_single(dma, dev, __va(kernelMap, pa), first.length, dir)
      : single.dma_map_page(dma, dev, Math.floor(pa / pgdat.pageSize), pa % pgdat.pageSize, first.length, dir)
  if (single.dma_mapping_error(dma, dev, addr) !== 0) return null
  return { kind, dir, pieces, segments: [{ addr, length: first.length }], sg: [] }
}

// -1, as the program prints it, where the kernel has no such file.
function used({ system: { dma } }: Player): string {
  return `used ${dma.swiotlb.defpool ? mem_used(dma.swiotlb) : -1}`
}

// `map FILE KIND DIRECTION OFFSET:LENGTH… -> …`; where the kernel had the first piece is what the model is told.
function map(player: Player, line: RegExpExecArray): string {
  const [file, kind, dir] = [Number(line[1]), Number(line[2]), Number(line[3]) as DmaDirection]
  const pieces = partsOf(line[4]!)
  const phys = /^([0-9a-f]+) [0-9a-f]+:/.exec(line[5]!)?.[1]
  if (phys !== undefined) player.base.set(file, parseInt(phys, 16) - pieces[0]!.offset)
  const loan = lend(player, file, kind, dir, pieces)
  if (!loan) return `ENOMEM ${used(player)}`
  player.loans.set(file, loan)
  const told = (baseOf(player, file) + pieces[0]!.offset).toString(16)
  const segments = loan.segments.map(({ addr, length }) => `${addr.toString(16)}:${length}`)
  return [told, ...segments, used(player)].join(' ')
}

function unmap(player: Player, line: RegExpExecArray): string {
  const file = Number(line[1])
  const { system, dev, loans } = player
  const { kind, dir, segments, sg } = loanOf(player, file)
  const { addr, length } = segments[0]!
  if (kind === SG) dma_unmap_sg(system.dma, dev, sg, sg.length, dir)
  else if (kind === SINGLE) single.dma_unmap_single(system.dma, dev, addr, length, dir)
  else single.dma_unmap_page(system.dma, dev, addr, length, dir)
  loans.delete(file)
  return used(player)
}

function sync(player: Player, line: RegExpExecArray): string {
  const [file, owner, offset, length] = line.slice(1, 5).map(Number) as [number, number, number, number]
  const { system, dev } = player
  const { kind, dir, segments, sg } = loanOf(player, file)
  if (kind === SG) {
    const call = owner === FOR_CPU ? dma_sync_sg_for_cpu : dma_sync_sg_for_device
    call(system.dma, dev, sg, sg.length, dir)
    return ''
  }
  const call =
    owner === FOR_CPU ? single.dma_sync_single_range_for_cpu : single.dma_sync_single_range_for_device
  const [{ addr, length: all }] = segments as [{ addr: DmaAddr; length: Bytes }]
  call(system.dma, dev, addr, offset, length || all - offset, dir)
  return ''
}

// The device copies, segment after segment.
function copy(player: Player, line: RegExpExecArray): string {
  const [file, dir, offset, length, at] = line.slice(1, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const { system, dev, inside } = player
  const { cpu } = system.vm
  let [skip, done] = [offset, 0]
  for (const { addr, length: bytes } of loanOf(player, file).segments) {
    const into = Math.min(skip, bytes)
    const here = Math.min(bytes - into, length - done)
    skip -= into
    if (here === 0) continue
    const pa = dma_to_phys(system.dma.kernel, dev, addr + into)
    if (dir === DMA_TO_DEVICE) inside.set(deviceRead(cpu, pa, here, dev.dma_coherent), at + done)
    else if (dir === DMA_FROM_DEVICE)
      deviceWrite(cpu, pa, inside.slice(at + done, at + done + here), dev.dma_coherent)
    done += here
  }
  return ''
}

function write(player: Player, line: RegExpExecArray): string {
  const [file, offset, length, seed] = line.slice(1, 5).map(Number) as [number, number, number, number]
  const { kernelMap } = player.system
  kernelWrite(kernelMap, __va(kernelMap, baseOf(player, file) + offset), patternOf(length, seed))
  return ''
}

function sum(player: Player, line: RegExpExecArray): string {
  const [file, offset, length] = line.slice(1, 4).map(Number) as [number, number, number]
  const { kernelMap } = player.system
  return hashOf(kernelRead(kernelMap, __va(kernelMap, baseOf(player, file) + offset), length))
}

const WORDS: readonly (readonly [RegExp, (player: Player, line: RegExpExecArray) => string])[] = [
  [/^sum (\d+) (\d+) (\d+) ->/, sum],
  [/^write (\d+) (\d+) (\d+) (\d+)$/, write],
  [/^map (\d+) (\d) (\d) ([\d: ]+) -> (.*)$/, map],
  [/^sync (\d+) (\d) (\d+) (\d+)$/, sync],
  [/^unmap (\d+) ->/, unmap],
  [/^copy (\d+) (\d) (\d+) (\d+) (\d+)$/, copy],
]

// What the model answers to the call of a line, in the kernel's words.
function answer(player: Player, line: string): string {
  for (const [pattern, make] of WORDS) {
    const match = pattern.exec(line)
    if (match) return make(player, match)
  }
  throw new Complaint({ text: `stream_dma_calls printed “${line}”, which is none of its words` })
}

const FULL = /swiotlb buffer is full \(sz: \d+ bytes\), total \d+ \(slots\), used \d+ \(slots\)/

// The kernel says no more than ten in five seconds: each of its lines must be among the model's, in their order.
function compareLog(kernel: readonly string[], model: readonly string[]): string[] {
  const said = model.flatMap((line) => FULL.exec(line)?.[0] ?? [])
  let at = 0
  return kernel.flatMap((line) => {
    const text = FULL.exec(line)?.[0]
    if (text === undefined) return []
    const found = said.indexOf(text, at)
    if (found >= 0) at = found + 1
    return found < 0 ? [`the log: the kernel says “${text}”, the model does not`] : []
  })
}

/** How many answers are told when they differ: one slot wrong makes all later ones wrong. */
const TOLD = 5

/**
 * Compares the calls that a boot has collected as `streaming`, gzipped.
 * @throws Complaint when nothing was collected, or this kernel is not modelled
 */
export function compareStreaming(observed: Observed): Compared {
  const packed = observed.collected['streaming']
  if (!packed)
    throw new Complaint({ text: 'the boot collected no `streaming`: see chapters/06-streaming-dma' })
  const lines = gunzipSync(Buffer.from(packed, 'base64')).toString('utf8').split('\n').filter(Boolean)
  const system = startSystem(optionsBeside(observed))
  tellBounceBuffer(system, observed)
  const player: Player = {
    ...{ system, dev: pciDevice(system), inside: new Uint8Array(DEVICE_BYTES) },
    ...{ base: new Map<number, PhysAddr>(), loans: new Map<number, Loan>() },
  }
  const different: string[] = []
  let compared = 0
  for (const [i, line] of lines.entries()) {
    const [call, kernel] = line.split(' -> ')
    const model = answer(player, line)
    if (kernel === undefined) continue
    compared++
    if (model !== kernel)
      different.push(`call ${i + 1}: ${call}: the kernel says ${kernel}; the model says ${model}`)
    // What only one of them has lent, the next calls are about.
    const parted = kernel.startsWith('ENOMEM') !== model.startsWith('ENOMEM')
    if (different.length === TOLD || parted) break
  }
  return { compared, different: [...different, ...compareLog(observed.dmesg, system.printk.lines)] }
}
