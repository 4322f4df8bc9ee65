// SPDX-License-Identifier: MIT
//
// Device tree source for the editor: as much as tells a name from a number. site/highlight/devicetree.tmLanguage.json does
// the same for print.
import { StreamLanguage, type StringStream } from '@codemirror/language'

const TOKENS: readonly (readonly [RegExp, string | null])[] = [
  [/^\/\/.*/, 'comment'],
  [/^"(?:[^"\\]|\\.)*"?/, 'string'],
  [/^\/[a-z0-9-]+\//, 'keyword'],
  [/^&[\w-]+/, 'variableName.function'],
  [/^[A-Za-z_]\w*(?=:)/, 'variableName.function'],
  [/^(?:0x[0-9a-fA-F]+|\d+)\b/, 'number'],
  [/^[#\w,.+?-]+(?=\s*[=;])/, 'typeName'],
  [/^[\w,.+-]+(?:@[\w,.-]+)?/, null],
]

function token(stream: StringStream, state: { comment: boolean }): string | null {
  if (state.comment || stream.match('/*')) {
    state.comment = !stream.match(/^.*?\*\//)
    if (state.comment) stream.skipToEnd()
    return 'comment'
  }
  for (const [pattern, kind] of TOKENS) if (stream.match(pattern)) return kind
  stream.next()
  return null
}

/** An extension for the editor. */
export const deviceTree = StreamLanguage.define({
  name: 'devicetree',
  startState: () => ({ comment: false }),
  token,
})
