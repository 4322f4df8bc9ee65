// SPDX-License-Identifier: MIT
//
// The few things that an edition does to a page's tree. Names keep their case, as SVG needs it.
import { DomUtils, ElementType, parseDocument } from 'htmlparser2'

type Document = ReturnType<typeof parseDocument>
export type Node = Document['children'][number]
export type Element = Extract<Node, { attribs: unknown }>

export const isElement = (node: Node): node is Element => ElementType.isTag(node)

export function parse(html: string): Node[] {
  const options = { lowerCaseTags: false, lowerCaseAttributeNames: false, recognizeSelfClosing: true }
  return parseDocument(html, options).children
}

/** Well-formed XML, which is valid HTML too as long as no empty element but a void one is in it. */
export function toXml(nodes: readonly Node[]): string {
  return DomUtils.getOuterHTML([...nodes], { xmlMode: true, encodeEntities: 'utf8' })
}

export function toHtml(nodes: readonly Node[]): string {
  return DomUtils.getOuterHTML([...nodes], { encodeEntities: 'utf8' })
}

/** Every element at or below `nodes` for which `test` holds, in order. */
export function all(nodes: readonly Node[], test: (element: Element) => boolean): Element[] {
  return DomUtils.filter((node) => isElement(node) && test(node), [...nodes]) as Element[]
}

export const classesOf = (element: Element): string[] =>
  (element.attribs['class'] ?? '').split(/\s+/).filter(Boolean)

export const hasClass = (element: Element, name: string): boolean => classesOf(element).includes(name)

export const textOf = (nodes: readonly Node[]): string => DomUtils.textContent([...nodes])

export function remove(element: Element): void {
  DomUtils.removeElement(element)
}

/** Puts the children of an element in its place. */
export function unwrap(element: Element): void {
  for (const child of [...element.children]) DomUtils.prepend(element, child)
  DomUtils.removeElement(element)
}

export function prepend(element: Element, html: string): void {
  for (const node of [...parse(html)].reverse()) DomUtils.prependChild(element, node)
}

/** Takes the attributes away for whose names `test` holds. */
export function dropAttributes(element: Element, test: (name: string) => boolean): void {
  element.attribs = Object.fromEntries(Object.entries(element.attribs).filter(([name]) => !test(name)))
}
