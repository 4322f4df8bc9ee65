// SPDX-License-Identifier: MIT
//
// Asks a question.ts: bundled by esbuild as a check is, evaluated here under a time limit. No text of the reader's is in
// it, so it needs no worker of its own.
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { z } from 'zod'
import type { Exercise } from './catalog.ts'
import { models } from './bundle.ts'
import { ANSWER_KINDS, seedFor, type Question } from './question.ts'

// A question that starts a machine takes some 50 ms.
const LIMIT_MS = 5000
const LIMIT_MS_EACH = 500

const questionSchema = z.strictObject({
  text: z.string().regex(/\S/, 'expected a text'),
  answer: z.string().regex(/\S/, 'expected an answer'),
  kind: z.enum(ANSWER_KINDS),
  wrong: z
    .array(
      z.strictObject({
        answer: z.string().regex(/\S/, 'expected an answer'),
        rule: z.string().regex(/^ex-[a-z0-9-]+$/, 'expected a rule id such as ex-size-aligned'),
        text: z.string().regex(/\S/, 'expected a text'),
        read: z.string().optional(),
      }),
    )
    .min(2, 'expected at least two wrong answers'),
  read: z.string().optional(),
})

async function bundle(root: string, file: string): Promise<string> {
  const { build } = await import('esbuild')
  const contents = `
import { ask } from ${JSON.stringify(file)}
import { createRng } from 'contiguous/lib/rng'
export const asked = (seeds) => JSON.stringify(seeds.map((seed) => ask(createRng(seed))))
`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'js', sourcefile: 'contig-ask.js' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'contigQuestion',
    platform: 'neutral',
    target: 'node20',
    logLevel: 'silent',
    plugins: [models(root)],
  })
  return outputFiles[0]!.text
}

export interface AskOptions {
  readonly root: string
  /** The readers'. */
  readonly seeds: readonly number[]
  /** Milliseconds that all of them may take together. */
  readonly limitMs?: number
}

/** The question for each of the readers' `seeds`. Throws when question.ts does, or when what it returns is no Question. */
export async function askMany(exercise: Exercise, { root, seeds, limitMs }: AskOptions): Promise<Question[]> {
  const code = await bundle(root, join(exercise.path, 'question.ts'))
  const drawn = JSON.stringify(seeds.map((seed) => seedFor(seed, exercise.id)))
  const asked: unknown = runInThisContext(`(() => {${code}\nreturn contigQuestion.asked(${drawn})})()`, {
    timeout: limitMs ?? LIMIT_MS + LIMIT_MS_EACH * seeds.length,
    filename: `${exercise.id}/question.js`,
  })
  return z.array(questionSchema).parse(JSON.parse(asked as string)) as Question[]
}

/** The question that the reader with this seed gets. */
export async function askOne(exercise: Exercise, how: { root: string; seed: number }): Promise<Question> {
  const [question] = await askMany(exercise, { root: how.root, seeds: [how.seed] })
  return question!
}
