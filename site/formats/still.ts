// SPDX-License-Identifier: MIT
//
// A page's tree for paper and for readers that run nothing: what waits for a script or a hand goes, what a script would
// wake stands as it is in the HTML, outputs as they were recorded.
import {
  all,
  classesOf,
  dropAttributes,
  type Element,
  hasClass,
  isElement,
  type Node,
  remove,
  unwrap,
} from './dom.ts'

const FOR_HANDS = [
  'button',
  'canvas',
  'dialog',
  'form',
  'input',
  'noscript',
  'script',
  'select',
  'template',
  'textarea',
]
const PHRASING = ['a', 'code', 'dd', 'dt', 'em', 'h2', 'h3', 'h4', 'p', 'span', 'strong', 'td', 'th']

const isForHands = ({ name, attribs }: Element): boolean =>
  FOR_HANDS.includes(name) || attribs['hidden'] !== undefined

/** `contig-cell` is a figure; another widget is a box, or a word in a sentence. */
function settle(element: Element): void {
  const inSentence = element.parent && isElement(element.parent) && PHRASING.includes(element.parent.name)
  const name = element.name
  element.name = name === 'contig-cell' ? 'figure' : inSentence ? 'span' : 'div'
  element.attribs['class'] = [...classesOf(element), name.replace('contig-', '')].join(' ')
}

/** Nothing scrolls and nothing is focused: what names a box for that is not needed. */
function dropForHands(element: Element): void {
  const named = element.name === 'pre' || element.attribs['tabindex'] !== undefined
  dropAttributes(
    element,
    (name) =>
      name === 'tabindex' ||
      (name.startsWith('data-') && name !== 'data-n') ||
      (named && (name === 'role' || name === 'aria-label')),
  )
}

/** HTML drops a line break right behind `<pre>`; XML does not. */
function dropFirstBreak(pre: Element): void {
  const first = pre.children[0]
  if (first && 'data' in first && pre.children.length > 0) first.data = first.data.replace(/^\n/, '')
}

/** Changes the tree below `nodes`, which must have a parent. */
export function makeStill(nodes: readonly Node[]): void {
  for (const element of all(nodes, isForHands)) remove(element)
  for (const element of all(nodes, (a) => a.name === 'a' && hasClass(a, 'header-anchor'))) unwrap(element)
  for (const element of all(nodes, ({ name }) => name.startsWith('contig-'))) settle(element)
  for (const element of all(nodes, ({ name }) => name === 'details')) element.name = 'div'
  for (const element of all(nodes, ({ name }) => name === 'summary')) element.name = 'p'
  for (const element of all(nodes, () => true)) dropForHands(element)
  for (const element of all(nodes, ({ name }) => name === 'pre')) dropFirstBreak(element)
}
