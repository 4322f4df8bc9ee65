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
	const first = Math.ceil(pa / cache.lineSize) * cache.lineSize
	for (let line = first; line < pa + size; line += cache.lineSize) cache.clean(line)
}

/** The processor has them again. */
export function forCpu(cache: Cache, pa: number, size: number, direction: number): void {
	if (direction === DMA_TO_DEVICE) return
	const first = pa - (pa % cache.lineSize)
	for (let line = first; line < pa + size; line += cache.lineSize) {
		const whole = line >= pa && line + cache.lineSize <= pa + size
		if (whole) cache.invalidate(line)
		else cache.flush(line)
	}
}
