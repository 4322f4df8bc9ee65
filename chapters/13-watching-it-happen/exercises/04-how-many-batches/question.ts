// SPDX-License-Identifier: MIT
//
// How many mm_migrate_pages events of an allocation moved something. A program's pages lie in the range that is taken; how
// many, the model's counter says.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { parseScenario } from 'contiguous/machine/scenario_parse'
import { runScenario } from 'contiguous/machine/scenario_run'

export function ask(rng: Rng): Question {
  const kernel = oneOf(rng, ['6.1', '6.12'])
  const pages = 300 + rng.next(500)
  const { moved, batches, scans } = ran(kernel, pages)
  return {
    text: [
      `On a board that runs ${kernel} a driver gets 7 MiB out of a CMA area in which a program had some of its pages.`,
      `Nobody else moved pages meanwhile, all went well at the first place, and \`pgmigrate_success\` has risen by ${moved}.`,
      '',
      'How many lines `mm_migrate_pages` with an `nr_succeeded` greater than 0 are in the trace?',
    ].join('\n'),
    kind: 'number',
    read: 'Between start and finish',
    answer: String(batches),
    wrong: [
      {
        rule: 'ex-a-line-a-page',
        answer: String(moved),
        text: 'that would be a line for each page; pages are collected first, and moved together',
      },
      {
        rule: 'ex-last-batch-lost',
        answer: String(Math.floor(moved / 32)),
        text: 'the last batch is a batch too, however few pages are in it',
      },
      {
        rule: 'ex-line-a-scan',
        answer: String(scans),
        text: 'that many times pages were looked at; most of those lines took nothing',
      },
    ],
  }
}

function ran(kernel: string, pages: number) {
  const { scenario } = parseScenario(
    `title: batches
kernels: ['${kernel}']
board: { ram: 32M, cmdline: cma=8M }
steps:
  - process: { comm: editor }
    as: editor
  - fill: { process: editor, pages: ${pages}, in: reserved }
  - cma_alloc: { area: reserved, count: 1792, align: 8 }
`,
    'batches.yaml',
  )
  const records = runScenario(scenario!).steps.at(-1)!.trace
  const calls = records.filter(({ event }) => event === 'mm_migrate_pages')
  const counts = calls.map(({ fields }) => Number(fields['nr_succeeded']))
  return {
    moved: counts.reduce((sum, count) => sum + count, 0),
    batches: counts.filter((count) => count > 0).length,
    scans: records.filter(({ event }) => event === 'mm_compaction_isolate_migratepages').length,
  }
}
