// SPDX-License-Identifier: MIT
//
// contig verify as a person meets it: what it prints, and with which code it leaves.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/files.ts'
import { sampleSite } from '../support/sample_site.ts'

const contig = join(root, 'dist/contig.js')
const missing =
  existsSync(contig) && existsSync(join(root, 'dist/verify.js')) ? null : 'dist/ is not built: npm run build'

function run(...words: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [contig, 'verify', ...words], {
    ...{ cwd: root, encoding: 'utf8', timeout: 60_000 },
  })
  return { status, out: stdout, err: stderr }
}

describe('contig verify', () => {
  it('prints each check with its counts, and leaves with 0', (context) => {
    if (missing) context.skip(missing)
    const { status, out, err } = run('--only', 'weave', 'coverage')
    expect(status, err).toBe(0)
    expect(out).toMatch(/^ok {3}weave: \d+ files, .*regions told/m)
    expect(out).toMatch(/^ok {3}coverage: 52 mechanisms, 260 places/m)
    expect(out).toMatch(/^2 of 2 checks passed$/m)
  })

  it('leaves with 1, and says where', (context) => {
    if (missing) context.skip(missing)
    const sample = sampleSite()
    try {
      sample.write('One thing. Another.\n')
      const program = join(sample.folder, 'dist/contig.js')
      const words = [program, 'verify', '--only', 'prose']
      const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 60_000 })
      expect(status).toBe(1)
      expect(stdout).toContain('FAIL prose: 1 chapters')
      expect(stdout).toContain(
        'chapters/01-sample/index.md:5:12: error: a second sentence begins on this line [prose-sentence]',
      )
      expect(stdout).toContain('0 of 1 checks passed')
    } finally {
      sample.remove()
    }
  })

  it('prints JSON', (context) => {
    if (missing) context.skip(missing)
    const { checks, passed } = JSON.parse(run('--only', 'coverage', '--json').out) as {
      passed: boolean
      checks: { check: string; counts: Record<string, number> }[]
    }
    expect(passed).toBe(true)
    expect(checks.map(({ check, counts }) => `${check} ${counts['mechanisms']}`)).toEqual(['coverage 52'])
  })

  it('leaves with 2 and offers the nearest check', (context) => {
    if (missing) context.skip(missing)
    const { status, err } = run('--only', 'spellin')
    expect(status).toBe(2)
    expect(err).toContain('did you mean spelling?')
  })

  it('prints the chapters in figures, and as JSON', (context) => {
    if (missing) context.skip(missing)
    expect(run('--table').out).toMatch(/^ 2 {2}Carving memory out +\d{4}/m)
    const { chapters } = JSON.parse(run('--table', '--json').out) as {
      chapters: { slug: string; words: number }[]
    }
    expect(chapters.find(({ slug }) => slug === '02-carving-memory-out')?.words).toBeGreaterThan(2000)
  })
})
