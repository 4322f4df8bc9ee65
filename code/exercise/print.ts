// SPDX-License-Identifier: MIT
//
// What a reader sees of an exercise, as text. Nothing else in this room prints.
import { join } from 'node:path'
import pc from 'picocolors'
import { formatDiagnostic } from '../lib/diagnostic.ts'
import type { Finding } from './check.ts'
import type { Exercise } from './catalog.ts'
import { shortPath } from './places.ts'
import type { RunResult } from './outcome.ts'
import { answerForm, type Asked } from './question.ts'
import { markOf, SIGNS, type Progress } from './record.ts'

const EVIDENCE_LINES = 16

/** One finding: where and what, then what shows it, then what to read again. */
export function formatFinding(exercise: Exercise, finding: Finding, folder: string): string {
  const { evidence = [], read } = finding
  // A path that a terminal can open; an answer to a question has none.
  const place = finding.file === '' ? '' : shortPath(join(folder, finding.file))
  const lines = [
    place === '' ? `${finding.text} [${finding.rule}]` : formatDiagnostic({ ...finding, file: place }),
  ]
  lines.push(...evidence.slice(0, EVIDENCE_LINES).map((line) => `    ${line}`))
  if (evidence.length > EVIDENCE_LINES) lines.push(`    … ${evidence.length - EVIDENCE_LINES} lines more`)
  if (read) lines.push(`  Read again: chapter ${exercise.chapter.number}, “${read}”.`)
  return lines.join('\n')
}

/** The outcome of a check, with the next command. `next` is the exercise after this one, null at the end; `folder` the answer's. */
export function formatResult(
  exercise: Exercise,
  result: RunResult,
  next: Exercise | null,
  folder: string,
): string {
  const lines: string[] = []
  if (result.printed.length > 0) {
    lines.push('Your program printed:', ...result.printed.map((line) => `    ${line}`), '')
  }
  const seconds = `${result.seconds.toFixed(result.seconds < 10 ? 2 : 0)} s`
  if (result.passed) {
    lines.push(pc.green(`ok  ${exercise.number} ${exercise.title}`) + pc.dim(`  ${seconds}`))
    lines.push(...(result.shown ?? []).map((line) => `    ${line}`), '')
    lines.push(`Compare with ours: contig solution ${exercise.id}`)
    lines.push(
      next
        ? `Next: contig do ${next.id}`
        : 'That was the last one: every exercise is done. contig results export FILE',
    )
  } else {
    lines.push(pc.red(`not yet  ${exercise.number} ${exercise.title}`) + pc.dim(`  ${seconds}`))
    for (const finding of result.findings) lines.push(formatFinding(exercise, finding, folder))
    lines.push('', `Next: mend it and save, then contig do ${exercise.id}; or contig hint ${exercise.id}`)
  }
  return lines.join('\n') + '\n'
}

/** A question before it is answered. */
export function formatAsked(exercise: Exercise, { question, seed }: Asked): string {
  const head = `${exercise.number} ${exercise.title}, about ${exercise.minutes} minutes`
  const form = pc.dim(`Expected: ${answerForm(question.kind)}.`)
  return [head + pc.dim(`  seed ${seed}`), '', question.text.trim(), '', form, ''].join('\n')
}

/** What became of an answer; `why` is shown with a right one. */
export function formatJudged(
  exercise: Exercise,
  result: RunResult,
  next: Exercise | null,
  why: string | null,
): string {
  const name = `${exercise.number} ${exercise.title}`
  if (!result.passed) {
    const findings = result.findings.map((finding) => formatFinding(exercise, finding, ''))
    const again = `Next: contig do ${exercise.id} once more; or contig hint ${exercise.id}`
    return [pc.red(`not yet  ${name}`), ...findings, '', again, ''].join('\n')
  }
  const other = `Once more with other numbers: contig do ${exercise.id} --seed N`
  const after = next
    ? `Next: contig do ${next.id}`
    : 'That was the last one: every exercise is done. contig results export FILE'
  return [pc.green(`ok  ${name}`), '', ...(why === null ? [] : [why, '']), other, after, ''].join('\n')
}

/** A table, a line an exercise, with what the marks mean below it. */
export function formatList(exercises: readonly Exercise[], progress: Progress): string {
  const rows = exercises.map((exercise) => {
    const mark = markOf(progress.exercises[exercise.id])
    const id = exercise.id.padEnd(Math.max(...exercises.map((each) => each.id.length)))
    const rest = `${exercise.kind.padEnd(10)} ${String(exercise.minutes).padStart(3)} min  ${'●'.repeat(exercise.difficulty).padEnd(3)}`
    return `${SIGNS[mark]} ${exercise.number.padEnd(5)} ${id}  ${rest}  ${exercise.title}`
  })
  const done = exercises.filter(({ id }) => progress.exercises[id]?.passed).length
  const legend = pc.dim('✓ done   … started   ? solution seen before a pass')
  return [...rows, '', `${done} of ${exercises.length} done   ${legend}`].join('\n') + '\n'
}
