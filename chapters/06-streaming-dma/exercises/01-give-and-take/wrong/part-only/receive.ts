// SPDX-License-Identifier: MIT
//
// A driver's receive path, on a model of the DMA API.

export const DMA_TO_DEVICE = 1
export const DMA_FROM_DEVICE = 2

/** The calls of the DMA API, for one buffer. Sizes are in bytes and begin at the buffer's first byte. */
export interface Dma {
	/** dma_map_single(): an address for the card. */
	map(size: number, direction: number): number
	/** dma_mapping_error(): 0 for an address, -12 for none. */
	mappingError(addr: number): number
	/** dma_sync_single_for_cpu() and dma_sync_single_for_device(), for the first `size` bytes. */
	syncForCpu(addr: number, size: number, direction: number): void
	syncForDevice(addr: number, size: number, direction: number): void
	/** dma_unmap_single(). */
	unmap(addr: number, size: number, direction: number): void
}

export interface Card {
	/** Writes the next packet to `addr`; it is there when the call returns. */
	receive(addr: number): void
}

export interface Buffer {
	/** What the processor reads. */
	read(offset: number, length: number): Uint8Array
}

/** The next packet whose first byte is not 0, or null when the buffer cannot be mapped. */
export function receive(dma: Dma, card: Card, buffer: Buffer): Uint8Array | null {
	const addr = dma.map(2048, DMA_FROM_DEVICE)
	if (dma.mappingError(addr) !== 0) return null
	for (;;) {
		card.receive(addr)
		dma.syncForCpu(addr, 64, DMA_FROM_DEVICE)
		if (buffer.read(0, 1)[0] !== 0) break
		dma.syncForDevice(addr, 64, DMA_FROM_DEVICE)
	}
	const packet = buffer.read(0, 2048)
	dma.unmap(addr, 2048, DMA_FROM_DEVICE)
	return packet
}
