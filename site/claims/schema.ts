// SPDX-License-Identifier: MIT
//
// chapters/<slug>/claims.yaml: what the chapter says of Linux, each claim with its sources. A footnote `[^id]` of the
// chapter names one; the page prints the sentence and the sources.
//
//     memblock-top-down:
//       says: memblock hands out the highest free range unless it was told to go bottom up.
//       sources:
//         - { path: mm/memblock.c, symbol: memblock_find_in_range_node, versions: ['6.1', '6.12'] }
//         - { commit: 79442ed189ac, release: '3.13', title: 'mm/memblock.c: introduce bottom-up allocation mode' }
//       logs:
//         - { text: 'memblock_add: %pa', path: mm/memblock.c, versions: ['6.12'] }
import { z } from 'zod'

/** The kernels whose sources a machine looks into: Debian's linux-source packages of these series. */
export const VERSIONS = ['6.1', '6.12'] as const
export type Version = (typeof VERSIONS)[number]

const Versions = z.array(z.enum(VERSIONS)).min(1)
const Release = z.string().regex(/^\d+\.\d+(\.\d+)?(-rc\d+)?$/, 'expected a release such as 4.12, in quotes')
const Path = z
  .string()
  .regex(/^[A-Za-z0-9][\w.,+-]*(\/[\w.,+-]+)*$/, 'expected a path from the root of the kernel’s tree')
const Symbol = z
  .string()
  .regex(/^((struct|enum|union) )?[\w,-]+$/, 'expected a name as the source spells it, without ()')
const oneOrMore = <T extends z.ZodType>(type: T) => z.union([type, z.array(type).min(1)])

/** One of three: a place in a tree (`path`), a commit, or a document of somebody else. */
const Source = z
  .strictObject({
    path: Path.optional(),
    /** A function, a macro, `struct page`, a property; a list names several of one file. */
    symbol: oneOrMore(Symbol).optional(),
    /** A variable or another name in lower case that is called nowhere: printed without (). */
    name: oneOrMore(Symbol).optional(),
    versions: Versions.optional(),
    /** Of a path: an older kernel, which no machine looks into. Of a commit: the first release that has it, if known. */
    release: Release.optional(),
    commit: z
      .string()
      .regex(/^[0-9a-f]{12,40}$/, 'expected 12 to 40 hexadecimal digits')
      .optional(),
    title: z.string().min(1).optional(),
    document: z.string().min(1).optional(),
    section: z.string().min(1).optional(),
  })
  .superRefine((source, context) => {
    const wrong = (message: string, ...path: string[]): void =>
      context.addIssue({ code: 'custom', message, path })
    const kinds = (['path', 'commit', 'document'] as const).filter((kind) => source[kind] !== undefined)
    if (kinds.length !== 1) {
      wrong(`expected one of path, commit and document, got ${kinds.join(' and ') || 'none'}`)
      return
    }
    const only = (kind: (typeof kinds)[number], ...keys: (keyof typeof source)[]): void => {
      if (kinds[0] === kind) return
      for (const key of keys)
        if (source[key] !== undefined) wrong(`belongs to a ${kind}, got it beside a ${kinds[0]}`, key)
    }
    only('path', 'symbol', 'name', 'versions')
    only('commit', 'title')
    only('document', 'section')
    if (kinds[0] === 'path' && (source.versions === undefined) === (source.release === undefined)) {
      wrong(
        'expected versions, or the release of an older kernel, and got ' +
          (source.versions ? 'both' : 'neither'),
      )
    }
    if (kinds[0] === 'commit' && source.title === undefined) wrong('expected the title of the commit')
    if (kinds[0] === 'document' && source.release !== undefined) {
      wrong('belongs to a path or a commit, got it beside a document', 'release')
    }
  })

const Log = z.strictObject({
  /** A format as the source spells it, without the newline at its end. */
  text: z.string().min(4),
  path: Path,
  versions: Versions,
})

export const ClaimSchema = z.strictObject({
  /** One sentence of ours. */
  says: z.string().min(10),
  sources: z.array(Source).min(1),
  logs: z.array(Log).min(1).optional(),
})

export type Claim = z.infer<typeof ClaimSchema>
export type ClaimSource = Claim['sources'][number]
export type ClaimLog = NonNullable<Claim['logs']>[number]

/** Whether a symbol of a file is taken for a function: a name of C in lower case. */
export const isFunction = (symbol: string, path: string): boolean =>
  /\.[chS]$/.test(path) && /^(?=\w*[a-z])[a-z_]\w*$/.test(symbol) && !/^_*[A-Z]/.test(symbol)

/** One or more, as a list. */
export const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T]
