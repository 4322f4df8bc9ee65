// SPDX-License-Identifier: MIT
//
// Device-tree source → device tree, with the syntax of dtc 1.6.1:
//
//     source text ─ dts_lexer → tokens ─ here → SourceNode, merged ─ dts_resolve → DeviceTree
//
// Here is what may stand outside of nodes; the inside of one is read in dts_node.ts, a property's value in dts_value.ts.
// A syntax error gives up one statement and goes on behind it, so that one run tells as much as it can; the tree is given
// only when there was no error. Leaves out /include/, /incbin/ and the C preprocessor, and says so when it meets them.

// #region dts-parser-imports
import type { Diagnostic } from '../lib/diagnostic.ts'
import { DtsCursor, Stop, shownToken } from './dts_cursor.ts'
import { readInteger } from './dts_expression.ts'
import { LabelIndex } from './dts_labels.ts'
import type { Place, Token } from './dts_lexer.ts'
import { readBody } from './dts_node.ts'
import { resolveTree } from './dts_resolve.ts'
import {
  type Labels,
  type ParsedSource,
  type SourceNode,
  addChild,
  addProperty,
  deleteNode,
  madeProperty,
  mergeNodes,
  sourceNode,
} from './dts_source_tree.ts'
import { type DeviceTree, type MemReserve, stringsValue } from './tree.ts'
// #endregion dts-parser-imports

// #region dts-parse
/** Sources above this many UTF-16 units are refused; arm and arm64 boards of Linux 6.12 fit, preprocessed. */
export const MAX_SOURCE = 4 * 1024 * 1024

const MAX_DIAGNOSTICS = 50

/**
 * The device tree that `source` describes; `file` names it in diagnostics.
 *
 * Never throws on bad source: `tree` is null when a diagnostic is an error. Each has its line and column, in the file
 * that the preprocessor's line markers name, if there are any. At most 50 are given.
 *
 * Rules: `dts-syntax`, `dts-number`, `dts-character`, `dts-value-range`, `dts-division-by-zero`, `dts-bits`,
 * `dts-property-order`, `dts-unknown-label`, `dts-duplicate-label`, `dts-duplicate-node-names`,
 * `dts-duplicate-property-names`, `dts-node-name-chars`, `dts-node-name-format`, `dts-property-name-chars`,
 * `dts-name-properties`, `dts-explicit-phandles`, `dts-include`, `dts-incbin`, `dts-preprocessor`, `dts-limit`.
 *
 * @kernel scripts/dtc/dtc-parser.y v6.1
 */
export function parseDts(
  source: string,
  file: string,
): { tree: DeviceTree | null; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const report = (rule: string, place: Place, text: string, note?: string) => {
    diagnostics.push({ rule, severity: 'error', ...place, text, ...(note === undefined ? {} : { note }) })
    if (diagnostics.length >= MAX_DIAGNOSTICS) throw new Stop()
  }
  try {
    if (source.length > MAX_SOURCE) {
      const place = { file, line: 0, column: 0 }
      report('dts-limit', place, `the source has ${source.length} characters; expected at most ${MAX_SOURCE}`)
      return { tree: null, diagnostics }
    }
    const cursor = new DtsCursor(source, file, report)
    const parser = new Parser(cursor)
    const parsed = parser.parse()
    // What was given up may have held the labels and nodes that the rest refers to.
    if (cursor.gaveUp) return { tree: null, diagnostics }
    const tree = resolveTree(parsed, parser.labels, report)
    return { tree: diagnostics.length > 0 ? null : tree, diagnostics }
  } catch (error) {
    if (error instanceof Stop) return { tree: null, diagnostics }
    throw error
  }
}
// #endregion dts-parse

// #region dts-parser
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

class Parser {
  readonly labels: LabelIndex
  readonly #cursor: DtsCursor
  readonly #memreserve: MemReserve[] = []
  #plugin = false
  #root: SourceNode | null = null
  #fragments = 0

  constructor(cursor: DtsCursor) {
    this.#cursor = cursor
    this.labels = new LabelIndex(cursor.report)
  }

