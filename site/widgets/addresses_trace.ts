// SPDX-License-Identifier: MIT
//
// The film of `three-addresses` of a trace: what the events of dma name of a buffer, and no more. dma_alloc has the pointer,
// as the kernel prints pointers, and the address for the bus; dma_map_page has the place in RAM and the address for the bus.
// No event has all three.
//
// @kernel include/trace/events/dma.h, kernel/dma/mapping.c, kernel/dma/swiotlb.c v6.12
import type { Address, AddressesFrame } from './addresses_frames.ts'
import type { Said } from './frame.ts'
import type { KeptEvent } from './movie/film_types.ts'
import { shortName } from './short_name.ts'

/** The events that are played: 6.12 has them, 6.1 none but the last. */
export const DMA_EVENTS = [
  'dma_alloc',
  'dma_free',
  'dma_map_page',
  'dma_map_sg',
  'dma_unmap_page',
  'dma_sync_single_for_cpu',
  'dma_sync_single_for_device',
  'swiotlb_bounced',
] as const
type DmaEvent = (typeof DMA_EVENTS)[number]

type Fields = KeptEvent['record']['fields']
/** What is known of a buffer. */
type Known = Partial<Record<'cpu' | 'phys' | 'dma', string>>

const hex = (value: bigint): string => `0x${value.toString(16).padStart(8, '0')}`
const bigOf = (fields: Fields, name: string): bigint => BigInt(fields[name] ?? 0)

/** The first of `{0x44b18000,0x44b19000}`. */
const firstOf = (list: unknown): bigint => BigInt(/0x[0-9a-f]+/.exec(String(list))?.[0] ?? 0)

/** DMA_MAPPING_ERROR is all ones, of 32 bits or of 64: a mapping is traced whatever came of it. */
const isMappingError = (address: bigint): boolean => address === 2n ** 64n - 1n || address === 2n ** 32n - 1n

/** NULL, in the ways in which kernels print it. */
const isNull = (pointer: string): boolean => /^(?:0+|\(null\))$/.test(pointer)

/** So long a device's name may be in a sentence. */
const NAME = 20

// Of a pointer of 64 bits, printed hashed, only the lower half is not zero; of 32 bits nothing tells.
function pointerOf(fields: Fields): { word: string; cpu?: string } {
  const printed = String(fields['virt_addr'])
  if (String(fields['attrs']).includes('NO_KERNEL_MAPPING')) return { word: 'traceNoPointer' }
  if (/^0{8}[0-9a-f]{8}$/.test(printed)) return { word: 'traceHashed', cpu: `0x${printed.slice(8)}` }
  if (/^[0-9a-f]{8}$/.test(printed)) return { word: 'tracePrinted', cpu: `0x${printed}` }
  return /^[0-9a-f]{16}$/.test(printed)
    ? { word: 'traceAlloc', cpu: `0x${printed}` }
    : { word: 'traceUntold' }
}

const address = (text: string | undefined): Address => ({
  first: text ?? '',
  byte: text ?? '',
  known: text !== undefined,
})

class Buffers {
  readonly frames: AddressesFrame[] = []
  /** By device and address on its bus: what earlier events have told. */
  private readonly known = new Map<string, Known>()
  /** By task: what swiotlb has said last that it copies. The mapping that it is for comes next. */
  private readonly bounced = new Map<number, string>()

  play({ record }: KeptEvent): void {
    const { fields, pid } = record
    const event = record.event as DmaEvent
    if ('verbatim' in fields) return
    if (event === 'swiotlb_bounced') {
      this.bounced.set(pid, `${fields['dev_name']} ${fields['size']}`)
      return
    }
    const bounced = this.bounced.get(pid)
    this.bounced.delete(pid)
    switch (event) {
      case 'dma_alloc':
        return this.alloc(fields)
      case 'dma_map_page':
        return this.map(fields, bounced === `${fields['device']} ${fields['size']}`)
      case 'dma_map_sg':
        return this.mapList(fields)
      case 'dma_sync_single_for_cpu':
        return this.later(fields, 'traceForCpu')
      case 'dma_sync_single_for_device':
        return this.later(fields, 'traceForDevice')
      case 'dma_free':
        // Freeing NULL does nothing, and is traced.
        return isNull(String(fields['virt_addr'])) ? undefined : this.end(fields, 'traceFreed')
      case 'dma_unmap_page':
        return this.end(fields, 'traceUnmapped')
    }
  }

  private show(fields: Fields, known: Known, word: string, more: Said['values'] = {}): void {
    const name = String(fields['device'])
    const { cpu, phys, dma } = known
    const values = {
      device: shortName(name, NAME),
      size: Number(bigOf(fields, 'size')),
      dma: dma ?? '',
      phys: phys ?? '',
      cpu: cpu ?? '',
      ...more,
    }
    const addresses = { cpu: address(cpu), phys: address(phys), dma: address(dma) }
    this.frames.push({ said: { word, values }, device: name, byte: 0, part: 0, ...addresses })
  }

  private keyOf(fields: Fields): string {
    return `${fields['device']} ${bigOf(fields, 'dma_addr')}`
  }

  private alloc(fields: Fields): void {
    if (isNull(String(fields['virt_addr']))) return this.show(fields, {}, 'traceNone')
    const { word, cpu } = pointerOf(fields)
    const known = { ...(cpu === undefined ? {} : { cpu }), dma: hex(bigOf(fields, 'dma_addr')) }
    this.known.set(this.keyOf(fields), known)
    this.show(fields, known, word)
  }

  private map(fields: Fields, bounced: boolean): void {
    const [at, onBus] = [bigOf(fields, 'phys_addr'), bigOf(fields, 'dma_addr')]
    const phys = hex(at)
    if (isMappingError(onBus)) return this.show(fields, { phys }, 'traceNotMapped')
    const known = { phys, dma: hex(onBus) }
    this.known.set(this.keyOf(fields), known)
    if (bounced) return this.show(fields, known, 'traceBounced')
    const shift = onBus - at
    const word = shift === 0n ? 'traceSame' : shift < 0n ? 'traceBelow' : 'traceAbove'
    this.show(fields, known, word, { shift: hex(shift < 0n ? -shift : shift) })
  }

  private mapList(fields: Fields): void {
    const known = { phys: hex(firstOf(fields['phys_addrs'])), dma: hex(firstOf(fields['dma_addrs'])) }
    this.show(fields, known, 'traceList', { pieces: Number(bigOf(fields, 'nents')) })
  }

  private later(fields: Fields, word: string): void {
    const known = this.known.get(this.keyOf(fields))
    this.show(fields, { dma: hex(bigOf(fields, 'dma_addr')), ...known }, word)
  }

  private end(fields: Fields, word: string): void {
    this.later(fields, word)
    this.known.delete(this.keyOf(fields))
  }
}

/** At most `most` frames; none when no event names an address. */
export function addressesOfEvents(events: readonly KeptEvent[], most = Infinity): AddressesFrame[] {
  const buffers = new Buffers()
  for (const event of events) {
    if (buffers.frames.length >= most) break
    buffers.play(event)
  }
  return buffers.frames
}
