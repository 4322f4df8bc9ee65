// SPDX-License-Identifier: MIT
//
// Where a source file defines the names that others use: what a model exports; functions, types and macros in C, without
// those that a program for tests keeps to itself.
import type { SourceFile, WovenLanguage } from '../weave/types.ts'

const TYPESCRIPT = /^export (?:async )?(?:function\*?|const|class|interface|type) ([\p{L}\p{N}_$]+)/u
/** A function's first line begins in the first column and is no declaration; a parameter list may go on below. */
const C =
  /^(?:#define\s+(\w+)|(?:struct|enum|union)\s+(\w+)\s*\{|(?!return|else|typedef|goto|#)[A-Za-z_][\w\s*]*?[\s*](\w+)\((?!.*;\s*$))/

const DEFINITIONS: Record<WovenLanguage, RegExp | null> = { ts: TYPESCRIPT, c: C, dts: null, make: null }

export interface Definition {
  readonly name: string
  /** 1-based. */
  readonly line: number
  /** The line itself. */
  readonly text: string
}

/** A macro of a `.c` file, and a static function of a program, are nobody else's. */
function isPrivate(file: string, text: string): boolean {
  if (text.startsWith('#define')) return file.endsWith('.c')
  return text.startsWith('static') && file.startsWith('kernel/user/')
}

export function definitionsIn(source: SourceFile): Definition[] {
  const pattern = DEFINITIONS[source.lang]
  if (!pattern) return []
  const seen = new Set<string>()
  return source.lines.flatMap((text, index) => {
    const name = pattern.exec(text)?.slice(1).find(Boolean)
    if (!name || seen.has(name) || isPrivate(source.file, text)) return []
    seen.add(name)
    return [{ name, line: index + 1, text: text.trim() }]
  })
}
