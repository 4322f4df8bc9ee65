// SPDX-License-Identifier: MIT
//
// What the claims say of 6.1 and 6.12, held against Debian's sources of both: the path is there, the symbol occurs in it,
// the log text occurs in it. The rules of matching are site/claims/in_source.ts.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Progress } from '../code/lab/execute.ts'
import { type PartsOptions, partsOfKernelSource, pathsOfKernelSource } from '../code/lab/kernel_parts.ts'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { nearestWord } from '../code/lib/nearest_word.ts'
import type { Claims, PlacedClaim } from '../site/claims/claims.ts'
import { logOccurs, symbolCalled, symbolOccurs } from '../site/claims/in_source.ts'
import { isFunction, listOf, type Version, VERSIONS } from '../site/claims/schema.ts'

/** A version's sources as far as the claims need them. */
export interface SourceTree {
  readonly version: Version
  /** The text of a file; null when the tree has none at that path. */
  readonly read: (path: string) => string | null
  /** Every path of the tree, to offer the nearest one. */
  readonly paths: ReadonlySet<string>
}

/** One thing that a claim says of one version. */
interface Assertion {
  readonly placed: PlacedClaim
  readonly at: readonly (string | number)[]
  readonly version: Version
  readonly path: string
  readonly symbols: readonly string[]
  readonly names: readonly string[]
  readonly log: string | null
}

/** Everything that the claims say of `version`. */
export function assertionsOf(claims: Claims, version: Version): Assertion[] {
  return [...claims.byId.values()].flatMap((placed) => {
    const { id, claim } = placed
    const sources = claim.sources.flatMap((source, index): Assertion[] =>
      source.path !== undefined && source.versions?.includes(version)
        ? [
            {
              ...{ placed, at: [id, 'sources', index], version, path: source.path, log: null },
              ...{ symbols: listOf(source.symbol), names: listOf(source.name) },
            },
          ]
        : [],
    )
    const logs = (claim.logs ?? []).flatMap((log, index): Assertion[] =>
      log.versions.includes(version)
        ? [
            {
              ...{ placed, at: [id, 'logs', index], version, path: log.path, log: log.text },
              ...{ symbols: [], names: [] },
            },
          ]
        : [],
    )
    return [...sources, ...logs]
  })
}

/**
 * The assertions against the tree of their version. Rules: `claims-path`, `claims-symbol` (it does not occur),
 * `claims-function` (in lower case, and called nowhere in that file: a variable is a `name`), `claims-log`.
 */
export function checkAssertion(assertion: Assertion, tree: SourceTree): Diagnostic[] {
  const { placed, at, path, symbols, names, log, version } = assertion
  const report = (rule: string, key: string, text: string, note?: string): Diagnostic => ({
    ...{ rule, severity: 'error', file: placed.file, ...placed.locate([...at, key], 'value') },
    ...{ text: `${placed.id}: ${text}`, ...(note === undefined ? {} : { note }) },
  })
  const text = tree.read(path)
  if (text === null) {
    const base = path.slice(path.lastIndexOf('/') + 1)
    const near =
      [...tree.paths].find((other) => other.endsWith(`/${base}`)) ?? nearestWord(path, [...tree.paths])
    return [
      report('claims-path', 'path', `linux ${version} has no ${path}`, near ? `Is it ${near}?` : undefined),
    ]
  }
  const missing = (key: string, wanted: readonly string[]): Diagnostic[] =>
    wanted
      .filter((symbol) => !symbolOccurs(text, path, symbol))
      .map((symbol) => report('claims-symbol', key, `${path} of linux ${version} has no ${symbol}`))
  const uncalled = symbols
    .filter((symbol) => isFunction(symbol, path))
    .filter((symbol) => symbolOccurs(text, path, symbol) && !symbolCalled(text, symbol))
    .map((symbol) => {
      const what = `${symbol} is printed as ${symbol}(), and is no function in ${path} of linux ${version}`
      return report('claims-function', 'symbol', what, `Write name: ${symbol}, or symbol: struct ${symbol}.`)
    })
  const unsaid =
    log !== null && !logOccurs(text, log)
      ? [report('claims-log', 'text', `${path} of linux ${version} prints no “${log}”`)]
      : []
  return [...missing('symbol', symbols), ...missing('name', names), ...uncalled, ...unsaid]
}

/** Debian's sources of a version, with the files that these claims name. */
export async function treeFor(
  claims: Claims,
  version: Version,
  options: Omit<PartsOptions, 'series'>,
): Promise<SourceTree> {
  const { paths } = await pathsOfKernelSource({ ...options, series: version })
  const wanted = [...new Set(assertionsOf(claims, version).map(({ path }) => path))].sort()
  const there = wanted.filter((path) => paths.has(path))
  const folder = there.length > 0 ? await partsOfKernelSource(there, { ...options, series: version }) : null
  const read = (path: string): string | null => {
    const file = folder === null ? '' : join(folder, path)
    return existsSync(file) && statSync(file).isFile() ? readFileSync(file, 'utf8') : null
  }
  return { version, read, paths }
}

/** Every claim about 6.1 and 6.12 against the sources of both. */
export async function checkClaimsInSources(
  claims: Claims,
  progress: Progress,
  signal?: AbortSignal,
): Promise<{ diagnostics: Diagnostic[]; assertions: number }> {
  const diagnostics: Diagnostic[] = []
  let assertions = 0
  for (const version of VERSIONS) {
    const tree = await treeFor(claims, version, { progress, ...(signal ? { signal } : {}) })
    const found = assertionsOf(claims, version)
    assertions += found.length
    diagnostics.push(...found.flatMap((assertion) => checkAssertion(assertion, tree)))
  }
  return { diagnostics, assertions }
}
