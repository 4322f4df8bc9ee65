// SPDX-License-Identifier: MIT
//
// The numbered contracts (MC-…) and test vectors (TV-…) of the models, and which test titles name which.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/files.ts'

/** What Linux does, that a model must do too. */
export interface Contract {
  readonly id: string
  readonly says: string
  readonly source: readonly string[]
  /** Why no test of a model proves it. */
  readonly unproven?: string
}

/** An input with the outcome it must have. */
export interface Vector {
  readonly id: string
  readonly about: string
  readonly input: string
  readonly expected: string
  /** How the outcome is known. */
  readonly how: string
  readonly source: string
  readonly unproven?: string
}

function read<Key extends string, Row>(file: string, key: Key): Row[] {
  return (JSON.parse(readFileSync(join(root, 'test/contracts', file), 'utf8')) as Record<Key, Row[]>)[key]
}

export const contracts = read<'contracts', Contract>('contracts.json', 'contracts')
export const vectors = read<'vectors', Vector>('vectors.json', 'vectors')

/** Every id, in order, with what it says in a line and why it may be unproven. */
export const rows: { id: string; says: string; unproven?: string }[] = [
  ...contracts,
  ...vectors.map(({ id, input, expected, unproven }) => ({
    id,
    says: `${input} → ${expected}`,
    ...(unproven === undefined ? {} : { unproven }),
  })),
]

/**
 * The ids that a text names: `MC-2.3`, `TV-1 to TV-6`, `TV-1…6`, `MC-2.1, 2.2`. A bare number continues the last prefix.
 */
export function idsIn(text: string): string[] {
  const ids: string[] = []
  const list =
    /\b(MC-\d+\.\d+|TV-\d+)((?:(?:, (?:and )?| and | to |…|–)(?:MC-\d+\.\d+|TV-\d+|\d+\.\d+|\d+)(?![\w.]*\w))*)/g
  for (const [, first, rest] of text.matchAll(list)) {
    const prefix = first!.slice(0, 3)
    ids.push(first!)
    for (const [, joint, next] of rest!.matchAll(/(, (?:and )?| and | to |…|–)((?:MC-|TV-)?[\d.]+)/g)) {
      const id = /^[A-Z]/.test(next!) ? next! : prefix + next!
      if (/ to |…|–/.test(joint!)) ids.push(...between(ids.at(-1)!, id))
      else ids.push(id)
    }
  }
  return [...new Set(ids)]
}

// MC-12.1 to MC-12.4: those behind the first, up to the last.
function between(first: string, last: string): string[] {
  const [, stem, from] = /^(.*?)(\d+)$/.exec(first)!
  const to = Number(/(\d+)$/.exec(last)![1])
  return Array.from({ length: Math.max(to - Number(from), 0) }, (_, i) => `${stem}${Number(from) + i + 1}`)
}
