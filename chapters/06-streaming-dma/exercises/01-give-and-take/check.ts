// SPDX-License-Identifier: MIT
//
// Calls the reader's receive() on three boards and keeps the books of whose bytes they are. What is read is what the model
// of the caches and of the bounce buffer gives, so that a packet that was looked at too early is the one before.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { prefetch } from 'contiguous/arch/cache'
import { deviceWrite } from 'contiguous/arch/cpu'
import type { DmaDirection } from 'contiguous/arch/dma_direction'
import { __va, kernelRead } from 'contiguous/arch/kernel_map'
import { DMA_BIT_MASK, dma_to_phys } from 'contiguous/dma/dma_address'
import {
  dma_map_single,
  dma_mapping_error,
  dma_sync_single_for_cpu,
  dma_sync_single_for_device,
  dma_unmap_single,
} from 'contiguous/dma/map'
import { startSystem } from 'contiguous/machine/system'
import { of_dma_configure } from 'contiguous/of/device'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { findNode } from 'contiguous/of/tree'

const FILE = 'receive.ts'
const READ = { turns: 'Whose bytes', error: 'When there is no address', map: 'Memory that is there already' }
const SIZE = 2048
const FROM_DEVICE = 2
/** First bytes of the packets that come; the third is ours. */
const PACKETS = [0, 0, 0x33, 0x44]
const PATIENCE = 8

type Receive = (dma: object, card: object, buffer: object) => unknown

interface Board {
  readonly name: string
  /** The buffer is at this page. */
  readonly page: number
  readonly lines: 31 | 32
  readonly coherent: boolean
  readonly cmdline: string
}

const BOARDS: readonly Board[] = [
  { name: 'a card that sees RAM alone', page: 0x40000, lines: 32, coherent: false, cmdline: 'cma=0' },
  { name: 'a card that gets a copy', page: 0x90000, lines: 31, coherent: true, cmdline: 'cma=0' },
  { name: 'a mapping that fails', page: 0x90000, lines: 31, coherent: true, cmdline: 'cma=0 swiotlb=noforce' },
]

export async function check(context: CheckContext): Promise<CheckResult> {
  const receive = context.kind === 'typescript' ? context.module['receive'] : undefined
  if (typeof receive !== 'function')
    return { findings: [finding('ex-export-missing', 'receive is not an exported function', [], READ.map)] }
  const shown: string[] = []
  for (const board of BOARDS) {
    const { wrong, lines } = run(receive as Receive, board)
    if (wrong) return { findings: [wrong] }
    shown.push(`${board.name}:`, ...lines.map((line) => `  ${line}`))
  }
  return { findings: [], shown }
}

function finding(rule: string, text: string, evidence: readonly string[], read: string): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

/** Ends the reader's function as soon as something is wrong. */
class Stop extends Error {
  readonly found: readonly [rule: string, text: string, read: string]
  constructor(rule: string, text: string, read: string) {
    super(text)
    this.found = [rule, text, read]
  }
}

function start({ page, lines, coherent, cmdline }: Board) {
  const bus = page === 0x40000 ? 'dma-ranges = <0x0 0x0 0x40000000 0x60000000>;' : ''
  const tree = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
      memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x60000000>; };
      soc { #address-cells = <1>; #size-cells = <1>; ${bus} card { }; }; };`,
    'board.dts',
  ).tree!
  const hardware = { dmaRangesLast: 0x7fff_ffff }
  const system = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', image: null, cmdline, hardware })
  const dev = createDevice('card', findNode(tree, '/soc/card'))
  of_dma_configure('6.12.117', dev)
  dev.dma_coherent = coherent
  dev.dma_mask = DMA_BIT_MASK(lines)
  return { ...system, dev }
}

