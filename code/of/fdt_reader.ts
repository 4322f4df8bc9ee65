// SPDX-License-Identifier: MIT
//
// Blob → device tree, for versions 16 and 17. A blob comes from anywhere, so nothing in it is believed: each offset and
// length is held against the bytes that are there before it is used, and the first one that does not fit is told with
// its byte offset, the value found and what was expected. The layout is drawn in fdt_format.ts.
//
// Accepts what Linux and dtc accept beside that: NOP tags, gaps between blocks, bytes behind the total size, two nodes or
// properties of one name.

// #region fdt-reader-imports
import { Complaint } from '../lib/complaint.ts'
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_HEADER,
  FDT_MAGIC,
  FDT_NOP,
  FDT_PROP,
  FDT_V16_SIZE,
  FDT_V17_SIZE,
} from './fdt_format.ts'
import {
  type DeviceTree,
  type DtNode,
  MAX_DEPTH,
  MAX_NAME,
  type MemReserve,
  bytesToText,
  makeNode,
} from './tree.ts'

const hex = (value: number) => '0x' + value.toString(16)
// #endregion fdt-reader-imports

// #region fdt-reader-blob
// A range of the blob: `end` is the first byte behind it.
interface Block {
  readonly what: string
  readonly start: number
  readonly end: number
}

class Blob {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #file: string

  constructor(bytes: Uint8Array, file: string) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#file = file
  }

  complaint(offset: number, found: string, expected: string, next?: string): Complaint {
    return new Complaint({
      text: `${this.#file}: at byte ${hex(offset)}: ${found}; expected ${expected}`,
      next: [
        next ?? 'Make the blob again from its source; this one is cut short, damaged or no device tree.',
      ],
    })
  }

  // #region fdt-reader-cell
  /** The cell at `offset`, which must end inside `block`. `what` names it in the complaint. */
  cell(offset: number, block: Block, what: string): number {
    if (offset + 4 > block.end) {
      throw this.complaint(
        offset,
        `${what} needs 4 bytes and ${Math.max(block.end - offset, 0)} are left`,
        `it to end before byte ${hex(block.end)}, the end of the ${block.what}`,
      )
    }
    return this.#view.getUint32(offset)
  }
  // #endregion fdt-reader-cell

  /** The 64-bit number at `offset`, whose place has been checked already. */
  number64(offset: number, what: string): number {
    const value = this.#view.getBigUint64(offset)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.complaint(
        offset,
        `${what} is 0x${value.toString(16)}`,
        'at most 0x1fffffffffffff (2^53 - 1)',
      )
    }
    return Number(value)
  }

  /** The text from `offset` to its NUL, which must be inside `block`. */
  text(offset: number, block: Block, what: string): string {
    const nul = this.bytes.subarray(offset, Math.min(block.end, offset + MAX_NAME + 1)).indexOf(0)
    if (nul >= 0) return bytesToText(this.bytes.subarray(offset, offset + nul))
    throw offset + MAX_NAME < block.end
      ? this.complaint(offset, `${what} has more than ${MAX_NAME} bytes`, 'a NUL byte before')
      : this.complaint(
          offset,
          `${what} has no end`,
          `a NUL byte before byte ${hex(block.end)}, the end of the ${block.what}`,
        )
  }
}
// #endregion fdt-reader-blob

// #region fdt-reader-block
interface Header {
  readonly reserved: Block
  readonly structure: Block
  readonly strings: Block
  readonly bootCpuid: number
}

// The block that header cells `offsetAt` and `sizeAt` describe; without `sizeAt` it may reach to the end of the blob.
function readBlock(
  blob: Blob,
  whole: Block,
  headerSize: number,
  what: string,
  offsetAt: number,
  sizeAt?: number,
): Block {
  const start = blob.cell(offsetAt, whole, `the offset of the ${what}`)
  if (start < headerSize || start > whole.end) {
    throw blob.complaint(
      offsetAt,
      `the offset of the ${what} is ${hex(start)}`,
      `${hex(headerSize)} (end of the header) to ${hex(whole.end)} (total size)`,
    )
  }
  const size = sizeAt === undefined ? whole.end - start : blob.cell(sizeAt, whole, `the size of the ${what}`)
  if (start + size > whole.end) {
    throw blob.complaint(
      sizeAt ?? offsetAt,
      `the size of the ${what} is ${hex(size)}, so that it ends at ${hex(start + size)}`,
      `it to end by ${hex(whole.end)}, the total size`,
    )
  }
  return { what, start, end: start + size }
}
// #endregion fdt-reader-block

