// SPDX-License-Identifier: MIT
//
// Elements in a line: `element('a', { href, className: 'path' }, 'text', other)`.

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made: HTMLElementTagNameMap[Name] = document.createElement(name)
  Object.assign(made, properties)
  made.append(...inside)
  return made
}
