// SPDX-License-Identifier: MIT
//
// What the page of the movie gets when the site is built: the model's trace, made now, the kernel's, as it was recorded,
// both as plain text; and the first frame of the model's film as HTML.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatTrace } from '../../../code/lib/trace_format.ts'
import { parseScenario } from '../../../code/machine/scenario_parse.ts'
import { runScenario } from '../../../code/machine/scenario_run.ts'
import { formatDiagnostic } from '../../../code/lib/diagnostic.ts'
import { escapeHtml } from '../../html.ts'
import { readText, root } from '../../paths.ts'
import { enMovie } from '../../text/en_movie.ts'
import { openFilm } from './frame.ts'
import { cutFilms } from './film.ts'
import { movieKey, movieStage } from './picture.ts'
import { sentenceOfStep } from './sentence.ts'
import { PLAYED } from './film_fields.ts'
import { LIMITS, openTraceReader } from './trace_reader.ts'

/** The scenario and the kernel that it runs on. */
export const MODEL_SCENARIO = 'chapters/13-watching-it-happen/scenarios/one-page-in-a-pipe.yaml'
const KERNEL = '6.12.117'
/** What that kernel recorded when the lab did the same. */
export const RECORDED_TRACE = 'site/widgets/movie/traces/cma-trace-busy-6.12.txt'

/** What the page of the movie is made of. */
export interface MoviePage {
  readonly html: string
  /** Addresses of the two traces. */
  readonly traces: Readonly<Record<keyof typeof enMovie.samples, string>>
}

/** The model's trace of the scenario, as its kernel prints it. Throws when the scenario does not hold. */
export function modelTrace(): string {
  const { scenario, diagnostics } = parseScenario(readText(MODEL_SCENARIO), MODEL_SCENARIO)
  const report = scenario && runScenario(scenario, { kernel: KERNEL })
  if (report?.verdict === 'passed') return formatTrace(report.trace, KERNEL)
  throw new Error([...diagnostics, ...(report?.diagnostics ?? [])].map(formatDiagnostic).join('\n'))
}

/** Writes the traces into `outDir/assets/`. Null where there is no scenario, and so no movie: a sample for the tests. */
export function buildMovie(outDir: string): MoviePage | null {
  if (!existsSync(join(root, MODEL_SCENARIO))) return null
  const model = modelTrace()
  const write = (name: string, text: string): string => {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 8)
    mkdirSync(join(outDir, 'assets'), { recursive: true })
    writeFileSync(join(outDir, 'assets', `${name}-${hash}.txt`), text)
    return `/assets/${name}-${hash}.txt`
  }
  const traces = {
    model: write('trace-model', model),
    recorded: write('trace-recorded', readText(RECORDED_TRACE)),
  }
  return { html: movieHtml(model), traces }
}

function movieHtml(trace: string): string {
  const reader = openTraceReader(LIMITS, PLAYED)
  reader.push(trace)
  const film = cutFilms(reader.end().kept)[0]!
  const first = openFilm(film)(0)
  return [
    `<figure class="widget movie"><contig-movie data-frames="${film.steps.length}">`,
    `<div class="movie-stage">${movieStage(film, first, enMovie)}</div>`,
    `<p class="widget-said">${escapeHtml(sentenceOfStep(first.step, enMovie))}</p>`,
    '<p class="movie-status" role="status"></p></contig-movie>',
    `<figcaption>${movieKey(enMovie)}</figcaption></figure>`,
  ].join('\n')
}
