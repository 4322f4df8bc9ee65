// SPDX-License-Identifier: MIT
//
// A project of one short chapter in a temporary folder, with our own site/ and dist/, to build what must not build and
// to edit what is being watched.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './files.ts'

export const SAMPLE_CHAPTER = 'chapters/01-sample/index.md'

const HEAD = `---
title: A sample
description: A chapter that exists for the tests of the site alone.
---
`

export interface SampleSite {
  readonly folder: string
  /**
   * Writes the chapter below a front matter of four lines, or as it is when it brings its own. `file` may be the text of
   * an appendix, `chapters/notes.md`, which is planned until then.
   */
  write(markdown: string, file?: string): void
  remove(): void
}

export function sampleSite(): SampleSite {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-sample-'))
  for (const name of ['node_modules', 'tsconfig.json', 'package.json', 'LICENSES']) {
    symlinkSync(join(root, name), join(folder, name))
  }
  // Not links: each sample finds its own root from where these lie.
  cpSync(join(root, '.eleventy.js'), join(folder, '.eleventy.js'))
  const cells = join(root, 'site/cells')
  for (const name of ['dist', 'site'])
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: (file) => file !== cells })
  // But for the cells: their worker has a file of our code/ in it, which is no source of the sample.
  symlinkSync(cells, join(folder, 'site/cells'))
  mkdirSync(join(folder, 'code/lib'), { recursive: true })
  mkdirSync(join(folder, 'kernel'))
  const put = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  put(
    'chapters/book.json',
    JSON.stringify({
      title: 'Sample',
      parts: [
        {
          title: 'One',
          chapters: [{ number: 1, slug: '01-sample', title: 'A sample', summary: 'Of a chapter.' }],
        },
      ],
      appendices: [
        { slug: 'notes', title: 'Notes' },
        { slug: 'later', title: 'Later' },
        { slug: 'glossary', title: 'Glossary' },
      ],
    }),
  )
  return {
    folder,
    write: (markdown, file = SAMPLE_CHAPTER) =>
      put(file, markdown.startsWith('---\n') ? markdown : HEAD + markdown),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
