// SPDX-License-Identifier: MIT
//
// A device tree in memory, whichever way it came: from source (dts_parser.ts) or from a blob (fdt_reader.ts).
// A property's value is bytes and nothing more, as in the blob; what the bytes mean is decided by who reads them.
// Nodes and properties keep the order of their source: reserved_mem depends on it.
//
// Kernel names here read the same cells as Linux; the rest is ours. Leaves out: overlays, changesets, reference counts.

// #region dt-source-place
/** Where something stands in its source. Line and column count from 1. */
export interface SourcePlace {
  readonly line: number
  readonly column: number
  /** Only when a preprocessor's line marker named another file than the one that was parsed. */
  readonly file?: string
}
// #endregion dt-source-place

// #region dt-node
/** `name = value;` of a node. An empty `value` is a property that is only present, such as `reusable`. */
export interface DtProperty {
  readonly name: string
  /** Big-endian, as in the blob. */
  value: Uint8Array
  /** Where the name stands in the source; absent when the tree was read from a blob or the property was generated. */
  at?: SourcePlace
  labels: string[]
}

/** `name { … };`. The root's name is the empty string. */
export interface DtNode {
  /** With the unit address: `memory@40000000`. */
  readonly name: string
  labels: string[]
  /** In source order. */
  properties: DtProperty[]
  /** In source order. */
  children: DtNode[]
  parent: DtNode | null
  /** Where the name stands in the source, for a tree from source. */
  at?: SourcePlace
  /** The byte offset of FDT_BEGIN_NODE in the blob, for a tree from a blob. */
  offset?: number
}
// #endregion dt-node

// #region dt-tree
/** An entry of the memory reservation block. Units: bytes from zero, bytes. Both exact to 2^53. */
export interface MemReserve {
  readonly address: number
  readonly size: number
}

/** A whole device tree with what its blob's header carries beside the root. */
export interface DeviceTree {
  root: DtNode
  memreserve: MemReserve[]
  /** `boot_cpuid_phys` of the blob's header. */
  bootCpuid: number
}
// #endregion dt-tree

// #region dt-make
/**
 * The deepest nesting that is read from source or blob, in levels, the root counted. Linux leaves out what is below 63
 * levels (drivers/of/fdt.c FDT_MAX_DEPTH, v6.12); the bound here only keeps hostile input from code that recurses.
 */
export const MAX_DEPTH = 512

/** The longest name of a node or property that is read, in bytes. The specification has 31, Linux no bound. */
export const MAX_NAME = 255

/** A tree whose root has neither properties nor children. */
export function emptyTree(): DeviceTree {
  return { root: makeNode('', null), memreserve: [], bootCpuid: 0 }
}

/** A node named `name`, put last among the children of `parent`; `null` makes a root. */
export function makeNode(name: string, parent: DtNode | null): DtNode {
  const node: DtNode = { name, labels: [], properties: [], children: [], parent }
  parent?.children.push(node)
  return node
}

/** Gives `node` the property `name`, last in order, or replaces the value of the one that it has in its place. */
export function setProperty(node: DtNode, name: string, value: Uint8Array): DtProperty {
  const old = property(node, name)
  if (old) {
    old.value = value
    return old
  }
  const fresh: DtProperty = { name, value, labels: [] }
  node.properties.push(fresh)
  return fresh
}
// #endregion dt-make

// #region dt-walk
/** The full path of `node`: `/` for the root, else `/reserved-memory/pool@50000000`. */
export function nodePath(node: DtNode): string {
  const names: string[] = []
  for (let at = node; at.parent; at = at.parent) names.push(at.name)
  return '/' + names.reverse().join('/')
}

/** Every node of the tree, a parent before its children, in source order. */
export function* allNodes(tree: DeviceTree): Generator<DtNode> {
  // A stack of our own: nesting is data, and a blob may nest deeper than JavaScript may call.
  const waiting = [tree.root]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node
    for (let i = node.children.length - 1; i >= 0; i--) waiting.push(node.children[i]!)
  }
}

/**
 * The node at the full path `path`, or null. Each name is compared whole, unit address included, and `/` is the root.
 * @kernel drivers/of/base.c of_find_node_by_path() v6.12
 * @omits aliases (`serial0`) and options after a colon
 */
export function findNode(tree: DeviceTree, path: string): DtNode | null {
  let node: DtNode = tree.root
  for (const name of path.split('/').filter(Boolean)) {
    const child = node.children.find((each) => each.name === name)
    if (!child) return null
    node = child
  }
  return node
}

/** The property of `node` called `name`, or null. */
export function property(node: DtNode, name: string): DtProperty | null {
  return node.properties.find((each) => each.name === name) ?? null
}
// #endregion dt-walk

