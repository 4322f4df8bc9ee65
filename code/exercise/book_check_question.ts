// SPDX-License-Identifier: MIT
//
// The book checks its questions, each asked with many seeds: one whose numbers never change, whose answer cannot be read,
// or whose wrong answer is never told from another is a diagnostic.
import type { Diagnostic } from '../lib/diagnostic.ts'
import { askMany } from './ask.ts'
import { checkRead, collect, type Report } from './book_report.ts'
import type { Exercise } from './catalog.ts'
import { judgeAnswer, readings, sameAnswer, type Question } from './question.ts'

/** Seeds that a question is asked with. */
export const PROOF_SEEDS: readonly number[] = Array.from({ length: 50 }, (_, i) => i * 19_937 + 1)
/** So many texts must differ, and so many answers. */
const DIFFERENT_TEXTS = 8
const DIFFERENT_ANSWERS = 2

const FILE = 'question.ts'

/** Asks the question with each seed and looks at what came. */
export async function checkQuestion(
  exercise: Exercise,
  root: string,
  seeds: readonly number[] = PROOF_SEEDS,
  limitMs?: number,
): Promise<Diagnostic[]> {
  const { diagnostics, report } = collect(exercise, root)
  let asked: Question[]
  try {
    const how = { root, seeds, ...(limitMs === undefined ? {} : { limitMs }) }
    asked = await askMany(exercise, how)
    const again = await askMany(exercise, how)
    if (JSON.stringify(asked) !== JSON.stringify(again))
      report(
        'exercise-question-chance',
        FILE,
        'asks otherwise the second time; expected chance from rng alone',
      )
  } catch (error) {
    report('exercise-question-throws', FILE, error instanceof Error ? error.message : String(error))
    return diagnostics
  }
  checkDraws(asked, report)
  asked.forEach((question, i) => checkOne(question, seeds[i] ?? 0, report))
  checkWrong(asked, report)
  const headings = asked.flatMap(({ read, wrong }) => wrong.map((each) => each.read ?? read))
  for (const read of new Set(headings)) if (read !== undefined) checkRead(exercise, read, FILE, report)
  return [...new Map(diagnostics.map((each) => [`${each.rule} ${each.text}`, each])).values()]
}

function checkDraws(asked: readonly Question[], report: Report): void {
  const count = (of: (question: Question) => string) => new Set(asked.map(of)).size
  const texts = count(({ text }) => text)
  const answers = count(({ answer }) => answer)
  if (texts < DIFFERENT_TEXTS) {
    const text = `${asked.length} seeds give ${texts} texts; expected at least ${DIFFERENT_TEXTS}`
    report('exercise-question-same', FILE, text)
  }
  if (answers < DIFFERENT_ANSWERS) {
    const text = `${asked.length} seeds give ${answers} answer; expected at least ${DIFFERENT_ANSWERS}`
    report('exercise-question-same', FILE, text)
  }
}

function checkOne(question: Question, seed: number, report: Report): void {
  const { kind, answer, wrong } = question
  for (const each of [answer, ...wrong.map((one) => one.answer)]) {
    if (readings(kind, each).length === 0)
      report('exercise-question-kind', FILE, `seed ${seed}: “${each}” is no answer of kind ${kind}`)
  }
  if (judgeAnswer(question, answer))
    report('exercise-solution-fails', FILE, `seed ${seed}: its own answer ${answer} is judged wrong`)
}

// Over most seeds a wrong answer is wrong and gets its own diagnosis.
function checkWrong(asked: readonly Question[], report: Report): void {
  const rules = new Set(asked.flatMap(({ wrong }) => wrong.map(({ rule }) => rule)))
  if (rules.size < 2)
    report('exercise-wrong-answers', FILE, `${rules.size} wrong answers; expected at least 2`)
  for (const rule of rules) {
    const seen = asked.flatMap((question) =>
      question.wrong.filter((each) => each.rule === rule).map((each) => ({ question, each })),
    )
    if (seen.length > asked.length)
      report('exercise-wrong-answers', FILE, `${rule}: two wrong answers share it`)
    const right = seen.filter(({ question, each }) => sameAnswer(question.kind, each.answer, question.answer))
    const own = seen.filter(({ question, each }) => judgeAnswer(question, each.answer)?.rule === rule)
    if (own.length * 2 > asked.length) continue
    const others = new Set(seen.map(({ question, each }) => judgeAnswer(question, each.answer)?.rule))
    others.delete(rule)
    others.delete(undefined)
    report(
      'exercise-other-diagnosis',
      FILE,
      `${rule}: over ${asked.length} seeds ${seen.length} times given, ${right.length} times right` +
        `, ${own.length} times diagnosed; expected more than half` +
        (others.size > 0 ? `; taken for ${[...others].join(', ')}` : ''),
    )
  }
}
