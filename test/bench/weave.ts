// SPDX-License-Identifier: MIT
//
// Cutting 1,000 regions out of 50 files, with every check of their markers, against reading those files and splitting
// them into lines, the least that anything could do with them.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadWeave } from '../../site/weave/weave.ts'
import { type BenchResult, sideBySide } from './measure.ts'

function manyRegions(): string {
  const root = mkdtempSync(join(tmpdir(), 'contiguous-bench-'))
  mkdirSync(join(root, 'chapters'))
  mkdirSync(join(root, 'code/mm'), { recursive: true })
  writeFileSync(join(root, 'chapters/book.json'), '{ "title": "Many", "parts": [] }')
  for (let file = 0; file < 50; file++) {
    const regions = Array.from({ length: 20 }, (_, index) => {
      const name = `f${file}-r${index}`
      return `// #region ${name}\n${'const x = 1\n'.repeat(15)}// #endregion ${name}\n`
    })
    writeFileSync(join(root, `code/mm/f${file}.ts`), `// SPDX-License-Identifier: MIT\n${regions.join('\n')}`)
  }
  return root
}

export function weaveBench(): BenchResult {
  const root = manyRegions()
  const folder = join(root, 'code/mm')
  try {
    return {
      what: '1,000 regions woven against their files read and split',
      limit: 60,
      ...sideBySide(
        15,
        () => {
          const weave = loadWeave(root)
          for (const name of weave.regions.keys()) weave.listing(name)
        },
        () => readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8').split('\n')),
      ),
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
