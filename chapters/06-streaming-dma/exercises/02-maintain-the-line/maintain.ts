// SPDX-License-Identifier: MIT
//
// Cache maintenance around a transfer, on arm64 with Linux 6.12.

export const DMA_BIDIRECTIONAL = 0
export const DMA_TO_DEVICE = 1
export const DMA_FROM_DEVICE = 2

/** A data cache. Each operation takes one line, by the address of its first byte. */
export interface Cache {
	/** Bytes of a line, a power of two. */
	readonly lineSize: number
	/** Writes the line to RAM if it is dirty; it stays. */
	clean(line: number): void
	/** Forgets the line, dirty or not. */
	invalidate(line: number): void
	/** Cleans the line, then forgets it. */
	flush(line: number): void
}

/** The device has the bytes of [pa, pa + size) next. */
export function forDevice(cache: Cache, pa: number, size: number, direction: number): void {
	// Yours: which lines, and what is done to them?
}

/** The processor has them again. */
export function forCpu(cache: Cache, pa: number, size: number, direction: number): void {
	// Yours, too.
}
