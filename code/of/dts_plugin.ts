// SPDX-License-Identifier: MIT
//
// What a plugin, an overlay, carries for the one who will apply it:
//
//     /__fixups__         label = "path:property:offset", …    cells that wait for the phandle of a label outside
//     /__local_fixups__   the tree again: property = <offset>  cells with phandles of this tree, to be shifted
//
// @kernel scripts/dtc/livetree.c generate_fixups_tree(), generate_local_fixups_tree() v6.1

// #region dts-plugin-imports
import { ByteBuffer } from './byte_buffer.ts'
import type { LabelIndex, PathSize } from './dts_labels.ts'
import {
  type SourceNode,
  addChild,
  addProperty,
  liveChild,
  liveNodes,
  liveProperty,
  madeProperty,
  sourceNode,
  sourcePath,
} from './dts_source_tree.ts'
import { cellsValue, stringsValue } from './tree.ts'
// #endregion dts-plugin-imports

// #region dts-plugin
/** Adds `/__fixups__` and `/__local_fixups__` to `root`, each only when it has something to say. */
export function addFixups(root: SourceNode, labels: LabelIndex, size: PathSize): void {
  const outside = new Map<string, ByteBuffer>()
  const inside = new Map<SourceNode, Map<string, ByteBuffer>>()
  for (const node of liveNodes(root)) {
    for (const { name: property, value, deleted } of node.properties) {
      if (deleted) continue
      for (const { kind, name, offset, place } of value.markers) {
        if (kind !== 'phandle') continue
        if (labels.find(root, name, place)) {
          const properties = entry(inside, node, () => new Map<string, ByteBuffer>())
          entry(properties, property, () => new ByteBuffer()).append(cellsValue(offset))
        } else {
          const path = `${sourcePath(node)}:${property}:${offset}`
          size.add(path.length, place)
          entry(outside, name, () => new ByteBuffer()).append(stringsValue(path))
        }
      }
    }
  }
  addAll(child(root, outside.size > 0 ? '__fixups__' : null), outside)
  const local = child(root, inside.size > 0 ? '__local_fixups__' : null)
  for (const [node, properties] of inside) addAll(local && mirrored(local, node), properties)
}
// #endregion dts-plugin

// #region dts-plugin-nodes
function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}

function addAll(node: SourceNode | null, properties: ReadonlyMap<string, ByteBuffer>): void {
  if (!node) return
  for (const [name, value] of properties) {
    const old = liveProperty(node, name)
    if (!old) {
      addProperty(node, madeProperty(name, value.bytes()))
      continue
    }
    const both = new ByteBuffer()
    both.append(old.value.bytes)
    both.append(value.bytes())
    old.value.bytes = both.bytes()
  }
}

// The node in `local` at the path that `node` has.
function mirrored(local: SourceNode, node: SourceNode): SourceNode {
  return node.parent ? child(mirrored(local, node.parent), node.name)! : local
}

// The child of that name, made when there is none yet; null for a null name.
function child(parent: SourceNode, name: string | null): SourceNode | null {
  if (name === null) return null
  const old = liveChild(parent, name)
  if (old) return old
  const fresh = sourceNode(name, null)
  addChild(parent, fresh)
  return fresh
}
// #endregion dts-plugin-nodes
