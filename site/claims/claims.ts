// SPDX-License-Identifier: MIT
//
// The claims of the whole book, and whether footnotes and claims fit together. An id is unique in the book; a chapter may
// refer to a claim of another. Whether a claim is true of the kernels it names is not asked here: that takes their sources
// (verify/claims.ts).
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import { nearestWord } from '../../code/lib/nearest_word.ts'
import { diagnoseIssues, readYaml, type Locate } from '../../code/lib/yaml_schema.ts'
import type { Chapter } from '../weave/types.ts'
import { footnotesIn } from './references.ts'
import { type Claim, ClaimSchema } from './schema.ts'

export interface PlacedClaim {
  readonly id: string
  readonly claim: Claim
  readonly file: string
  /** Line of the id; `locate` has those of everything below it. */
  readonly line: number
  readonly locate: Locate
}

export interface Claims {
  readonly byId: ReadonlyMap<string, PlacedClaim>
  /** Every id that a file has, of claims that cannot be read too: one mistake gives one message. */
  readonly ids: ReadonlySet<string>
  readonly diagnostics: readonly Diagnostic[]
}

const ID = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

export const claimsFile = (chapter: Pick<Chapter, 'slug'>): string => `chapters/${chapter.slug}/claims.yaml`

interface ParsedClaims {
  readonly claims: PlacedClaim[]
  readonly ids: readonly string[]
  readonly diagnostics: Diagnostic[]
}

/**
 * One file. Rules: `claims-yaml`, `claims-unknown-key`, `claims-missing-key`, `claims-value` (of the schema), `claims-id`
 * (an id that is not kebab-case).
 */
export function parseClaims(text: string, file: string): ParsedClaims {
  const { data, problems, locate } = readYaml(text, 'claims')
  const placed = (found: readonly Omit<Diagnostic, 'file'>[]): Diagnostic[] =>
    found.map((each) => ({ ...each, file }))
  if (problems.length > 0) {
    const ids = [...text.matchAll(/^([\w-]+):/gm)].map((match) => match[1]!)
    return { claims: [], ids, diagnostics: placed(problems) }
  }
  const ids = Object.keys(typeof data === 'object' && data !== null ? data : {})
  const schema = z.strictObject(Object.fromEntries(ids.map((id) => [id, ClaimSchema])))
  const parsed = schema.safeParse(data ?? {})
  const diagnostics = placed(
    parsed.success ? [] : diagnoseIssues({ schema, kind: 'claims', data, locate }, parsed.error.issues),
  )
  const claims: PlacedClaim[] = []
  for (const id of ids) {
    const { line, column } = locate([id], 'key')
    if (!ID.test(id)) {
      const text = `claim id "${id}" is not kebab-case`
      diagnostics.push({ rule: 'claims-id', severity: 'error', file, line, column, text })
    }
    const claim = ClaimSchema.safeParse((data as Record<string, unknown>)[id])
    if (claim.success) claims.push({ id, claim: claim.data, file, line, locate })
  }
  return { claims, ids, diagnostics }
}

/** The claims of every chapter that has some. Beside the rules above: `claims-duplicate`. */
export function readClaims(root: string, chapters: readonly Chapter[]): Claims {
  const byId = new Map<string, PlacedClaim>()
  const ids = new Set<string>()
  const diagnostics: Diagnostic[] = []
  for (const chapter of chapters) {
    const file = claimsFile(chapter)
    if (!existsSync(join(root, file))) continue
    const read = parseClaims(readFileSync(join(root, file), 'utf8'), file)
    diagnostics.push(...read.diagnostics)
    for (const id of read.ids) ids.add(id)
    for (const placed of read.claims) {
      const first = byId.get(placed.id)
      if (!first) byId.set(placed.id, placed)
      else {
        const text = `claim ${placed.id} is already at ${first.file}:${first.line}`
        const note = 'An id is unique in the book: refer to that claim, or name this one for what it says.'
        diagnostics.push({
          rule: 'claims-duplicate',
          severity: 'error',
          file,
          ...placed.locate([placed.id], 'key'),
          text,
          note,
        })
      }
    }
  }
  return { byId, ids, diagnostics }
}

/**
 * Footnotes against claims. Rules: `claims-unknown` (a footnote that is neither a claim nor written out),
 * `claims-unused` (a claim that no written chapter refers to), `claims-twice` (a claim that is written out as well).
 */
export function checkFootnotes(chapters: readonly Chapter[], { byId, ids }: Claims): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const used = new Set<string>()
  for (const { file, markdown } of chapters) {
    const { references, definitions } = footnotesIn(markdown)
    const own = new Set(definitions.map(({ id }) => id))
    for (const { id, line, column } of references) {
      used.add(id)
      if (own.has(id) || ids.has(id)) continue
      const near = nearestWord(id, [...ids, ...own])
      const note = near ? `Is it ${near}?` : 'Write the claim in claims.yaml beside this chapter.'
      const text = `no claim has the id ${id}`
      diagnostics.push({ rule: 'claims-unknown', severity: 'error', file, line, column, text, note })
    }
    for (const { id, line, column } of definitions) {
      const claim = byId.get(id)
      if (!claim) continue
      const text = `footnote ${id} is written out, and is a claim at ${claim.file}:${claim.line}`
      diagnostics.push({ rule: 'claims-twice', severity: 'error', file, line, column, text })
    }
  }
  const planned = new Set(chapters.filter((chapter) => chapter.planned).map(claimsFile))
  for (const { id, file, locate } of byId.values()) {
    if (used.has(id) || planned.has(file)) continue
    const text = `no chapter refers to claim ${id}`
    const note = `Write [^${id}] behind the sentence that it proves.`
    diagnostics.push({ rule: 'claims-unused', severity: 'error', file, ...locate([id], 'key'), text, note })
  }
  return diagnostics
}

/** Everything that is wrong with the claims of these chapters, short of what the kernel says. */
export function checkClaims(root: string, chapters: readonly Chapter[]): Diagnostic[] {
  const claims = readClaims(root, chapters)
  return [...claims.diagnostics, ...checkFootnotes(chapters, claims)]
}
