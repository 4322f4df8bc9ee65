// SPDX-License-Identifier: MIT
//
// What is left when the source has been read: is every name unique and well made, where does each reference point, and
// which phandle does each referenced node get. The order is that of dtc 1.6.1, since it decides the numbers:
//
//     names → labels → given phandles → references to phandles (allocating) → references to paths → nodes nobody wants

// #region dts-resolve-imports
import { type LabelIndex, PathSize } from './dts_labels.ts'
import type { Place, Report } from './dts_lexer.ts'
import { checkLabels, checkNames, checkNameProperty } from './dts_names.ts'
import { addFixups } from './dts_plugin.ts'
import {
  type ParsedSource,
  type SourceNode,
  addProperty,
  deleteNode,
  liveChild,
  liveNodes,
  liveProperty,
  madeProperty,
  sourcePath,
} from './dts_source_tree.ts'
import {
  type DeviceTree,
  type DtNode,
  type SourcePlace,
  cellsValue,
  makeNode,
  readNumber,
  stringsValue,
} from './tree.ts'
// #endregion dts-resolve-imports

// #region dts-phandles
// The numbers that neither Linux nor dtc takes for a phandle.
const NO_PHANDLE = [0, 0xffff_ffff]

class Phandles {
  readonly #owners = new Map<number, SourceNode>()
  #next = 1

  /** Takes the phandle that the source gave `node`, if it did. */
  takeGiven(node: SourceNode, place: Place, labels: LabelIndex, root: SourceNode, report: Report): void {
    const given: number[] = []
    for (const name of ['phandle', 'linux,phandle']) {
      const phandle = this.#given(node, name, place, labels, root, report)
      if (phandle !== null) given.push(phandle)
    }
    const [phandle, other] = given
    if (phandle === undefined) return
    if (other !== undefined && other !== phandle) {
      report(
        'dts-explicit-phandles',
        place,
        `${sourcePath(node)}: linux,phandle is ${other}; expected ${phandle}, as phandle is`,
      )
    }
    const owner = this.#owners.get(phandle)
    if (owner) {
      report(
        'dts-explicit-phandles',
        place,
        `${sourcePath(node)}: phandle ${phandle} is that of ${sourcePath(owner)}; expected another`,
      )
      return
    }
    this.#owners.set(phandle, node)
    node.phandle = phandle
  }

  #given(
    node: SourceNode,
    name: string,
    place: Place,
    labels: LabelIndex,
    root: SourceNode,
    report: Report,
  ): number | null {
    const property = liveProperty(node, name)
    if (!property) return null
    const complain = (text: string) =>
      report('dts-explicit-phandles', property.place ?? place, `${sourcePath(node)}: ${name} ${text}`)
    const reference = property.value.markers.find(({ kind }) => kind === 'phandle')
    if (reference) {
      // A reference to itself asks for some phandle, which it will get.
      if (labels.find(root, reference.name, reference.place) !== node)
        complain(`refers to another node; expected &label of its own`)
      return null
    }
    const { bytes } = property.value
    const phandle = bytes.length === 4 ? readNumber(bytes, 0, 1) : null
    if (phandle === null) complain(`has ${bytes.length} bytes; expected 4`)
    else if (NO_PHANDLE.includes(phandle))
      complain(`is 0x${phandle.toString(16)}; expected 0x1 to 0xfffffffe`)
    else return phandle
    return null
  }

  // #region dts-phandle-of
  /** The phandle of `node`; one that has none gets the lowest that is free, as its last property. */
  of(node: SourceNode): number {
    if (node.phandle) return node.phandle
    while (this.#owners.has(this.#next)) this.#next++
    node.phandle = this.#next
    this.#owners.set(node.phandle, node)
    if (!liveProperty(node, 'phandle')) addProperty(node, madeProperty('phandle', cellsValue(node.phandle)))
    return node.phandle
  }
  // #endregion dts-phandle-of
}
// #endregion dts-phandles

