// SPDX-License-Identifier: MIT
//
// CmaFree after a program has filled pages of an area and a driver has taken a range of it, from what CmaFree was and from
// what the counters say. The model runs it.
import type { Question, Rng } from 'contiguous/exercise/question'
import { parseScenario } from 'contiguous/machine/scenario_parse'
import { runScenario } from 'contiguous/machine/scenario_run'

export function ask(rng: Rng): Question {
  const pages = 300 + rng.next(700)
  const count = 256 * (2 + rng.next(4))
  const { before, after, moved } = ran(pages, count)
  const kB = 4
  return {
    text: [
      'A board has a CMA area of 16 MiB, plenty of memory besides, and pages of 4 KiB.',
      `\`CmaFree\` says ${before} kB. Then`,
      '',
      `- a program fills ${pages} pages of its own, all of which lie in the area;`,
      `- a driver gets ${count} pages out of the area, and \`pgmigrate_success\` rises by ${moved}. What moved lies outside the area now.`,
      '',
      'All CPUs’ lists have been drained. What does `CmaFree` say, in kB?',
    ].join('\n'),
    kind: 'number',
    read: 'How often, how much',
    answer: String(after),
    wrong: [
      {
        rule: 'ex-programs-do-not-count',
        answer: String(before - kB * count),
        text: 'CmaFree is what nobody uses: a program’s pages are not free either',
      },
      {
        rule: 'ex-moved-twice',
        answer: String(before - kB * (pages + count)),
        text: 'the pages that were in the way are counted twice: they no longer lie in the area',
      },
      {
        rule: 'ex-pages-for-kilobytes',
        answer: String(before - (pages + count - moved)),
        text: '/proc/meminfo counts in kB, and a page has four of them',
      },
      {
        rule: 'ex-drivers-do-not-count',
        answer: String(before - kB * pages),
        text: 'CmaFree falls with what a driver gets, too',
      },
    ],
  }
}

function ran(pages: number, count: number): { before: number; after: number; moved: number } {
  const { scenario } = parseScenario(
    `title: levels
kernels: ['6.12']
board: { ram: 64M, cmdline: cma=16M }
steps:
  - show: { what: [meminfo] }
  - process: { comm: editor }
    as: editor
  - fill: { process: editor, pages: ${pages}, in: reserved }
  - cma_alloc: { area: reserved, count: ${count}, align: 8 }
  - show: { what: [meminfo, vmstat] }
`,
    'levels.yaml',
  )
  const { steps } = runScenario(scenario!)
  const value = (step: number, name: string): number => {
    const line = steps.at(step)!.shown.flatMap(({ lines }) => lines).find((each) => each.startsWith(name))!
    return Number(/\d+/.exec(line)![0])
  }
  return { before: value(0, 'CmaFree'), after: value(-1, 'CmaFree'), moved: value(-1, 'pgmigrate_success') }
}
