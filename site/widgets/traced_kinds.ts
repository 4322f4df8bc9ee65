// SPDX-License-Identifier: MIT
//
// The kinds of widget that play a trace of a board beside what the models do; the others say that they do not.
import type { FilmKind } from './kinds_frames.ts'

export const TRACED_KINDS = ['cma-bitmap', 'three-addresses'] as const satisfies readonly FilmKind[]
export type TracedKind = (typeof TRACED_KINDS)[number]

export function isTraced(kind: string): kind is TracedKind {
  return (TRACED_KINDS as readonly string[]).includes(kind)
}
