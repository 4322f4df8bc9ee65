// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { commandsOf, listingText } from '../../site/client/copy_text.ts'
import { numbersOf } from '../../site/client/listing_lines.ts'
import { mendingOf, readMending } from '../../site/data/mending.ts'

describe('commandsOf()', () => {
  it('gives what was typed, and what goes on below a backslash', () => {
    const transcript = '# cat /proc/iomem\n…\n40000000-bfffffff : System RAM\n$ make \\\n>   all\ndone\n'
    expect(commandsOf(transcript)).toBe('cat /proc/iomem\nmake \\\n  all\n')
  })

  it('gives nothing for a log', () => {
    expect(commandsOf('cma: alloc failed\n#include is no prompt')).toBeNull()
  })
})

describe('listingText()', () => {
  it('makes a nested region a comment of the language', () => {
    expect(listingText('a()\n  ⟨the-rest⟩\nb()', 'ts')).toBe('a()\n  // ⟨the-rest⟩\nb()\n')
    expect(listingText('\t⟨the-rest⟩\n', 'c')).toBe('\t/* ⟨the-rest⟩ */\n')
    expect(listingText('x = "⟨no hole⟩"', 'ts')).toBe('x = "⟨no hole⟩"\n')
  })
})

describe('numbersOf()', () => {
  it('counts on from the printed numbers, over a nested region that has none', () => {
    const texts = ['first', 'second', '  ⟨nested⟩', 'behind', 'last']
    const printed = new Map([
      [0, 91],
      [3, 120],
    ])
    expect(numbersOf(texts, printed)).toEqual([91, 92, null, 120, 121])
  })
})

describe('mendingOf()', () => {
  afterEach(() => vi.unstubAllEnvs())
  const projectWith = (config: Record<string, string>): string => {
    const folder = mkdtempSync(join(tmpdir(), 'contiguous-mending-'))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ config }))
    return folder
  }
  const readFrom = (config: Record<string, string>) => {
    const folder = projectWith(config)
    try {
      return readMending(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('puts the file of the page into the publisher’s addresses', () => {
    const templates = readFrom({
      editUrl: 'https://example.org/edit/main/{file}',
      reportUrl: 'https://example.org/new?title={file}',
    })
    expect(mendingOf(templates, 'chapters/11-cma-alloc/index.md')).toEqual({
      edit: 'https://example.org/edit/main/chapters/11-cma-alloc/index.md',
      report: 'https://example.org/new?title=chapters/11-cma-alloc/index.md',
    })
  })

  it('gives no link where none is set, and takes the environment before package.json', () => {
    expect(mendingOf(readFrom({}), 'a.md')).toEqual({ edit: '', report: '' })
    vi.stubEnv('CONTIG_EDIT_URL', 'https://example.org/{file}')
    expect(mendingOf(readFrom({ editUrl: 'https://example.com/{file}' }), 'a.md').edit).toBe(
      'https://example.org/a.md',
    )
  })

  it.for([
    [{ editUrl: 'http://example.org/{file}' }, 'config.editUrl'],
    [{ editUrl: 'https://example.org/' }, '{file}'],
    [{ reportUrl: 'javascript:alert(1)' }, 'config.reportUrl'],
  ] as const)('refuses %j', ([config, text]) => {
    expect(() => readFrom(config)).toThrow(text)
  })
})