// #region fdt-reader-header
function checkAligned(blob: Blob, block: Block, offsetAt: number, alignment: number): void {
  if (block.start % alignment === 0) return
  throw blob.complaint(
    offsetAt,
    `the offset of the ${block.what} is ${hex(block.start)}`,
    `a multiple of ${alignment}`,
  )
}

// The whole blob by its total size, after its magic number was seen.
function readWhole(blob: Blob): Block {
  const given: Block = { what: 'blob', start: 0, end: blob.bytes.length }
  const magic = blob.cell(FDT_HEADER.magic, given, 'the magic number')
  if (magic !== FDT_MAGIC) {
    throw blob.complaint(
      FDT_HEADER.magic,
      `the magic number is ${hex(magic)}`,
      hex(FDT_MAGIC),
      'Give a device tree blob; source text (.dts) has to be compiled first.',
    )
  }
  const totalsize = blob.cell(FDT_HEADER.totalsize, given, 'the total size')
  if (totalsize > given.end) {
    throw blob.complaint(
      FDT_HEADER.totalsize,
      `the total size is ${totalsize} bytes`,
      `at most ${given.end}, which is all that was given`,
      'The blob is cut short: copy or make it again.',
    )
  }
  if (totalsize < FDT_V16_SIZE) {
    throw blob.complaint(
      FDT_HEADER.totalsize,
      `the total size is ${totalsize} bytes`,
      `at least ${FDT_V16_SIZE}, the header`,
    )
  }
  return { what: 'blob', start: 0, end: totalsize }
}

function readHeader(blob: Blob): Header {
  const whole = readWhole(blob)
  const version = blob.cell(FDT_HEADER.version, whole, 'the version')
  const lastCompatible = blob.cell(FDT_HEADER.last_comp_version, whole, 'the last compatible version')
  if (version < 16) {
    throw blob.complaint(
      FDT_HEADER.version,
      `the version is ${version}`,
      '16 or newer',
      'Make it again with `dtc -V 17`.',
    )
  }
  if (lastCompatible > 17 || lastCompatible > version) {
    throw blob.complaint(
      FDT_HEADER.last_comp_version,
      `the last compatible version is ${lastCompatible}`,
      `at most ${Math.min(version, 17)}`,
    )
  }
  const sized = version >= 17
  const headerSize = sized ? FDT_V17_SIZE : FDT_V16_SIZE
  const block = (what: string, offsetAt: number, sizeAt?: number) =>
    readBlock(blob, whole, headerSize, what, offsetAt, sizeAt)
  const reserved = block('reservation block', FDT_HEADER.off_mem_rsvmap)
  const structure = block(
    'structure block',
    FDT_HEADER.off_dt_struct,
    ...(sized ? [FDT_HEADER.size_dt_struct] : []),
  )
  const strings = block('strings block', FDT_HEADER.off_dt_strings, FDT_HEADER.size_dt_strings)
  checkAligned(blob, reserved, FDT_HEADER.off_mem_rsvmap, 8)
  checkAligned(blob, structure, FDT_HEADER.off_dt_struct, 4)
  return {
    reserved,
    structure,
    strings,
    bootCpuid: blob.cell(FDT_HEADER.boot_cpuid_phys, whole, 'the boot CPU'),
  }
}
// #endregion fdt-reader-header

// #region fdt-reader-reserved
// Ends at the first entry of size 0, whatever its address: as Linux and dtc read it.
function readReserved(blob: Blob, block: Block): MemReserve[] {
  const entries: MemReserve[] = []
  for (let at = block.start; ; at += 16) {
    if (at + 16 > block.end) {
      throw blob.complaint(
        at,
        `the reservation block goes on after ${entries.length} entries`,
        `an entry of size 0 that ends it, before byte ${hex(block.end)}`,
      )
    }
    const size = blob.number64(at + 8, 'the size of a reservation')
    if (size === 0) return entries
    entries.push({ address: blob.number64(at, 'the address of a reservation'), size })
  }
}
// #endregion fdt-reader-reserved

// #region fdt-reader-structure
class StructureReader {
  readonly #blob: Blob
  readonly #block: Block
  readonly #strings: Block
  readonly #names = new Map<number, string>()
  #at: number

  constructor(blob: Blob, header: Header) {
    this.#blob = blob
    this.#block = header.structure
    this.#strings = header.strings
    this.#at = header.structure.start
  }