  parse(): ParsedSource {
    this.#cursor.statement(() => this.#header())
    while (this.#cursor.token.kind !== 'end') {
      this.#cursor.statement(() => this.#topLevel())
      // A brace that closes nothing would stop the skipping for ever.
      if (this.#cursor.isSign('}')) {
        this.#cursor.report(
          'dts-syntax',
          this.#cursor.token.place,
          '} closes nothing; expected a node or the end of the file',
        )
        this.#cursor.advance()
        if (this.#cursor.isSign(';')) this.#cursor.advance()
      }
    }
    if (!this.#root) {
      this.#cursor.report(
        'dts-syntax',
        this.#cursor.token.place,
        'the file has no root node; expected / { … };',
      )
    }
    return {
      root: this.#root ?? sourceNode('', null),
      memreserve: this.#memreserve,
      plugin: this.#plugin,
      file: this.#cursor.file,
    }
  }

  #header(): void {
    if (!this.#cursor.isKeyword('/dts-v1/')) {
      this.#cursor.report(
        'dts-syntax',
        this.#cursor.token.place,
        `${shownToken(this.#cursor.token)}; expected /dts-v1/; first`,
      )
      return
    }
    for (let first = true; this.#cursor.isKeyword('/dts-v1/'); first = false) {
      const { place } = this.#cursor.advance()
      this.#cursor.takeSemicolon('/dts-v1/')
      const plugin = this.#cursor.isKeyword('/plugin/')
      if (plugin) {
        this.#cursor.advance()
        this.#cursor.takeSemicolon('/plugin/')
      }
      if (!first && plugin !== this.#plugin) {
        this.#cursor.report(
          'dts-syntax',
          place,
          '/plugin/ is not in every header; expected it after each /dts-v1/; or none',
        )
      }
      this.#plugin = plugin
    }
  }

  // #region dts-parser-top
  #topLevel(): void {
    const labels = this.#cursor.readLabels()
    const { kind, text } = this.#cursor.token
    if (kind === 'keyword' && text === '/memreserve/') this.#readReservation()
    else if (kind === 'reference') this.#override(labels)
    else if (kind === 'sign' && text === '/' && labels.size === 0) this.#readRoot()
    else if (labels.size > 0)
      this.#cursor.unexpected('/memreserve/ or a reference such as &uart0 after a label')
    else if (kind === 'keyword' && text === '/delete-node/') this.#deleteReferenced()
    else if (kind === 'keyword' && text === '/omit-if-no-ref/') this.#omitReferenced()
    else this.#cursor.unexpected('/ { … }; or a reference such as &uart0 { … };')
  }
  // #endregion dts-parser-top

  // #region dts-parser-items
  #readReservation(): void {
    const { place } = this.#cursor.advance()
    if (this.#root) {
      this.#cursor.report('dts-syntax', place, '/memreserve/ after a node; expected it before the first one')
    }
    const [address, size] = [this.#safeInteger('address'), this.#safeInteger('size')]
    this.#cursor.takeSemicolon('/memreserve/')
    this.#memreserve.push({ address, size })
  }

  #safeInteger(what: string): number {
    const { place } = this.#cursor.token
    const value = readInteger(this.#cursor)
    if (value <= MAX_SAFE) return Number(value)
    this.#cursor.report(
      'dts-value-range',
      place,
      `the ${what} 0x${value.toString(16)} is out of range; expected at most 0x1fffffffffffff`,
    )
    return 0
  }

  #readRoot(): void {
    const { place } = this.#cursor.advance()
    const fresh = sourceNode('', place)
    readBody(this.#cursor, fresh, '/', 1)
    this.#open(this.#root, fresh)
  }

  // Opens `old` again with what `fresh` says, or makes it the root.
  #open(old: SourceNode | null, fresh: SourceNode): void {
    if (old) mergeNodes(old, fresh)
    else this.#root = fresh
    this.labels.add(fresh, old ?? fresh)
  }
  // #endregion dts-parser-items

  // #region dts-override
  // &label { … }; opens a node again. In a plugin, one that is not here becomes a fragment for the node that is meant.
  #override(labels: Labels): void {
    // dtc's grammar has room for one label here, where a node of its own may have many.
    const second = [...labels.values()][1]
    if (second)
      this.#cursor.report('dts-syntax', second, 'a second label before a reference; expected at most one')
    const reference = this.#cursor.advance()
    const target = this.#plugin && reference.text.startsWith('/') ? null : this.#find(reference)
    const fresh = sourceNode(target || !this.#plugin ? (target?.name ?? '') : '__overlay__', reference.place)
    readBody(this.#cursor, fresh, `&${reference.text}`, 1)
    for (const [name, place] of labels) fresh.labels.set(name, place)
    if (target) {
      this.#open(target, fresh)
      return
    }
    if (!this.#plugin) this.#unknown(reference)
    else this.#addFragment(reference, fresh)
  }
  // #endregion dts-override

  // #region dts-fragment
  #addFragment(reference: Token, overlay: SourceNode): void {
    const fragment = sourceNode(`fragment@${this.#fragments++}`, reference.place)
    const { text: name, place } = reference
    if (name.startsWith('/')) addProperty(fragment, madeProperty('target-path', stringsValue(name)))
    else {
      const unresolved = new Uint8Array(4).fill(0xff)
      addProperty(fragment, madeProperty('target', unresolved, [{ kind: 'phandle', offset: 0, name, place }]))
    }
    addChild(fragment, overlay)
    this.#root ??= sourceNode('', reference.place)
    addChild(this.#root, fragment)
    this.labels.add(overlay, overlay)
  }
  // #endregion dts-fragment

  // #region dts-parser-deletions
  #deleteReferenced(): void {
    this.#cursor.advance()
    const target = this.#takeTarget('/delete-node/')
    if (target) deleteNode(target)
  }

  #omitReferenced(): void {
    this.#cursor.advance()
    const target = this.#takeTarget('/omit-if-no-ref/')
    if (target) target.omitIfUnused = true
  }

  #takeTarget(after: string): SourceNode | null {
    if (this.#cursor.token.kind !== 'reference')
      this.#cursor.unexpected(`a reference such as &uart0 after ${after}`)
    const reference = this.#cursor.advance()
    const target = this.#find(reference)
    if (!target) this.#unknown(reference)
    this.#cursor.takeSemicolon(`${after} &${reference.text}`)
    return target
  }

  #find(reference: Token): SourceNode | null {
    return this.#root && this.labels.find(this.#root, reference.text, reference.place)
  }

  #unknown(reference: Token): void {
    this.labels.reportUnknown(reference.text, reference.place)
  }
  // #endregion dts-parser-deletions
}
// #endregion dts-parser