function run(receive: Receive, board: Board): { wrong: Finding | null; lines: string[] } {
  const { dma, kernelMap, vm, dev } = start(board)
  const pa = board.page * 4096
  const va = __va(kernelMap, pa)
  const lines: string[] = []
  const book = { mapped: null as { addr: number; size: number } | null, failed: false, cpuHas: SIZE, next: 0 }
  const mine = (addr: number): void => {
    if (book.mapped?.addr !== addr)
      throw new Stop('ex-other-address', 'a call names an address that is not mapped', READ.map)
  }
  const api = {
    map(size: number, direction: number): number {
      if (direction !== FROM_DEVICE)
        throw new Stop('ex-wrong-direction', 'the card writes to this memory, and the mapping says something else', READ.map)
      if (size !== SIZE) throw new Stop('ex-not-all-mapped', `${size} bytes are mapped, expected ${SIZE}`, READ.map)
      const addr = dma_map_single(dma, dev, va, size, direction)
      book.failed = dma_mapping_error(dma, dev, addr) !== 0
      if (!book.failed) Object.assign(book, { mapped: { addr, size }, cpuHas: 0 })
      lines.push(`map: ${book.failed ? 'no address' : '0x' + addr.toString(16)}`)
      return addr
    },
    mappingError: (addr: number): number => dma_mapping_error(dma, dev, addr),
    syncForCpu(addr: number, size: number, direction: number): void {
      mine(addr)
      dma_sync_single_for_cpu(dma, dev, addr, size, direction as DmaDirection)
      book.cpuHas = Math.max(book.cpuHas, size)
      lines.push(`the first ${size} bytes are the processor’s`)
    },
    syncForDevice(addr: number, size: number, direction: number): void {
      mine(addr)
      dma_sync_single_for_device(dma, dev, addr, size, direction as DmaDirection)
      if (size >= book.cpuHas) book.cpuHas = 0
      lines.push(`the first ${size} bytes are the card’s`)
    },
    unmap(addr: number, size: number, direction: number): void {
      if (book.failed)
        throw new Stop('ex-error-unmapped', 'a mapping that failed is unmapped; there is nothing to end', READ.error)
      mine(addr)
      if (size !== SIZE || direction !== FROM_DEVICE)
        throw new Stop('ex-unmapped-otherwise', `${size} bytes are unmapped, and ${SIZE} were mapped: nobody else remembers how many`, READ.map)
      dma_unmap_single(dma, dev, addr, size, direction)
      Object.assign(book, { mapped: null, cpuHas: SIZE })
      lines.push('unmapped')
    },
  }
  const card = {
    receive(addr: number): void {
      if (book.failed)
        throw new Stop('ex-error-not-asked', 'the mapping failed, and the card is told to write to the address all the same', READ.error)
      mine(addr)
      if (book.cpuHas > 0)
        throw new Stop('ex-not-given-back', `the card is told to write while the first ${book.cpuHas} bytes are the processor’s`, READ.turns)
      const byte = PACKETS[Math.min(book.next++, PACKETS.length - 1)]!
      if (book.next > PATIENCE) throw new Stop('ex-no-end', 'the packet that was meant for us has gone by unseen', READ.turns)
      for (let at = 0; at < SIZE; at += 64) prefetch(vm.cpu.l1, pa + at)
      deviceWrite(vm.cpu, dma_to_phys('6.12.117', dev, addr), new Uint8Array(SIZE).fill(byte), board.coherent)
      lines.push(`the card writes 0x${byte.toString(16)}`)
    },
  }
  const buffer = {
    read(offset: number, length: number): Uint8Array {
      const bytes = kernelRead(kernelMap, va + offset as typeof va, length)
      lines.push(`the processor reads 0x${bytes.at(-1)!.toString(16)}`)
      if (book.cpuHas > 0 && offset + length > book.cpuHas)
        throw new Stop('ex-part-only', `bytes behind the first ${book.cpuHas} are read, and only those were handed over`, READ.turns)
      if (offset + length > book.cpuHas)
        throw new Stop('ex-looked-too-early', 'the processor reads bytes that are the card’s: it may have the packet before, or none', READ.turns)
      return bytes
    },
  }
  const stop = (rule: string, text: string, read: string) => ({ wrong: finding(rule, text, lines, read), lines })
  try {
    const packet = receive(api, card, buffer)
    if (packet === null && !book.failed) {
      const zero = book.mapped?.addr === 0
      const text = zero ? 'the address is 0, which is one; an error is told by mappingError() alone' : 'null comes back, and the buffer is mapped'
      return stop(zero ? 'ex-zero-is-an-address' : 'ex-gave-up', text, READ.error)
    }
    if (packet === null) return { wrong: null, lines }
    if (book.mapped) return stop('ex-never-unmapped', 'the packet is returned, and the buffer is still lent to the card', READ.map)
    const right = packet instanceof Uint8Array && packet.length === SIZE && packet.every((byte) => byte === PACKETS[2])
    if (!right) return stop('ex-other-packet', 'what comes back is not the first packet that is meant for us', READ.turns)
    return { wrong: null, lines }
  } catch (error) {
    if (error instanceof Stop) return stop(...error.found)
    throw error
  }
}
