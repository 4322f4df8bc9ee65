// SPDX-License-Identifier: MIT
//
// Brings what is in an element to what `html` says, and keeps the nodes that it can: a rectangle that only changes its
// place stays the same rectangle, so that a style sheet can let it glide there and the focus stays where it is. An
// element is the same one when its tag is and its `data-key` is.

/** `html` is of our own drawing. */
export function morph(target: Element, html: string): void {
  const wanted = document.createElement('template')
  wanted.innerHTML = html
  children(target, wanted.content)
}

const keyOf = (node: Node): string =>
  node instanceof Element ? `${node.localName} ${node.getAttribute('data-key') ?? ''}` : node.nodeName

function children(target: Node, wanted: Node): void {
  const kept = new Map<string, Node[]>()
  for (const node of target.childNodes) kept.set(keyOf(node), [...(kept.get(keyOf(node)) ?? []), node])
  const now: Node[] = []
  for (const node of [...wanted.childNodes]) {
    const old = kept.get(keyOf(node))?.shift()
    if (old) same(old, node)
    now.push(old ?? node)
  }
  for (const left of [...kept.values()].flat()) target.removeChild(left)
  now.forEach((node, at) => {
    if (target.childNodes[at] !== node) target.insertBefore(node, target.childNodes[at] ?? null)
  })
}

function same(old: Node, wanted: Node): void {
  if (!(old instanceof Element) || !(wanted instanceof Element)) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue
    return
  }
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name)
  for (const { name, value } of [...wanted.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  }
  children(old, wanted)
}
