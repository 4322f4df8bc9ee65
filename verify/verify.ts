// SPDX-License-Identifier: MIT
//
// The book checks itself. Bundled to dist/verify.js, which `contig verify` loads: the checks lean on site/, and nothing in
// code/ may. The tests call the same checks one by one.
import { loadExercises } from '../code/exercise/catalog.ts'
import { listLabs } from '../code/lab/lab_list.ts'
import { Complaint } from '../code/lib/complaint.ts'
import { nearestWord } from '../code/lib/nearest_word.ts'
import { checkFootnotes, readClaims } from '../site/claims/claims.ts'
import { readCoverage } from '../site/coverage/coverage.ts'
import { readChapters } from '../site/weave/chapters.ts'
import { cellsReport } from './cells.ts'
import { checkClaimsInSources } from './claims.ts'
import { checkCoverage, countPlaces } from './coverage.ts'
import { exercisesReport } from './exercises.ts'
import { linksReport } from './links.ts'
import { proseReport } from './prose.ts'
import type { CheckContext, CheckReport } from './report.ts'
import { spellingReport } from './spelling.ts'
import { weaveReport } from './weave.ts'

export { chapterFigures, formatFigures } from './table.ts'

/** Footnotes and claims, and then the sources of both kernels; without Debian's archive the second part is skipped. */
async function claimsReport({ root, progress, signal }: CheckContext): Promise<CheckReport> {
  const { chapters } = readChapters(root)
  const claims = readClaims(root, chapters)
  const fitting = [...claims.diagnostics, ...checkFootnotes(chapters, claims)]
  const counts = { claims: claims.byId.size }
  try {
    const tell = ({ title, state }: { title: string; state: string }): void => {
      if (state === 'start') progress(title)
    }
    const { diagnostics, assertions } = await checkClaimsInSources(claims, tell, signal)
    return { diagnostics: [...fitting, ...diagnostics], counts: { ...counts, 'looked up': assertions } }
  } catch (error) {
    if (!(error instanceof Complaint) || error.exitCode !== 4) throw error
    return { diagnostics: fitting, counts, skipped: [`claims in the kernel's sources: ${error.message}`] }
  }
}

function coverageReport({ root }: CheckContext): CheckReport {
  const coverage = readCoverage(root)
  const { chapters } = readChapters(root)
  const material = { root, chapters, exercises: loadExercises(root), labs: listLabs(root) }
  return { diagnostics: checkCoverage(coverage, material), counts: { ...countPlaces(coverage) } }
}

/** Cheapest first. */
const CHECKS: Readonly<Record<string, (context: CheckContext) => CheckReport | Promise<CheckReport>>> = {
  weave: weaveReport,
  coverage: coverageReport,
  prose: proseReport,
  spelling: spellingReport,
  cells: cellsReport,
  claims: claimsReport,
  links: linksReport,
  exercises: exercisesReport,
}

export interface NamedReport extends CheckReport {
  readonly check: string
  readonly passed: boolean
  readonly seconds: number
}

/** The names of the checks to run, all of them when none is named. @throws Complaint (2) offering the nearest name */
export function chosenChecks(only: readonly string[]): string[] {
  const names = Object.keys(CHECKS)
  for (const name of only) {
    if (names.includes(name)) continue
    const near = nearestWord(name, names)
    throw new Complaint({
      text: `there is no check ${name}`,
      exitCode: 2,
      next: [near ? `did you mean ${near}?` : `there are: ${names.join(', ')}`],
    })
  }
  return only.length > 0 ? names.filter((name) => only.includes(name)) : names
}

/** Runs the checks one after the other; `told` hears of each when it is done. */
export async function verify(
  context: CheckContext,
  only: readonly string[],
  told: (report: NamedReport) => void,
): Promise<NamedReport[]> {
  const reports: NamedReport[] = []
  for (const check of chosenChecks(only)) {
    const began = performance.now()
    const report = await CHECKS[check]!({
      ...context,
      progress: (doing) => context.progress(`${check}: ${doing}`),
    })
    const passed = report.diagnostics.every(({ severity }) => severity !== 'error')
    const named = { ...report, check, passed, seconds: (performance.now() - began) / 1000 }
    told(named)
    reports.push(named)
  }
  return reports
}
