// SPDX-License-Identifier: MIT
//
// The tree while its source is still being read. Source may open a node again, override a property, delete either and
// bring it back, so nothing is ever taken out of a list here: it is marked as deleted, and revived in its old place.
// That decides the order of nodes in the blob, and the order decides what reserved_mem does first.

// #region dts-source-imports
import type { Place } from './dts_lexer.ts'
import type { MemReserve } from './tree.ts'
// #endregion dts-source-imports

// #region dts-source-labels
/** Labels with where each was given. */
export type Labels = Map<string, Place>
// #endregion dts-source-labels

// #region dts-source-value
/** A reference inside a value, or a label on a byte of it. */
export interface Marker {
  /** `phandle`: the cell at `offset` becomes one. `path`: the path is put in at `offset`. */
  readonly kind: 'phandle' | 'path' | 'label'
  /** In bytes from the start of the value. */
  offset: number
  /** A label, or a path that starts with a slash. */
  readonly name: string
  readonly place: Place
}

/** A property's value before its references are resolved. */
export interface SourceValue {
  bytes: Uint8Array
  readonly markers: Marker[]
}
// #endregion dts-source-value

// #region dts-source-node
export interface SourceProperty {
  readonly name: string
  value: SourceValue
  place: Place | null
  readonly labels: Labels
  deleted: boolean
}

export interface SourceNode {
  readonly name: string
  /** Null for a node that the compiler made. */
  readonly place: Place | null
  readonly labels: Labels
  readonly properties: SourceProperty[]
  readonly children: SourceNode[]
  /** The first of each name, deleted or not. */
  readonly propertyByName: Map<string, SourceProperty>
  readonly childByName: Map<string, SourceNode>
  parent: SourceNode | null
  deleted: boolean
  omitIfUnused: boolean
  referenced: boolean
  /** 0 until it has one. */
  phandle: number
}

/** A whole source: opened nodes are merged, references not resolved. */
export interface ParsedSource {
  readonly root: SourceNode
  readonly memreserve: MemReserve[]
  /** Whether it starts with /plugin/: references may point outside of it. */
  readonly plugin: boolean
  readonly file: string
}
// #endregion dts-source-node

// #region dts-source-make
export function sourceNode(name: string, place: Place | null, labels: Labels = new Map()): SourceNode {
  return {
    name,
    place,
    labels,
    properties: [],
    children: [],
    propertyByName: new Map(),
    childByName: new Map(),
    parent: null,
    deleted: false,
    omitIfUnused: false,
    referenced: false,
    phandle: 0,
  }
}

/** A property that no source line gave, such as `phandle`. */
export function madeProperty(name: string, bytes: Uint8Array, markers: Marker[] = []): SourceProperty {
  return { name, value: { bytes, markers }, place: null, labels: new Map(), deleted: false }
}

export function addProperty(node: SourceNode, property: SourceProperty): void {
  node.properties.push(property)
  if (!node.propertyByName.has(property.name)) node.propertyByName.set(property.name, property)
}

export function addChild(parent: SourceNode, child: SourceNode): void {
  child.parent = parent
  parent.children.push(child)
  if (!parent.childByName.has(child.name)) parent.childByName.set(child.name, child)
}
// #endregion dts-source-make

// #region dts-source-look
/** The first property of that name that is not deleted. */
export function liveProperty(node: SourceNode, name: string): SourceProperty | null {
  const first = node.propertyByName.get(name)
  if (!first?.deleted) return first ?? null
  return node.properties.find((each) => each.name === name && !each.deleted) ?? null
}

/** The first child of that name that is not deleted. */
export function liveChild(node: SourceNode, name: string): SourceNode | null {
  const first = node.childByName.get(name)
  if (!first?.deleted) return first ?? null
  return node.children.find((each) => each.name === name && !each.deleted) ?? null
}

/** `root` and what is below it, parents first, without what is deleted. */
export function* liveNodes(root: SourceNode): Generator<SourceNode> {
  const waiting = [root]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (node.deleted) continue
    yield node
    for (let i = node.children.length - 1; i >= 0; i--) waiting.push(node.children[i]!)
  }
}

/** The full path of a node. */
export function sourcePath(node: SourceNode): string {
  const names: string[] = []
  for (let at = node; at.parent; at = at.parent) names.push(at.name)
  return '/' + names.reverse().join('/')
}
// #endregion dts-source-look

// #region dts-source-merge-labels
function addLabels(labels: Labels, more: Labels): void {
  for (const [name, place] of more) if (!labels.has(name)) labels.set(name, place)
}
// #endregion dts-source-merge-labels

// #region dts-source-merge
/**
 * Opens `old` again with what `fresh` says: a property takes the new value in its old place, what is new comes last.
 * @kernel scripts/dtc/livetree.c merge_nodes() v6.1
 */
export function mergeNodes(old: SourceNode, fresh: SourceNode): void {
  old.deleted = false
  addLabels(old.labels, fresh.labels)
  for (const property of fresh.properties) {
    const same = old.propertyByName.get(property.name)
    if (property.deleted) {
      if (same) deleteProperty(same)
    } else if (same) {
      addLabels(same.labels, property.labels)
      same.value = property.value
      same.place = property.place
      same.deleted = false
    } else {
      addProperty(old, property)
    }
  }
  // #region dts-source-merge-children
  for (const child of fresh.children) {
    const same = old.childByName.get(child.name)
    if (child.deleted) {
      if (same) deleteNode(same)
    } else if (same) {
      mergeNodes(same, child)
    } else {
      addChild(old, child)
    }
  }
  // #endregion dts-source-merge-children
}
// #endregion dts-source-merge

// #region dts-source-delete
function deleteProperty(property: SourceProperty): void {
  property.deleted = true
  property.labels.clear()
}

/** Marks the node and everything in it as deleted. Opened again, it comes back without what it had. */
export function deleteNode(node: SourceNode): void {
  node.deleted = true
  node.labels.clear()
  for (const child of node.children) if (!child.deleted) deleteNode(child)
  for (const property of node.properties) if (!property.deleted) deleteProperty(property)
}
// #endregion dts-source-delete