// #region dts-resolve-phandles
function resolvePhandles(
  node: SourceNode,
  source: ParsedSource,
  labels: LabelIndex,
  phandles: Phandles,
): void {
  // By index: allocating may add a property to this very node.
  for (let i = 0; i < node.properties.length; i++) {
    const property = node.properties[i]!
    if (property.deleted) continue
    for (const { kind, offset, name, place } of property.value.markers) {
      if (kind !== 'phandle') continue
      const target = labels.find(source.root, name, place)
      if (target) {
        property.value.bytes.set(cellsValue(phandles.of(target)), offset)
        target.referenced = true
      } else if (!source.plugin) {
        labels.reportUnknown(name, place)
      }
    }
  }
}
// #endregion dts-resolve-phandles

// #region dts-resolve-paths
function resolvePaths(node: SourceNode, source: ParsedSource, labels: LabelIndex, size: PathSize): void {
  for (const { value, deleted } of node.properties) {
    if (deleted || !value.markers.some(({ kind }) => kind === 'path')) continue
    const parts: Uint8Array[] = []
    let from = 0
    let grown = 0
    for (const marker of value.markers) {
      const start = marker.offset
      marker.offset += grown
      if (marker.kind !== 'path') continue
      const target = labels.find(source.root, marker.name, marker.place)
      if (!target) {
        labels.reportUnknown(marker.name, marker.place)
        continue
      }
      target.referenced = true
      const path = stringsValue(sourcePath(target))
      size.add(path.length, marker.place)
      parts.push(value.bytes.subarray(from, start), path)
      from = start
      grown += path.length
    }
    value.bytes = concatenate([...parts, value.bytes.subarray(from)])
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
// #endregion dts-resolve-paths

// #region dts-resolve
/**
 * Checks `source`, resolves its references and gives the device tree; what is wrong goes to `report`, and the tree is
 * then not to be used.
 * @kernel scripts/dtc/checks.c, scripts/dtc/livetree.c get_node_phandle() v6.1
 */
export function resolveTree(source: ParsedSource, labels: LabelIndex, report: Report): DeviceTree {
  const { root, plugin, file, memreserve } = source
  const nowhere: Place = { file, line: 0, column: 0 }
  const placeOf = (node: SourceNode) => node.place ?? nowhere
  const size = new PathSize(report)
  const bootCpuid = guessBootCpuid(root)

  for (const node of liveNodes(root)) checkNames(node, placeOf(node), report)
  for (const node of liveNodes(root)) checkNameProperty(node, placeOf(node), report)
  checkLabels(root, report)
  const phandles = new Phandles()
  for (const node of liveNodes(root)) phandles.takeGiven(node, placeOf(node), labels, root, report)
  for (const node of liveNodes(root)) resolvePhandles(node, source, labels, phandles)
  for (const node of liveNodes(root)) resolvePaths(node, source, labels, size)
  for (const node of liveNodes(root)) if (node.omitIfUnused && !node.referenced) deleteNode(node)
  if (plugin) addFixups(root, labels, size)
  return { root: finished(root, null, file), memreserve, bootCpuid }
}
// #endregion dts-resolve

// #region dts-finish
// The boot CPU is taken to be the first node in /cpus.
function guessBootCpuid(root: SourceNode): number {
  const first = liveChild(root, 'cpus')?.children[0]
  const reg = first && liveProperty(first, 'reg')?.value.bytes
  return reg?.length === 4 ? readNumber(reg, 0, 1) : 0
}

// What is not deleted, as the tree that everything else reads. Recursion is bounded: the parser limits the nesting.
function finished(source: SourceNode, parent: DtNode | null, file: string): DtNode {
  const node = makeNode(source.name, parent)
  const at = (place: Place | null): { at?: SourcePlace } => {
    if (!place) return {}
    const { line, column } = place
    return { at: { line, column, ...(place.file === file ? {} : { file: place.file }) } }
  }
  Object.assign(node, at(source.place))
  node.labels = [...source.labels.keys()]
  for (const { name, value, place, labels, deleted } of source.properties) {
    if (deleted) continue
    node.properties.push({
      name,
      value: value.bytes,
      labels: [...labels.keys()],
      ...at(place),
    })
  }
  for (const child of source.children) if (!child.deleted) finished(child, node, file)
  return node
}
// #endregion dts-finish
