// SPDX-License-Identifier: MIT
//
// `node dist/pdf.js <folder>`: the step of `contig build --pdf` that prints a built folder.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { FIRST } from './languages.ts'
import { bookOf } from './data/book.ts'
import { root } from './paths.ts'
import { printBook } from './print/print_book.ts'
import { loadWeave } from './weave/weave.ts'

const { stdout } = spawnSync('fc-list', [':lang=zh-cn', 'family'], { encoding: 'utf8' })
if ((stdout ?? '').trim() === '')
  process.stderr.write(
    'pdf: no font with Chinese letters is installed: the Chinese of the glossary will be empty boxes\n' +
      '  to have it: apt-get install fonts-noto-cjk\n',
  )
const { pages, bytes, wide } = await printBook(
  resolve(process.argv[2] ?? '_site'),
  bookOf(loadWeave(root), FIRST),
)
for (const what of wide)
  process.stderr.write(
    `pdf: ${what}, expected at most 635: every page is shrunk to make room; give it fewer columns\n`,
  )
process.stdout.write(`pdf: ${pages} pages, ${(bytes / 1e6).toFixed(1)} MB\n`)
