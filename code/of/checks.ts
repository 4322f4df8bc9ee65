// SPDX-License-Identifier: MIT
//
// What a compiler warns of in a tree that it can compile: the checks of dtc 1.6.1 that the trees of this book meet. A
// rule id is dtc's with `dts-` before it and hyphens; the order is dtc's too: check by check, each over the whole tree.
//
//     dts-reg-format                reg is not a whole number of (address, size) entries
//     dts-unit-address-vs-reg       a unit address without reg or ranges, or these without a unit address
//     dts-unit-address-format       0x or zeroes at the start of a unit address
//     dts-avoid-default-addr-size   the cell counts of the parent are dtc's defaults, 2 and 1
//
// A warning is no verdict: Linux boots with most of them, and reads default cell counts in its own way.

// #region check-imports
import type { Diagnostic } from '../lib/diagnostic.ts'
import {
  type DeviceTree,
  type DtNode,
  allNodes,
  nodePath,
  property,
  readNumber,
  stringsOf,
  unitAddress,
} from './tree.ts'
// #endregion check-imports

// #region check-tree
type Warn = (rule: string, node: DtNode, text: string, note?: string, ofProperty?: string) => void

/**
 * The warnings about `tree`; `file` names it in them. Line and column are 0 in a tree that was read from a blob.
 *
 * With cell counts that are not one cell each only that is told (`dts-address-cells-is-cell`, `dts-size-cells-is-cell`)
 * and what does not need them.
 * @kernel scripts/dtc/checks.c v6.1
 */
export function checkTree(tree: DeviceTree, file: string): Diagnostic[] {
  const found: Diagnostic[] = []
  const warn: Warn = (rule, node, text, note, ofProperty) => {
    const at = (ofProperty === undefined ? null : property(node, ofProperty)?.at) ?? node.at
    const place = { file: at?.file ?? file, line: at?.line ?? 0, column: at?.column ?? 0 }
    const subject = nodePath(node) + (ofProperty === undefined ? '' : `:${ofProperty}`)
    found.push({
      rule,
      severity: 'warning',
      ...place,
      text: `${subject}: ${text}`,
      ...(note === undefined ? {} : { note }),
    })
  }
  const run = (check: (node: DtNode, warn: Warn) => void) => {
    for (const node of allNodes(tree)) if (!isGenerated(node)) check(node, warn)
  }
  run((node) => checkCell(node, '#address-cells', 'dts-address-cells-is-cell', warn))
  run((node) => checkCell(node, '#size-cells', 'dts-size-cells-is-cell', warn))
  const cellsKnown = found.length === 0
  if (cellsKnown) run(checkRegFormat)
  run(checkUnitAddressVsReg)
  run(checkUnitAddressFormat)
  if (cellsKnown) run(checkDefaultCells)
  return found
}
// #endregion check-tree

// #region check-generated
// What the compiler put into an overlay after its own checks; it repeats names of nodes, without what makes them right.
function isGenerated(node: DtNode): boolean {
  let top = node
  while (top.parent?.parent) top = top.parent
  return top.name === '__fixups__' || top.name === '__local_fixups__'
}
// #endregion check-generated

// #region check-cells
function checkCell(node: DtNode, name: string, rule: string, warn: Warn): void {
  const value = property(node, name)?.value
  if (value && value.length !== 4)
    warn(rule, node, `the value has ${value.length} bytes; expected one cell, 4 bytes`, undefined, name)
}

// The count that a node gives for its children; null when it gives none.
function givenCells(node: DtNode, name: '#address-cells' | '#size-cells'): number | null {
  const value = property(node, name)?.value
  return value?.length === 4 ? readNumber(value, 0, 1) : null
}
// #endregion check-cells

// #region check-reg-format
function checkRegFormat(node: DtNode, warn: Warn): void {
  const reg = property(node, 'reg')
  if (!reg) return
  if (!node.parent) {
    warn(
      'dts-reg-format',
      node,
      'the root node has a reg; expected none, since it has no parent to count cells',
    )
    return
  }
  const { length } = reg.value
  if (length === 0)
    warn('dts-reg-format', node, 'reg is empty; expected an address and a size', undefined, 'reg')
  // #region check-reg-entry
  const address = givenCells(node.parent, '#address-cells')
  const size = givenCells(node.parent, '#size-cells')
  const entry = 4 * ((address ?? 2) + (size ?? 1))
  if (entry === 0 ? length === 0 : length % entry === 0) return
  const source =
    address === null || size === null
      ? `dtc's default for what ${nodePath(node.parent)} does not say`
      : nodePath(node.parent)
  const cells = `#address-cells = ${address ?? 2}, #size-cells = ${size ?? 1}: ${source}`
  const note = `Set both in ${nodePath(node.parent)}, or give reg that many cells.`
  warn(
    'dts-reg-format',
    node,
    `reg has ${length} bytes; expected a multiple of ${entry} (${cells})`,
    note,
    'reg',
  )
  // #endregion check-reg-entry
}
// #endregion check-reg-format

// #region check-unit-address
function checkUnitAddressVsReg(node: DtNode, warn: Warn): void {
  if (node.children.some(({ name }) => name === '__overlay__')) return
  const addressed = property(node, 'reg') !== null || (property(node, 'ranges')?.value.length ?? 0) > 0
  const unit = unitAddress(node.name)
  if (addressed && unit === '') {
    warn('dts-unit-address-vs-reg', node, 'the node has reg or ranges; expected a unit address in its name')
  } else if (!addressed && unit !== '') {
    const text = `the unit address is ${unit}, but there is no reg or ranges; expected both or none`
    warn('dts-unit-address-vs-reg', node, text, `Name it ${node.name.split('@')[0]!}, or give it a reg.`)
  }
}

function checkUnitAddressFormat(node: DtNode, warn: Warn): void {
  // These buses have unit addresses of their own kind.
  if (node.parent && (isPci(node.parent) || isSimpleBus(node.parent))) return
  const unit = unitAddress(node.name)
  const bare = unit.startsWith('0x') ? unit.slice(2) : unit
  const note = `Write it ${bare.replace(/^0+(?=[0-9a-fA-F])/, '').toLowerCase()}.`
  if (bare !== unit)
    warn('dts-unit-address-format', node, `the unit address is ${unit}; expected hex without 0x`, note)
  if (/^0[0-9a-fA-F]/.test(bare)) {
    warn(
      'dts-unit-address-format',
      node,
      `the unit address is ${unit}; expected it without zeroes at its start`,
      note,
    )
  }
}

function isPci(node: DtNode): boolean {
  const type = property(node, 'device_type')
  return type !== null && stringsOf(type.value)[0] === 'pci'
}

function isSimpleBus(node: DtNode): boolean {
  const compatible = property(node, 'compatible')
  return compatible !== null && stringsOf(compatible.value).includes('simple-bus')
}
// #endregion check-unit-address

// #region check-default-cells
function checkDefaultCells(node: DtNode, warn: Warn): void {
  if (!node.parent || (!property(node, 'reg') && !property(node, 'ranges'))) return
  for (const [name, value] of [
    ['#address-cells', 2],
    ['#size-cells', 1],
  ] as const) {
    if (property(node.parent, name)) continue
    const text = `${nodePath(node.parent)} has no ${name}; expected it, instead of dtc's default of ${value}`
    warn(
      'dts-avoid-default-addr-size',
      node,
      text,
      `Linux takes the nearest ancestor's count or its own default; say what is meant.`,
    )
  }
}
// #endregion check-default-cells
