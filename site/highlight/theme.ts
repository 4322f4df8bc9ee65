// SPDX-License-Identifier: MIT
//
// Our colour theme for code, as names instead of colours: each scope maps to one of a dozen kinds, a kind becomes a class
// (`hl-k`), and site/css/code.css gives the kind its colour in light, dark and print. So the HTML carries no style
// attribute, and one highlighted page serves every scheme.
import type { ThemeRegistration } from 'shiki/core'

/** What each kind stands for. The letter is the end of its class name. */
export const KINDS = {
  c: 'comment',
  k: 'keyword',
  t: 'type or node name',
  f: 'function',
  s: 'string',
  n: 'number or constant',
  p: 'property',
  l: 'label or reference',
  m: 'preprocessor, macro, directive',
  i: 'inserted line',
  d: 'deleted line',
} as const
export type Kind = keyof typeof KINDS

const SCOPES: Record<Kind, readonly string[]> = {
  c: ['comment', 'punctuation.definition.comment', 'meta.diff.header', 'meta.diff.range'],
  k: ['keyword.control', 'keyword.other', 'storage', 'keyword.operator.new', 'keyword.operator.expression'],
  t: ['entity.name.type', 'support.type', 'support.class', 'entity.name.class', 'storage.type.built-in'],
  f: ['entity.name.function', 'support.function', 'variable.function'],
  s: ['string', 'punctuation.definition.string', 'string.regexp'],
  n: ['constant', 'constant.numeric', 'constant.language', 'constant.character'],
  p: ['support.type.property-name', 'entity.name.tag.yaml', 'meta.object-literal.key'],
  l: ['entity.name.label', 'variable.other.reference', 'variable.parameter.make'],
  m: [
    'meta.preprocessor',
    'keyword.control.directive',
    'entity.name.function.preprocessor',
    'constant.other.macro',
  ],
  i: ['markup.inserted'],
  d: ['markup.deleted'],
}

const PLAIN = 'var(--hl-plain)'

export const theme: ThemeRegistration = {
  name: 'contiguous',
  type: 'light',
  fg: PLAIN,
  bg: 'transparent',
  settings: [
    { settings: { foreground: PLAIN } },
    ...(Object.keys(SCOPES) as Kind[]).map((kind) => ({
      scope: [...SCOPES[kind]],
      settings: { foreground: `var(--hl-${kind})` },
    })),
  ],
}

/** The class of a token that Shiki coloured with our theme; empty for plain text. */
export function classOfColor(color: string | undefined): string {
  const kind = /^var\(--hl-([a-z])\)$/i.exec(color ?? '')?.[1]
  return kind ? `hl-${kind.toLowerCase()}` : ''
}
