// SPDX-License-Identifier: MIT
//
// Behind the buttons of <contig-progress>: the reader's progress as the terminal's progress.json or as a result file, and
// either of them taken up. The terminal's side is `contig results import` and `contig results export`.
import { readBrought } from '../../code/exercise/brought.ts'
import { newPasses } from '../../code/exercise/merge.ts'
import { writeProgress } from '../../code/exercise/record.ts'
import { gatherResults, MAX_BYTES } from '../../code/exercise/result_file.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { fill } from '../client/words.ts'
import type { ExerciseWords } from '../text/en_exercises.ts'
import type { ContigProgress } from './client.ts'
import { fetchData, make } from './parts.ts'
import { isKept } from './shelf.ts'
import { bring, draft, keepDraft, progress } from './store.ts'
import type { CatalogFile } from './types.ts'
import { exerciseWords } from './words.ts'

export async function openPanel(host: ContigProgress): Promise<Panel> {
  const catalog = fetchData<CatalogFile>(host.dataset['catalog'] ?? '')
  return new Panel(host, await exerciseWords(), await catalog)
}

/** Hands the reader a file. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  make('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

export class Panel {
  readonly #host: ContigProgress
  readonly #words: ExerciseWords
  readonly #catalog: CatalogFile

  constructor(host: ContigProgress, words: ExerciseWords, catalog: CatalogFile) {
    this.#host = host
    this.#words = words
    this.#catalog = catalog
  }

  #say(...sentences: string[]): void {
    this.#host.status.textContent = [...sentences, ...(isKept() ? [] : [this.#words.notKept])].join(' ')
  }

  #saved(file: string, passed: number): string {
    return fill(this.#words.saved, { file, passed, all: this.#catalog.exercises.length })
  }

  saveProgress(): void {
    const kept = progress()
    save('progress.json', writeProgress(kept))
    this.#say(
      this.#saved('progress.json', Object.values(kept.exercises).filter(({ passed }) => passed).length),
    )
  }

  saveResults(): void {
    const { courseVersion, exercises } = this.#catalog
    const reader = this.#host.reader.value.trim()
    const { results, changed } = gatherResults({
      progress: progress(),
      exercises: exercises.map(({ id, digest, files }) => ({
        id,
        hand: () => ({ id, digest, files: filesOf(id, files) }),
      })),
      courseVersion,
      ...(reader === '' ? {} : { reader }),
      answers: true,
      now: new Date(),
    })
    save('contiguous-results.json', `${JSON.stringify(results, null, 2)}\n`)
    const without = changed.length > 0 ? [fill(this.#words.savedWithout, { ids: changed.join(', ') })] : []
    this.#say(this.#saved('contiguous-results.json', results.passed.length), ...without)
  }

  async bring(): Promise<void> {
    const [file] = this.#host.file.files ?? []
    if (!file) return
    try {
      await this.#bringFile(file)
    } catch (error) {
      if (!(error instanceof Complaint)) throw error
      this.#say(error.message, ...error.next)
    } finally {
      // The same file again is news too.
      this.#host.file.value = ''
    }
  }

  async #bringFile(file: File): Promise<void> {
    const words = this.#words
    const { exercises } = this.#catalog
    const digests = new Map(exercises.map(({ id, digest }) => [id, digest]))
    // What is too long is refused unread.
    const text = await file.slice(0, MAX_BYTES + 1).text()
    const { progress: theirs, files } = readBrought(text, file.name, (id) => digests.get(id) ?? null)
    const { before, after } = bring(theirs)
    const texts = exercises.flatMap(({ id, files: [name] }) => {
      const given = name === undefined ? undefined : files[id]?.[name]
      if (given === undefined || draft(id) !== null) return []
      keepDraft(id, given)
      return [id]
    })
    const passes = Object.values(theirs.exercises).filter(({ passed }) => passed).length
    this.#say(
      fill(words.brought, { file: file.name, passes, fresh: newPasses(before, after).length }),
      ...(texts.length > 0 ? [fill(words.broughtTexts, { ids: texts.join(', ') })] : []),
      ...(after.seed !== undefined && after.seed !== before.seed
        ? [fill(words.broughtSeed, { seed: after.seed })]
        : []),
    )
  }
}

/** The reader's text of an exercise as its files; none of a question, null when there is no text. */
function filesOf(id: string, [name]: readonly string[]): Record<string, string> | null {
  if (name === undefined) return {}
  const text = draft(id)
  return text === null ? null : { [name]: text }
}
