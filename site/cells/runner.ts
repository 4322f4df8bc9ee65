// SPDX-License-Identifier: MIT
//
// From code to its end, in the page: types off, models by their addresses, a run, and the reader's own line for what went
// wrong. Loaded at the first run, with the list of the models.
import type { CellWords } from './cell_words.ts'
import { CellMistake, type Models, rewriteImports } from './imports.ts'
import { type PageRun, runInPage } from './run_page.ts'
import { withLine } from './sandbox.ts'
import { CELL_LIMITS, type CellEnd } from './types.ts'

/** Put in by build.ts, as JSON. */
declare const CELL_ASSETS: string
/** Addresses of the built files, relative to this one. */
const built = JSON.parse(CELL_ASSETS) as { worker: string; modules: Record<string, string> }

const beside = (path: string): string => new URL(path, import.meta.url).href

const models: Models = {
  names: Object.keys(built.modules),
  addressOf: (specifier) =>
    Object.hasOwn(built.modules, specifier) ? beside(built.modules[specifier] ?? '') : null,
}

/** Models by name again, in a message of the engine that gives their addresses. */
function withoutAddresses(text: string): string {
  return text.replace(/https?:\/\/[^\s'"]+\.js/g, (address) => {
    return models.names.find((name) => models.addressOf(name) === address) ?? address
  })
}

async function stripped(code: string): Promise<string> {
  const { stripTypes } = await import('./strip.ts')
  return stripTypes(code)
}

/** The end with the reader's own line, also where the engine gives none. */
async function placed(found: CellEnd, code: string, module: string, words: CellWords): Promise<CellEnd> {
  const end = withLine(found, code)
  if (end.kind !== 'error') return end
  const told = { ...end, text: withoutAddresses(end.text) }
  if (end.line > 0 || !end.text.startsWith('SyntaxError')) return told
  const { earlyError } = await import('./early_error.ts')
  return { ...told, ...(await earlyError(module, words)) }
}

/** Starts `code`, its types taken off. */
export async function startRun(
  code: string,
  words: CellWords,
  onOutput: (text: string) => void,
): Promise<PageRun> {
  try {
    const prepared = rewriteImports(await stripped(code), models, words)
    const request = { module: prepared.code, models: prepared.models }
    const { result, stop } = runInPage(beside(built.worker), request, CELL_LIMITS, words, onOutput)
    const whole = result.then(async (run) => ({
      ...run,
      end: await placed(run.end, code, prepared.code, words),
    }))
    return { result: whole, stop }
  } catch (error) {
    if (!(error instanceof CellMistake)) throw error
    const end: CellEnd = { kind: 'error', text: error.message, line: error.line }
    return { result: Promise.resolve({ output: '', end }), stop: () => undefined }
  }
}
