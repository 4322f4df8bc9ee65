// SPDX-License-Identifier: MIT
//
// The body of a node in source → its properties and subnodes, in their order, with what it deletes marked as deleted.

// #region dts-node-imports
import { type DtsCursor, stop } from './dts_cursor.ts'
import type { Place } from './dts_lexer.ts'
import {
  type Labels,
  type SourceNode,
  type SourceValue,
  addChild,
  addProperty,
  madeProperty,
  sourceNode,
} from './dts_source_tree.ts'
import { readValue } from './dts_value.ts'
import { MAX_DEPTH } from './tree.ts'
// #endregion dts-node-imports

// #region dts-body
/**
 * Reads `{ properties; subnodes };` into `node`. `name` is what to call it in errors, `depth` its nesting, 1 for the root.
 * @kernel scripts/dtc/dtc-parser.y nodedef v6.1
 */
export function readBody(cursor: DtsCursor, node: SourceNode, name: string, depth: number): void {
  if (depth > MAX_DEPTH) {
    stop(
      cursor.report,
      cursor.token.place,
      `a node is nested ${depth} deep; expected at most ${MAX_DEPTH}; Linux reads 63 levels`,
    )
  }
  const open = cursor.token.place
  cursor.takeSign('{', name)
  while (!cursor.isSign('}')) {
    if (cursor.token.kind === 'end') {
      cursor.unexpected(`} to close ${name}`, `It was opened in line ${open.line}.`)
    }
    cursor.statement(() => readMember(cursor, node, depth))
  }
  cursor.advance()
  cursor.takeSemicolon('}')
}
// #endregion dts-body

// #region dts-member
// One property, subnode or deletion, with the labels before it.
function readMember(cursor: DtsCursor, parent: SourceNode, depth: number): void {
  const labels = cursor.readLabels()
  let omitIfUnused = false
  while (cursor.isKeyword('/omit-if-no-ref/')) {
    omitIfUnused = true
    cursor.advance()
    for (const [name, place] of cursor.readLabels()) labels.set(name, place)
  }
  const { kind, text } = cursor.token
  if (kind === 'keyword' && (text === '/delete-node/' || text === '/delete-property/')) {
    readDeletion(cursor, parent, text)
    return
  }
  if (kind !== 'name') cursor.unexpected('a property, a subnode or }')
  const { place } = cursor.advance()
  if (cursor.isSign('{')) {
    const node = sourceNode(text, place, labels)
    node.omitIfUnused = omitIfUnused
    readBody(cursor, node, text, depth + 1)
    addChild(parent, node)
  } else {
    if (omitIfUnused) cursor.unexpected(`{ after ${text}`)
    readProperty(cursor, parent, text, place, labels)
  }
}
// #endregion dts-member

// #region dts-deletion
function readDeletion(cursor: DtsCursor, parent: SourceNode, keyword: string): void {
  cursor.advance()
  if (cursor.token.kind !== 'name') cursor.unexpected(`a name after ${keyword}`)
  const { text, place } = cursor.advance()
  cursor.takeSemicolon(`${keyword} ${text}`)
  if (keyword === '/delete-node/') addChild(parent, { ...sourceNode(text, place), deleted: true })
  else addProperty(parent, { ...madeProperty(text, new Uint8Array(0)), place, deleted: true })
}
// #endregion dts-deletion

// #region dts-property
function readProperty(
  cursor: DtsCursor,
  parent: SourceNode,
  name: string,
  place: Place,
  labels: Labels,
): void {
  let value: SourceValue = { bytes: new Uint8Array(0), markers: [] }
  if (cursor.isSign('=')) {
    cursor.advance()
    value = readValue(cursor)
  } else if (!cursor.isSign(';') && !cursor.atNewLine && !cursor.isSign('}')) {
    cursor.unexpected(`=, ; or { after ${name}`)
  }
  cursor.takeSemicolon(`property ${name}`)
  if (parent.children.length > 0) {
    cursor.report(
      'dts-property-order',
      place,
      `property ${name} follows a subnode; expected all properties before the first subnode`,
    )
  }
  addProperty(parent, { name, value, place, labels, deleted: false })
}
// #endregion dts-property
