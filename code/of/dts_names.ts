// SPDX-License-Identifier: MIT
//
// The names of a source: made of the characters they may have, and each given once. These are the checks that dtc counts
// as errors; its warnings are in checks.ts. A rule id is dtc's with `dts-` before it and hyphens.

// #region dts-names-imports
import type { Place, Report } from './dts_lexer.ts'
import { type SourceNode, liveNodes, liveProperty, sourcePath } from './dts_source_tree.ts'
import { bytesToText } from './tree.ts'
// #endregion dts-names-imports

// #region dts-names
const NOT_NODE_CHARACTER = /[^a-zA-Z0-9,._+@-]/
const NOT_PROPERTY_CHARACTER = /[^a-zA-Z0-9,._+*#?-]/

/** Reports names with characters that they may not have, and names that two properties or two subnodes share. */
export function checkNames(node: SourceNode, place: Place, report: Report): void {
  const bad = NOT_NODE_CHARACTER.exec(node.name)
  if (bad)
    report(
      'dts-node-name-chars',
      place,
      `${sourcePath(node)}: ${bad[0]} in the name of a node; expected a-z A-Z 0-9 , . _ + - @`,
    )
  else if (node.name.split('@').length > 2) {
    report(
      'dts-node-name-format',
      place,
      `${sourcePath(node)}: the name has two @; expected one, before the unit address`,
    )
  }
  const seen = new Map<string, Place | null>()
  for (const { name, place: at, deleted } of node.properties) {
    if (deleted) continue
    const character = NOT_PROPERTY_CHARACTER.exec(name)
    if (character) {
      const text = `${sourcePath(node)}: ${character[0]} in the name of property ${name}; expected a-z A-Z 0-9 , . _ + * # ? -`
      report('dts-property-name-chars', at ?? place, text)
    }
    reportTwice(
      report,
      'dts-duplicate-property-names',
      () => `${sourcePath(node)}: property ${name}`,
      seen,
      name,
      at ?? place,
    )
  }
  seen.clear()
  for (const child of node.children) {
    if (child.deleted) continue
    const { name } = child
    reportTwice(
      report,
      'dts-duplicate-node-names',
      () => `${sourcePath(child)}: the node`,
      seen,
      name,
      child.place ?? place,
    )
  }
}

function reportTwice(
  report: Report,
  rule: string,
  what: () => string,
  seen: Map<string, Place | null>,
  name: string,
  at: Place,
) {
  const first = seen.get(name)
  if (first)
    report(
      rule,
      at,
      `${what()} is defined twice; expected once`,
      `The first is in ${first.file}:${first.line}.`,
    )
  else seen.set(name, at)
}
// #endregion dts-names

// #region dts-name-property
/** A property `name` repeats what the node's name says before its `@`: it is dropped when it does, and reported else. */
export function checkNameProperty(node: SourceNode, place: Place, report: Report): void {
  const property = liveProperty(node, 'name')
  if (!property) return
  const base = node.name.split('@')[0]! + '\0'
  const value = bytesToText(property.value.bytes)
  if (value === base) property.deleted = true
  else {
    const text = `${sourcePath(node)}: property name is ${JSON.stringify(value.slice(0, 80))}; expected ${JSON.stringify(base)}`
    report('dts-name-properties', property.place ?? place, text, 'Leave it out: the compiler knows the name.')
  }
}
// #endregion dts-name-property

// #region dts-label-check
/** Reports labels that stand on two things: nodes, properties or places in values. */
export function checkLabels(root: SourceNode, report: Report): void {
  const seen = new Map<string, { what: () => string; place: Place }>()
  const take = (name: string, place: Place, what: () => string) => {
    const first = seen.get(name)
    if (!first) {
      seen.set(name, { what, place })
      return
    }
    const text = `label ${name} is on ${what()} and on ${first.what()}; expected it on one`
    report('dts-duplicate-label', place, text, `The first is in ${first.place.file}:${first.place.line}.`)
  }
  for (const node of liveNodes(root)) {
    for (const [name, place] of node.labels) take(name, place, () => sourcePath(node))
    for (const property of node.properties) {
      if (property.deleted) continue
      const path = () => `${sourcePath(node)}:${property.name}`
      for (const [name, place] of property.labels) take(name, place, path)
      for (const { kind, name, place } of property.value.markers) {
        if (kind === 'label') take(name, place, () => `a value of ${path()}`)
      }
    }
  }
}
// #endregion dts-label-check
