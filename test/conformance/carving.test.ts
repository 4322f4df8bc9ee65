// SPDX-License-Identifier: MIT
//
// Chapter 2 against real kernels. Each tree of the lab is booted on Debian's 6.1 and 6.12 and on the model, in this run;
// nothing here is a stored copy. Then every transcript in the chapter is looked for in what those boots said.
import { beforeAll, describe, expect, it } from 'vitest'
import { compareModel } from '../../code/lab/model_beside.ts'
import { findLab } from '../../code/lab/lab_list.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { root } from '../support/files.ts'
import { boardIsMissing } from '../support/board.ts'
import { labsOf, missingLines, quotingFiles, type Transcript, transcripts } from './transcripts.ts'

const missing = boardIsMissing()
const lab = findLab(root, 'carving')
const kernels = ['6.1', '6.12'] as const
const cases = kernels.flatMap((series) => lab.boots.map(({ name }) => ({ series, name })))
const told = quotingFiles().flatMap((chapter) =>
  transcripts(chapter)
    .filter((transcript) => labsOf(transcript, chapter, [lab]).length > 0)
    .map((transcript) => ({ ...transcript, chapter })),
)

describe.skipIf(missing !== null)(`chapter 2 on real kernels${missing ? ` (${missing})` : ''}`, () => {
  const boots = new Map<string, BootResult>()
  const bootOf = (series: string, name: string): BootResult => {
    const boot = boots.get(`${series} ${name}`)
    if (!boot) throw new Error(`no boot ${name} on ${series}`)
    return boot
  }

  beforeAll(async () => {
    const result = await runLab(lab, { kernels, compare: compareModel })
    for (const boot of result.boots) boots.set(`${boot.series} ${boot.boot}`, boot)
    const lines = result.boots.reduce((sum, boot) => sum + (boot.compared?.compared ?? 0), 0)
    const different = result.boots.reduce((sum, boot) => sum + (boot.compared?.different.length ?? 0), 0)
    console.log(`conformance: ${result.boots.length} boots, ${lines} lines compared, ${different} different`)
  }, 1_200_000)

  it.each(cases)(
    '$name on $series: the model and the kernel say the same (MC-5.9, MC-12.7)',
    ({ series, name }) => {
      const { compared } = bootOf(series, name)
      expect(compared?.different).toEqual([])
      expect(compared?.compared).toBeGreaterThan(5)
    },
  )

  it.each(cases)('$name on $series: the lab finds all that it expects', ({ series, name }) => {
    const failed = bootOf(series, name).checks.filter(({ ok }) => !ok)
    expect(failed).toEqual([])
  })

  it('compareModel() notices one changed line of the log, and one of /proc/iomem', () => {
    const boot = bootOf('6.12', 'camera-pool')
    const otherLog = boot.bootLog!.map((line) => line.replace('size 512 MiB', 'size 511 MiB'))
    const otherIomem = boot.iomem.replace('c0000000-dfffffff : reserved', 'c0000000-dffffffe : reserved')
    expect(otherLog).not.toEqual(boot.bootLog)
    expect(otherIomem).not.toBe(boot.iomem)
    expect(compareModel({ ...boot, bootLog: otherLog }).different).toHaveLength(1)
    expect(compareModel({ ...boot, iomem: otherIomem }).different).toHaveLength(1)
  })

  it.each(told)('$chapter, line $line was recorded: $boots on $kernel', (transcript: Transcript) => {
    const boots = transcript.boots.map((name) => bootOf(transcript.kernel, name))
    expect(missingLines(transcript, boots)).toEqual([])
  })
})
