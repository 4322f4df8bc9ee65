// SPDX-License-Identifier: MIT
//
// The film of `three-addresses` of a trace: what the events of dma name of a buffer, and no more. dma_alloc has the pointer,
// hashed as the kernel prints pointers, and the address for the bus; dma_map_page has the place in RAM and the address
// for the bus. No event has all three.
import type { Address, AddressesFrame } from './addresses_frames.ts'
import type { Said } from './frame.ts'
import type { KeptEvent } from './movie/film_types.ts'

/** The events that are played: 6.12 has them, 6.1 none but the last. */
export const DMA_EVENTS = [
  'dma_alloc',
  'dma_free',
  'dma_map_page',
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
const numberOf = (fields: Fields, name: string): bigint => BigInt(fields[name] ?? 0)

/** NULL, in the ways in which kernels print it. */
const isNull = (pointer: string): boolean => /^(?:0+|\(null\))$/.test(pointer)

// A hash has 32 bits; of a pointer of 64 the upper half says that it is none.
function pointerOf(printed: string): { text: string; hashed: boolean } {
  return {
    text: `0x${printed.replace(/^0{8}(?=.{8}$)/, '')}`,
    hashed: /^(?:0{8})?[0-9a-f]{8}$/.test(printed),
  }
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
  /** By task: the address in RAM that swiotlb is about to copy. */
  private readonly bounced = new Map<number, bigint>()

  play({ record }: KeptEvent): void {
    const { fields, pid } = record
    const event = record.event as DmaEvent
    if ('verbatim' in fields) return
    if (event === 'swiotlb_bounced') {
      this.bounced.set(pid, numberOf(fields, 'dev_addr'))
      return
    }
    const bounced = this.bounced.get(pid)
    this.bounced.delete(pid)
    const device = String(fields['device'])
    const dma = hex(numberOf(fields, 'dma_addr'))
    const size = Number(numberOf(fields, 'size'))
    const key = `${device} ${dma}`
    const show = (known: Known, word: string, more: Said['values'] = {}): void => {
      const values = { device, size, dma, ...more }
      const { cpu, phys, dma: onBus } = known
      const addresses = { cpu: address(cpu), phys: address(phys), dma: address(onBus) }
      this.frames.push({ said: { word, values }, device, byte: 0, part: 0, ...addresses })
    }
    switch (event) {
      case 'dma_alloc': {
        const printed = String(fields['virt_addr'])
        if (isNull(printed)) return show({}, 'traceNone')
        const { text: cpu, hashed } = pointerOf(printed)
        const known = { cpu, dma }
        this.known.set(key, known)
        return show(known, hashed ? 'traceHashed' : 'traceAlloc', { cpu })
      }
      case 'dma_map_page': {
        const at = numberOf(fields, 'phys_addr')
        const known = { phys: hex(at), dma }
        this.known.set(key, known)
        const shift = numberOf(fields, 'dma_addr') - at
        const values = { phys: known.phys, shift: hex(shift < 0n ? -shift : shift) }
        if (bounced === at) return show(known, 'traceBounced', values)
        return show(known, shift === 0n ? 'traceSame' : shift < 0n ? 'traceBelow' : 'traceAbove', values)
      }
      case 'dma_sync_single_for_cpu':
      case 'dma_sync_single_for_device':
        return show({ dma, ...this.known.get(key) }, event.endsWith('cpu') ? 'traceForCpu' : 'traceForDevice')
      case 'dma_free':
      case 'dma_unmap_page': {
        const known = { dma, ...this.known.get(key) }
        this.known.delete(key)
        return show(known, event === 'dma_free' ? 'traceFreed' : 'traceUnmapped')
      }
    }
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