// #region dt-phandle
/**
 * The first node whose `phandle` (or `linux,phandle`) is `phandle`, or null.
 * @kernel drivers/of/base.c of_find_node_by_phandle() v6.12
 */
export function findByPhandle(tree: DeviceTree, phandle: number): DtNode | null {
  for (const node of allNodes(tree)) if (phandleOf(node) === phandle) return node
  return null
}

/** The phandle of `node`, or null when it has none or its value is not one cell. */
export function phandleOf(node: DtNode): number | null {
  const value = (property(node, 'phandle') ?? property(node, 'linux,phandle'))?.value
  return value?.length === 4 ? readNumber(value, 0, 1) : null
}
// #endregion dt-phandle

// #region dt-unit-address
/** The unit address of a name, what follows its `@`: `40000000` of `memory@40000000`; empty without one. */
export function unitAddress(name: string): string {
  const at = name.indexOf('@')
  return at < 0 ? '' : name.slice(at + 1)
}
// #endregion dt-unit-address

// #region dt-cells
/** The value as 32-bit cells, without sign. Bytes behind the last whole cell are left out. */
export function cellsOf(value: Uint8Array): number[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return Array.from({ length: Math.floor(value.length / 4) }, (_, i) => view.getUint32(i * 4))
}
// #endregion dt-cells

// #region dt-read-number
/**
 * The number in `cells` cells from byte `offset` on; 0 cells give 0.
 *
 * As in Linux, more than two cells keep only the last 64 bits. Throws when the cells reach past the end of `value`, and
 * when the number is above 2^53 - 1 and so not exact here.
 * @kernel include/linux/of.h of_read_number() v6.12
 */
export function readNumber(value: Uint8Array, offset: number, cells: number): number {
  if (offset < 0 || offset + cells * 4 > value.length) {
    throw new RangeError(
      `readNumber: ${cells} cells at byte ${offset} end at ${offset + cells * 4}, ` +
        `but the value has ${value.length} bytes; check its length before reading.`,
    )
  }
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  let number = 0n
  for (let i = 0; i < cells; i++)
    number = BigInt.asUintN(64, (number << 32n) | BigInt(view.getUint32(offset + i * 4)))
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `readNumber: 0x${number.toString(16)} at byte ${offset} is above 0x1fffffffffffff (2^53 - 1), ` +
        'the largest number that is exact here.',
    )
  }
  return Number(number)
}
// #endregion dt-read-number

// #region dt-write-number
/** `number` as `cells` big-endian cells: what `readNumber` reads back. Throws when it does not fit or is not whole. */
export function writeNumber(number: number, cells: number): Uint8Array {
  if (!Number.isSafeInteger(number) || number < 0 || number >= 2 ** (32 * cells)) {
    throw new RangeError(
      `writeNumber: ${number} does not fit ${cells} cells; expected 0 to 2^${32 * cells} - 1, whole.`,
    )
  }
  const value = new Uint8Array(cells * 4)
  const view = new DataView(value.buffer)
  for (let i = cells - 1, rest = number; i >= 0; i--, rest = Math.floor(rest / 2 ** 32)) {
    view.setUint32(i * 4, rest % 2 ** 32)
  }
  return value
}

/** One cell for each number. Throws as `writeNumber` does. */
export function cellsValue(...numbers: number[]): Uint8Array {
  const value = new Uint8Array(numbers.length * 4)
  numbers.forEach((number, i) => value.set(writeNumber(number, 1), i * 4))
  return value
}
// #endregion dt-write-number

// #region dt-strings
/**
 * The strings of a value, such as `compatible`: each ends at a NUL byte. A last one without NUL is given as well;
 * an empty value gives none. Bytes are taken as Latin-1, so each character is one byte.
 */
export function stringsOf(value: Uint8Array): string[] {
  const strings: string[] = []
  let start = 0
  while (start < value.length) {
    const nul = value.indexOf(0, start)
    const end = nul < 0 ? value.length : nul
    strings.push(bytesToText(value.subarray(start, end)))
    start = end + 1
  }
  return strings
}

/** Each string with its NUL byte: what `stringsOf` reads back. Throws on a character above U+00FF. */
export function stringsValue(...strings: string[]): Uint8Array {
  return textToBytes(strings.map((each) => each + '\0').join(''))
}

/** Text of one byte a character. */
export function bytesToText(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096))
  return text
}

/** The bytes of Latin-1 `text`. Throws on a character above U+00FF. */
export function textToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) {
      throw new RangeError(`textToBytes: character ${i} is U+${code.toString(16)}; expected at most U+00ff.`)
    }
    bytes[i] = code
  }
  return bytes
}
// #endregion dt-strings
