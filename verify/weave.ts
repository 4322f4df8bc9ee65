// SPDX-License-Identifier: MIT
//
// The weave both ways, with its figures.
import { checkLoaded } from '../site/weave/check.ts'
import type { Weave } from '../site/weave/types.ts'
import { loadWeave } from '../site/weave/weave.ts'
import type { CheckContext, CheckReport } from './report.ts'

/** Files of the weave: all, told, promised in the ledger; regions told, and of those the folded ones. */
export function countWeave(weave: Weave): Record<string, number> {
  const fences = weave.chapters.flatMap((chapter) => chapter.fences.filter(({ kind }) => kind === 'weave'))
  const promised = Object.keys(weave.ledger.files).length
  const lines = weave.files.reduce((sum, { lines }) => sum + lines.length, 0)
  const told = weave.files
    .filter(({ file }) => !Object.hasOwn(weave.ledger.files, file))
    .reduce((sum, { lines }) => sum + lines.length, 0)
  return {
    files: weave.files.length,
    promised,
    lines,
    'lines told': told,
    regions: weave.regions.size,
    'regions told': fences.length,
    folded: fences.filter(({ fold }) => fold !== null).length,
  }
}

export function weaveReport({ root }: CheckContext): CheckReport {
  const weave = loadWeave(root)
  return { diagnostics: checkLoaded(weave), counts: countWeave(weave) }
}
