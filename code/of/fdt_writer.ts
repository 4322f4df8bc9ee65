// SPDX-License-Identifier: MIT
//
// Device tree → blob of version 17, byte for byte what `dtc -I dts -O dtb` of 1.6.1 writes: header, reservation block,
// structure block, strings block, without gaps or padding between them. The blocks' layout is drawn in fdt_format.ts.

// #region fdt-writer-imports
import { ByteBuffer } from './byte_buffer.ts'
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_MAGIC, FDT_PROP, FDT_V17_SIZE } from './fdt_format.ts'
import { type DeviceTree, type DtNode, textToBytes } from './tree.ts'
// #endregion fdt-writer-imports

// #region fdt-strings
// The names in the order of first use. A name that is the tail of an earlier one has no entry of its own:
// `reg` is read from the middle of `#reg`. Of several places dtc takes the first, and so must we.
class StringsBlock {
  readonly buffer = new ByteBuffer()
  readonly #offsets = new Map<string, number>()

  offsetOf(name: string): number {
    const known = this.#offsets.get(name)
    if (known !== undefined) return known
    const start = this.buffer.length
    this.buffer.append(textToBytes(name + '\0'))
    for (let i = 0; i <= name.length; i++) {
      const tail = name.slice(i)
      if (!this.#offsets.has(tail)) this.#offsets.set(tail, start + i)
    }
    return start
  }
}
// #endregion fdt-strings

// #region fdt-structure
function structureBlock(root: DtNode, strings: StringsBlock): ByteBuffer {
  const out = new ByteBuffer()
  // A node waits twice: once to be opened, once, as null, to be closed after its children.
  const waiting: (DtNode | null)[] = [root]
  while (waiting.length > 0) {
    const node = waiting.pop()
    if (!node) {
      out.cell(FDT_END_NODE)
      continue
    }
    out.cell(FDT_BEGIN_NODE)
    out.append(textToBytes(node.name + '\0'))
    out.align(4)
    for (const { name, value } of node.properties) {
      out.cell(FDT_PROP)
      out.cell(value.length)
      out.cell(strings.offsetOf(name))
      out.append(value)
      out.align(4)
    }
    waiting.push(null)
    for (let i = node.children.length - 1; i >= 0; i--) waiting.push(node.children[i]!)
  }
  out.cell(FDT_END)
  return out
}
// #endregion fdt-structure

// #region fdt-write
/**
 * The blob of `tree`: version 17, last compatible version 16, identical to what dtc 1.6.1 writes for the same tree.
 *
 * Throws when a name holds a character above U+00FF or a NUL, which no blob can carry.
 * @kernel scripts/dtc/flattree.c dt_to_blob() v6.1
 * @omits padding (`-p`, `-S`, `-a`), extra reservations (`-R`), every version but 17 (`-V`)
 */
export function writeFdt(tree: DeviceTree): Uint8Array {
  const strings = new StringsBlock()
  const structure = structureBlock(tree.root, strings)
  const reserved = new ByteBuffer()
  for (const { address, size } of tree.memreserve) {
    reserved.integer(BigInt(address), 64)
    reserved.integer(BigInt(size), 64)
  }
  reserved.append(new Uint8Array(16))

  const offStruct = FDT_V17_SIZE + reserved.length
  const offStrings = offStruct + structure.length
  const out = new ByteBuffer()
  // #region fdt-write-header
  for (const cell of [
    FDT_MAGIC,
    offStrings + strings.buffer.length,
    offStruct,
    offStrings,
    FDT_V17_SIZE,
    17,
    16,
    tree.bootCpuid,
    strings.buffer.length,
    structure.length,
  ]) {
    out.cell(cell)
  }
  // #endregion fdt-write-header
  for (const block of [reserved, structure, strings.buffer]) out.append(block.bytes())
  return out.bytes()
}
// #endregion fdt-write
