// SPDX-License-Identifier: MIT
//
// From a label or a path to its node, while the source is read and after. A label that is not there gets the one offered
// that is spelled most like it.

// #region dts-labels-imports
import { nearestWord } from '../lib/nearest_word.ts'
import { stop } from './dts_cursor.ts'
import type { Place, Report } from './dts_lexer.ts'
import { type SourceNode, liveChild } from './dts_source_tree.ts'
// #endregion dts-labels-imports

// #region dts-labels
// Siblings looked at for paths whose first node of that name is deleted; only source made to be slow comes near.
const MAX_STEPS = 50_000_000

/** The nodes of a source by their labels. */
export class LabelIndex {
  readonly #report: Report
  // In the order of source; the ones at the front may have lost the label since.
  readonly #nodes = new Map<string, SourceNode[]>()
  #steps = 0

  constructor(report: Report) {
    this.#report = report
  }

  // #region dts-labels-add
  /**
   * Takes in the labels of `fresh` and of all below it, after `fresh` was merged into `into`; both are the same node
   * when it is new. Of two nodes with one label the first stays, as long as it has it.
   */
  add(fresh: SourceNode, into: SourceNode): void {
    for (const name of fresh.labels.keys()) {
      const nodes = this.#nodes.get(name)
      if (nodes) nodes.push(into)
      else this.#nodes.set(name, [into])
    }
    for (const child of fresh.children) {
      // A child that was new has moved to `into`; one that was not has been merged into the child of its name.
      const target = child.parent === into ? child : into.childByName.get(child.name)
      if (target && !child.deleted) this.add(child, target)
    }
  }
  // #endregion dts-labels-add

  // #region dts-labels-find
  /** The node that `reference`, a label or a path with its slash, points to; null when there is none. */
  find(root: SourceNode, reference: string, place: Place): SourceNode | null {
    if (!reference.startsWith('/')) return this.#live(reference)
    let node: SourceNode | null = root.deleted ? null : root
    for (const name of reference.split('/').filter(Boolean)) {
      if (node?.childByName.get(name)?.deleted) this.#steps += node.children.length
      if (this.#steps > MAX_STEPS) {
        stop(
          this.#report,
          place,
          `references to paths looked at ${this.#steps} nodes; expected at most ${MAX_STEPS}`,
        )
      }
      node = node && liveChild(node, name)
    }
    return node
  }

  /** Reports `dts-unknown-label` for a reference that `find` gave null for. */
  reportUnknown(reference: string, place: Place): void {
    if (reference.startsWith('/')) {
      this.#report(
        'dts-unknown-label',
        place,
        `no node has the path ${reference.slice(0, 200)}; expected one that is defined`,
      )
      return
    }
    const near = this.#nearest(reference)
    const note = near ? `Did you mean &${near}?` : undefined
    this.#report(
      'dts-unknown-label',
      place,
      `no node has the label ${reference.slice(0, 200)}; expected one that is defined`,
      note,
    )
  }

  #live(label: string): SourceNode | null {
    const nodes = this.#nodes.get(label)
    // A label that was lost does not come back by itself: `add` would have been called again.
    while (nodes?.[0] && (nodes[0].deleted || !nodes[0].labels.has(label))) nodes.shift()
    return nodes?.[0] ?? null
  }

  // A name that is very long or very different is not worth the time.
  #nearest(label: string): string | null {
    const likely = (name: string): boolean => name.length <= 64 && Math.abs(name.length - label.length) <= 16
    const names = [...this.#nodes.keys()].slice(0, 2000).filter((name) => likely(name) && this.#live(name))
    return nearestWord(label, names)
  }
  // #endregion dts-labels-find
}
// #endregion dts-labels

// #region dts-path-size
const MAX_PATHS = 16 * 1024 * 1024

/** Counts the bytes of the paths that references turn into: two characters of source may become a long one. */
export class PathSize {
  readonly #report: Report
  #bytes = 0

  constructor(report: Report) {
    this.#report = report
  }

  /** Counts `bytes` more, for the reference at `place`; stops above 16 MiB. */
  add(bytes: number, place: Place): void {
    this.#bytes += bytes
    if (this.#bytes <= MAX_PATHS) return
    stop(
      this.#report,
      place,
      `the paths of references have ${this.#bytes} bytes; expected at most ${MAX_PATHS}`,
    )
  }
}
// #endregion dts-path-size