  // #region fdt-reader-walk
  read(): DtNode {
    let root: DtNode | null = null
    // The open node; null before the root is opened and after it is closed.
    let node: DtNode | null = null
    for (let depth = 0; ;) {
      const tagAt = this.#at
      const tag = this.#cell('a tag')
      if (tag === FDT_NOP) continue
      if (tag === FDT_BEGIN_NODE && (node || !root)) {
        node = this.#openNode(node, tagAt, ++depth)
        root ??= node
      } else if (tag === FDT_PROP && node) {
        this.#addProperty(node, tagAt)
      } else if (tag === FDT_END_NODE && node) {
        node = node.parent
        depth--
      } else if (tag === FDT_END && root && !node) {
        return root
      } else {
        throw this.#badTag(tag, tagAt, node, root)
      }
    }
  }
  // #endregion fdt-reader-walk

  #openNode(parent: DtNode | null, tagAt: number, depth: number): DtNode {
    if (depth > MAX_DEPTH) {
      throw this.#blob.complaint(
        tagAt,
        `a node is nested ${depth} deep`,
        `at most ${MAX_DEPTH}; Linux reads 63 levels`,
      )
    }
    const name = this.#blob.text(this.#at, this.#block, 'the name of a node')
    if (parent ? name === '' || name.includes('/') : name !== '') {
      throw this.#blob.complaint(
        this.#at,
        `a node is named ${JSON.stringify(name)}`,
        parent ? 'a name that is not empty and holds no slash' : 'an empty name, since it is the root',
      )
    }
    this.#skip(name.length + 1)
    const node = makeNode(name, parent)
    node.offset = tagAt
    return node
  }

  #addProperty(node: DtNode, tagAt: number): void {
    if (node.children.length > 0) {
      throw this.#blob.complaint(
        tagAt,
        'a property follows a subnode',
        'all properties of a node before its first subnode',
      )
    }
    const lengthAt = this.#at
    const length = this.#cell('the length of a property')
    const nameAt = this.#at
    const name = this.#propertyName(this.#cell('the name offset of a property'), nameAt)
    if (this.#at + length > this.#block.end) {
      throw this.#blob.complaint(
        lengthAt,
        `the length of property ${JSON.stringify(name)} is ${length}`,
        `at most ${this.#block.end - this.#at}, what is left of the ${this.#block.what}`,
      )
    }
    const value = this.#blob.bytes.slice(this.#at, this.#at + length)
    this.#skip(length)
    node.properties.push({ name, value, labels: [] })
  }

  #propertyName(offset: number, cellAt: number): string {
    const known = this.#names.get(offset)
    if (known !== undefined) return known
    const { start, end } = this.#strings
    if (start + offset >= end) {
      throw this.#blob.complaint(
        cellAt,
        `the name offset of a property is ${hex(offset)}`,
        `below ${hex(end - start)}, the strings block`,
      )
    }
    const name = this.#blob.text(start + offset, this.#strings, 'the name of a property')
    if (name === '')
      throw this.#blob.complaint(cellAt, `the name at string offset ${hex(offset)} is empty`, 'a name')
    this.#names.set(offset, name)
    return name
  }

  #badTag(tag: number, at: number, node: DtNode | null, root: DtNode | null): Complaint {
    const inside = `FDT_BEGIN_NODE (${FDT_BEGIN_NODE}), FDT_END_NODE (${FDT_END_NODE}), FDT_PROP (${FDT_PROP}) or FDT_NOP (${FDT_NOP})`
    const expected = node
      ? inside
      : root
        ? `FDT_END (${FDT_END}), since the root is closed`
        : `FDT_BEGIN_NODE (${FDT_BEGIN_NODE}) of the root`
    return this.#blob.complaint(at, `the tag is ${hex(tag)}`, expected)
  }

  #cell(what: string): number {
    const value = this.#blob.cell(this.#at, this.#block, what)
    this.#at += 4
    return value
  }

  // Over `bytes` bytes and on to the next multiple of 4. Tags are aligned to the block, whose start is aligned.
  #skip(bytes: number): void {
    this.#at += Math.ceil(bytes / 4) * 4
  }
}
// #endregion fdt-reader-structure

// #region fdt-read
/**
 * The device tree in `blob`, a flattened device tree of version 16 or 17. Values are copies; every node has its `offset`.
 *
 * Throws a Complaint that names `file`, the byte offset, the value found and what was expected, for every blob that is
 * cut short, damaged or hostile. `blob` may be longer than the tree in it.
 * @kernel drivers/of/fdt.c unflatten_device_tree() v6.12; stricter, as `fdtdump` and dtc are
 */
export function readFdt(blob: Uint8Array, file = 'device tree blob'): DeviceTree {
  const reader = new Blob(blob, file)
  const header = readHeader(reader)
  const memreserve = readReserved(reader, header.reserved)
  const root = new StructureReader(reader, header).read()
  return { root, memreserve, bootCpuid: header.bootCpuid }
}
// #endregion fdt-read
