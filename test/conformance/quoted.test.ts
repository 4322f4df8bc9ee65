// SPDX-License-Identifier: MIT
//
// What the chapters and appendices quote of a kernel, looked for in a live boot of that lab on that kernel. The lab
// `carving` is left to carving.test.ts, where it is booted anyway.
import { beforeAll, describe, expect, it } from 'vitest'
import type { KernelName } from '../../code/lab/kernels.ts'
import type { Lab } from '../../code/lab/lab_file.ts'
import { listLabs } from '../../code/lab/lab_list.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'
import { labsOf, missingLines, quotingFiles, type Transcript, transcripts } from './transcripts.ts'

const missing = boardIsMissing()

interface Quoted {
  readonly lab: Lab
  readonly kernel: KernelName
  readonly told: (Transcript & { readonly chapter: string })[]
}

/** What the book quotes, by lab and kernel: each boot is booted once, whoever quotes it. */
function quotedInBook(): Quoted[] {
  const labs = listLabs(root)
  const found = new Map<string, Quoted>()
  for (const chapter of quotingFiles()) {
    for (const transcript of transcripts(chapter)) {
      for (const lab of labsOf(transcript, chapter, labs)) {
        const kernel = lab.kernels.find((name) => name === transcript.kernel)!
        const key = `${lab.name} ${kernel}`
        const quoted = found.get(key) ?? { lab, kernel, told: [] }
        quoted.told.push({ ...transcript, chapter })
        found.set(key, quoted)
      }
    }
  }
  return [...found.values()].filter(({ lab }) => lab.name !== 'carving')
}

describe.skipIf(missing !== null).each(quotedInBook())(
  `$lab.name on Linux $kernel${missing ? ` (${missing})` : ''}`,
  ({ kernel, lab, told }) => {
    let boots: readonly BootResult[] = []

    beforeAll(async () => {
      const names = [...new Set(told.flatMap(({ boots }) => boots))]
      boots = (await runLab(lab, { kernels: [kernel], boots: names })).boots
    }, 900_000)

    it.each(told)('$chapter, line $line: $boots, as it was printed', (transcript) => {
      const found = transcript.boots.map((name) => boots.find(({ boot }) => boot === name)!)
      expect(missingLines(transcript, found)).toEqual([])
    })
  },
)
