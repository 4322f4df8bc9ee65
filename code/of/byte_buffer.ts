// SPDX-License-Identifier: MIT
//
// Bytes that grow at the end, big-endian as everything in a device tree is. The parser collects values in one, the
// writer of blobs its blocks.

// #region byte-buffer
export class ByteBuffer {
  #bytes = new Uint8Array(64)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Appends the low `bits` bits of `value`; `bits` is 8, 16, 32 or 64. */
  integer(value: bigint, bits: number): void {
    this.#grow(bits / 8)
    const low = BigInt.asUintN(bits, value)
    if (bits === 64) this.#view.setBigUint64(this.#length, low)
    else if (bits === 32) this.#view.setUint32(this.#length, Number(low))
    else if (bits === 16) this.#view.setUint16(this.#length, Number(low))
    else this.#view.setUint8(this.#length, Number(low))
    this.#length += bits / 8
  }

  /** Appends one cell. `value` is 0 to 2^32 - 1. */
  cell(value: number): void {
    this.#grow(4)
    this.#view.setUint32(this.#length, value)
    this.#length += 4
  }

  append(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Appends zero bytes until the length is a multiple of `alignment`. */
  align(alignment: number): void {
    const rest = this.#length % alignment
    if (rest) this.append(new Uint8Array(alignment - rest))
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#bytes.length) return
    const wider = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + by))
    wider.set(this.#bytes)
    this.#bytes = wider
    this.#view = new DataView(wider.buffer)
  }
}
// #endregion byte-buffer
