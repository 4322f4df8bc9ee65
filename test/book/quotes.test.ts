// SPDX-License-Identifier: MIT
//
// Every quote of a kernel or a program can be looked for, and the looking can fail. The boots themselves are in
// test/conformance/.
import { describe, expect, it } from 'vitest'
import { listLabs } from '../../code/lab/lab_list.ts'
import {
  labsOf,
  missingLines,
  quotingFiles,
  type Transcript,
  transcripts,
  untold,
} from '../conformance/transcripts.ts'
import { root } from '../support/files.ts'

const labs = listLabs(root)

describe.each(quotingFiles())('%s', (chapter) => {
  it('names for each quote a boot of exactly one lab, on a kernel of that lab', () => {
    const wrong = transcripts(chapter).filter((each) => labsOf(each, chapter, labs).length !== 1)
    expect(wrong.map(({ line }) => line)).toEqual([])
  })

  it('says of every other transcript what was typed, or by a title whose words it holds', () => {
    expect(untold(chapter)).toEqual([])
  })
})

describe('missingLines()', () => {
  const boot = {
    dmesg: ['cma: Reserved 16 MiB', 'Memory: 98324K/524288K available'],
    iomem: '40000000-5fffffff : System RAM',
    console: [
      '|# pinned: 1 of 20 loops failed',
      '|  sh-150  [000] .N... 3.5: x',
      '|  sh-150     [000] .N...     3.733046: cma_alloc_finish: name=reserved pfn=0x50300 page=000000005979b3c5 count=8',
    ].join('\n'),
  }
  const missing = (lines: string[], numbersVary = false): string[] => {
    const transcript: Transcript = { line: 1, lab: null, boots: ['b'], kernel: '6.12', numbersVary, lines }
    return missingLines(transcript, [boot])
  }

  it('finds what was printed, in this order and in no other', () => {
    expect(missing(['cma: Reserved 16 MiB', '40000000-5fffffff : System RAM'])).toEqual([])
    expect(missing(['Memory: 98324K/524288K available', 'cma: Reserved 16 MiB'])).toEqual([
      'cma: Reserved 16 MiB',
    ])
  })

  it('finds a trace event without its columns and its hashed page', () => {
    expect(missing(['cma_alloc_finish: name=reserved pfn=0x50300 count=8'])).toEqual([])
    expect(missing(['cma_alloc_finish: name=reserved pfn=0x50400 count=8'])).not.toEqual([])
  })

  it('looks for whatever stands in the place of an ellipsis, and for nothing else', () => {
    expect(missing(['Memory: …K/524288K available'])).toEqual([])
    expect(missing(['Memory: …K/524289K available'])).not.toEqual([])
  })

  it('compares words when numbers vary', () => {
    expect(missing(['# pinned: 2 of 30 loops failed'], true)).toEqual([])
    expect(missing(['# pinned: 2 of 30 loops failed'])).not.toEqual([])
    expect(missing(['# pinned: none of 30 loops failed'], true)).not.toEqual([])
  })
})
