// SPDX-License-Identifier: MIT
//
// What an author is told of a widget that does not fit, and of a number that is not the one that is run.
import MarkdownIt from 'markdown-it'
import { describe, expect, it } from 'vitest'
import { Complaint } from '../../code/lib/complaint.ts'
import { fenceWords } from '../../site/markdown/fence_info.ts'
import { FIRST } from '../../site/languages.ts'
import { useNumbers } from '../../site/markdown/numbers.ts'
import { readWidget, widgetHtml } from '../../site/widgets/fence.ts'

const where = { file: 'chapters/01-sample/index.md', line: 7 }

/** `rule: text` of the first diagnostic of what `act` throws; the empty string when it throws nothing. */
function complaintOf(act: () => unknown): string {
  try {
    act()
    return ''
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    const { rule, text, file, line } = error.diagnostics[0]!
    expect({ file, line: line > 0 }).toEqual({ file: where.file, line: true })
    return `${rule}: ${text}`
  }
}

const built = (info: string, yaml: string): string =>
  complaintOf(() => widgetHtml(readWidget(fenceWords(`widget ${info}`), yaml, where), where))

describe('a widget fence', () => {
  it('is told which kinds there are', () => {
    expect(built('kind=bitmap id=a', 'title: A')).toMatch(
      /^widget: no widget of kind 'bitmap', expected one of .*cma-bitmap/,
    )
  })

  it('is told what its id, its title and its scenario lack', () => {
    expect(built('kind=cma-bitmap id=A', 'title: A')).toBe(
      "widget: widget id 'A' is not kebab-case; write id=name",
    )
    expect(built('kind=cma-bitmap id=a', 'cma: 16')).toContain('title')
    expect(built('kind=cma-bitmap id=a', '{ title: A, cma: 16, steps: [{ allocate: a }] }')).toContain(
      'steps',
    )
    expect(built('kind=cma-bitmap id=a', 'title: [')).toContain('no YAML')
  })

  it('is told what the models have against it', () => {
    expect(built('kind=buddy-lists id=a', "{ title: A, memory: 'M ...', steps: [{ alloc: a }] }")).toContain(
      'the models refuse the scenario: pictured: ',
    )
  })
})

const PAGE = (number: string): string => `We ask for ${number} pages.

\`\`\`widget kind=cma-bitmap id=search
title: A search
cma: 16
align: 4
steps: [{ alloc: a, pages: 256 }]
\`\`\`
`

function rendered(number: string): string {
  const markdown = new MarkdownIt()
  useNumbers(
    markdown,
    (_env, line) => ({ file: where.file, line: line + 1 }),
    () => FIRST,
  )
  return markdown.render(PAGE(number))
}

describe('a number in the prose', () => {
  it('is its text, and what the page needs to let it be drawn', () => {
    const html = rendered('[order 4]{drag=search.align min=0 max=9}')
    expect(html).toContain('<span>order 4</span></contig-number> pages.')
    expect(html).toContain(
      'data-drag="search.align" data-text="order #" data-value="4" data-min="0" data-max="9" data-step="1"',
    )
  })

  it('must be the number that is run, of a widget on this page, and one of its own steps', () => {
    const told = (number: string): string => complaintOf(() => rendered(number))
    expect(told('[order 8]{drag=search.align min=0 max=9}')).toBe(
      'draggable: the text says 8, and align of widget search is 4; print what is run',
    )
    expect(told('[order 4]{drag=other.align min=0 max=9}')).toContain("no widget 'other' on this page")
    expect(told('[order 4]{drag=search.aligned min=0 max=9}')).toContain(
      'aligned of widget search is undefined',
    )
    expect(told('[order 4]{drag=search.align min=1 max=9 step=2}')).toContain(
      '4 is no step of min=1 max=9 step=2',
    )
  })

  it('leaves links and other brackets alone', () => {
    expect(rendered('[4](x.html) and [4]')).toContain('<a href="x.html">4</a> and [4]')
  })
})
