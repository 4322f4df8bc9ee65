// SPDX-License-Identifier: MIT
//
// What the chapters quote of a kernel, looked for in a live boot of that lab on that kernel. Chapter 2's quotes are looked
// for in carving.test.ts, where its lab is booted anyway.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { isSeries } from '../../code/lab/kernel_choice.ts'
import type { Series } from '../../code/lab/kernels.ts'
import type { Lab } from '../../code/lab/lab_file.ts'
import { listLabs } from '../../code/lab/lab_list.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'
import { missingLines, type Transcript, transcripts } from './transcripts.ts'

const missing = boardIsMissing()

interface Quoted {
  readonly chapter: string
  readonly kernel: Series
  readonly lab: Lab
  readonly told: readonly Transcript[]
}

/** What a chapter quotes, by lab and kernel. */
function quotedIn(chapter: string, labs: readonly Lab[]): Quoted[] {
  const told = transcripts(chapter)
  return labs.flatMap((lab) =>
    lab.kernels.filter(isSeries).flatMap((kernel) => {
      const here = told.filter(
        (each) => each.kernel === kernel && lab.boots.some(({ name }) => name === each.boot),
      )
      return here.length > 0 ? [{ chapter, kernel, lab, told: here }] : []
    }),
  )
}

const labs = listLabs(root)
const chapterOf = ({ file }: Lab): string => `${file.split('/').slice(0, 2).join('/')}/index.md`
const chapters = [...new Set(labs.map(chapterOf))].filter((chapter) => existsSync(join(root, chapter)))
const quoted = chapters.flatMap((chapter) =>
  quotedIn(
    chapter,
    labs.filter((lab) => chapterOf(lab) === chapter),
  ),
)

it('every quote names a boot of its chapter’s labs', () => {
  for (const chapter of chapters) {
    const found = quoted.filter((each) => each.chapter === chapter).flatMap(({ told }) => told)
    expect(found.map(({ line }) => line).sort()).toEqual(
      transcripts(chapter)
        .map(({ line }) => line)
        .sort(),
    )
  }
})

describe.skipIf(missing !== null).each(quoted.filter(({ lab }) => lab.name !== 'carving'))(
  `$chapter quotes $lab.name on Linux $kernel${missing ? ` (${missing})` : ''}`,
  ({ kernel, lab, told }) => {
    let boots: readonly BootResult[] = []

    beforeAll(async () => {
      const names = [...new Set(told.map(({ boot }) => boot))]
      boots = (await runLab(lab, { kernels: [kernel], boots: names })).boots
    }, 900_000)

    it.each(told)('line $line: $boot, as it was printed', (transcript) => {
      const found = boots.find(({ boot }) => boot === transcript.boot)!
      expect(missingLines(transcript, found)).toEqual([])
    })
  },
)
