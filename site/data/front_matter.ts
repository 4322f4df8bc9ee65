// SPDX-License-Identifier: MIT
//
// What a chapter says of itself between its first two `---` lines. A wrong key or a missing one fails the build at its line.
import { parse } from 'yaml'
import { z } from 'zod'
import type { Diagnostic } from '../../code/lib/diagnostic.ts'

const FrontMatter = z.strictObject({
  title: z.string().min(1),
  /** For search engines and previews: one or two sentences. */
  description: z.string().min(20).max(300),
  /** The question that the chapter answers, printed under its title. */
  question: z.string().min(1).optional(),
})
const KEYS = Object.keys(FrontMatter.shape)

/** How many lines the front matter takes, both fences included; 0 when there is none. */
export function frontMatterLines(source: string): number {
  return (/^---\n[\s\S]*?\n---\n/.exec(source)?.[0].split('\n').length ?? 1) - 1
}

/** One diagnostic a mistake in the front matter of `source`, the text of `file`. */
export function checkFrontMatter(file: string, source: string): Diagnostic[] {
  const wrong = (line: number, text: string): Diagnostic => ({
    rule: 'front-matter',
    severity: 'error',
    file,
    line,
    column: 1,
    text,
  })
  const head = source.split('\n').slice(0, frontMatterLines(source))
  let given: unknown
  try {
    given = parse(head.slice(1, -1).join('\n')) ?? {}
  } catch (error) {
    return [
      wrong(1, `the front matter is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : ''}`),
    ]
  }
  const parsed = FrontMatter.safeParse(given)
  if (parsed.success) return []
  const lineOf = (key: string): number =>
    Math.max(
      0,
      head.findIndex((line) => line.startsWith(`${key}:`)),
    ) + 1
  return parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) =>
          wrong(lineOf(key), `unknown key '${key}', expected one of ${KEYS.join(', ')}`),
        )
      : [wrong(lineOf(String(issue.path[0] ?? '')), `${String(issue.path[0] ?? '')}: ${issue.message}`)],
  )
}
