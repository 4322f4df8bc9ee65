// SPDX-License-Identifier: MIT
//
// The house rule of ARCHITECTURE.md: imports run one way, lib ← arch ← mm ← of ← dma ← machine ← exercise, lab ← cli,
// and there is no circle. An offence is printed as a path, `a.ts → b.ts`.
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesUnder, root } from '../support/files.ts'

/** What each room may import from, itself included. */
const ALLOWED: Record<string, readonly string[]> = {
  lib: ['lib'],
  arch: ['lib', 'arch'],
  mm: ['lib', 'arch', 'mm'],
  of: ['lib', 'arch', 'mm', 'of'],
  dma: ['lib', 'arch', 'mm', 'of', 'dma'],
  machine: ['lib', 'arch', 'mm', 'of', 'dma', 'machine'],
  lab: ['lib', 'arch', 'mm', 'of', 'dma', 'machine', 'lab'],
  exercise: ['lib', 'arch', 'mm', 'of', 'dma', 'machine', 'lab', 'exercise'],
  cli: ['lib', 'arch', 'mm', 'of', 'dma', 'machine', 'lab', 'exercise', 'cli'],
}

const IMPORT =
  /^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'|^\s*import\s+'([^']+)'/gm

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(IMPORT)]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
    .flatMap((specifier) => {
      if (specifier.startsWith('contiguous/')) return [`code/${specifier.slice('contiguous/'.length)}.ts`]
      if (specifier.startsWith('.')) return [relative(root, join(root, dirname(file), specifier))]
      return []
    })
}

/** Every offence against the one-way rule, as `from → to`. */
function wrongWay(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const offences: string[] = []
  for (const [file, targets] of graph) {
    const room = file.split('/')[1] ?? ''
    for (const target of targets) {
      const [top, targetRoom] = target.split('/')
      if (top !== 'code' || !ALLOWED[room]?.includes(targetRoom ?? '')) offences.push(`${file} → ${target}`)
    }
  }
  return offences
}

/** The first circle found, as `a → b → a`, or null. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string | null {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string | null => {
    const start = path.indexOf(file)
    if (start >= 0) return [...path.slice(start), file].join(' → ')
    if (done.has(file)) return null
    path.push(file)
    for (const target of graph.get(file) ?? []) {
      const found = visit(target)
      if (found) return found
    }
    path.pop()
    done.add(file)
    return null
  }
  for (const file of graph.keys()) {
    const found = visit(file)
    if (found) return found
  }
  return null
}

describe('the house', () => {
  const files = filesUnder('code', '.ts')
  const graph = new Map(files.map((file) => [file, importsOf(file)]))

  it('imports one way', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(wrongWay(graph)).toEqual([])
  })

  it('has no circle', () => {
    expect(circle(graph)).toBeNull()
  })

  it('has no barrel', () => {
    expect(files.filter((file) => file.endsWith('/index.ts'))).toEqual([])
  })

  it('lets the site import models, and its exercises their engine, never tools', () => {
    const offences = filesUnder('site', '.ts').flatMap((file) =>
      importsOf(file)
        .filter((target) => !/^site\/|^code\/(lib|arch|mm|of|dma|machine)\//.test(target))
        .filter(
          (target) => !(/^site\/(exercises\/|eleventy)/.test(file) && target.startsWith('code/exercise/')),
        )
        .map((target) => `${file} → ${target}`),
    )
    expect(offences).toEqual([])
  })

  it('lets nothing import what checks the book', () => {
    const offences = [...filesUnder('code', '.ts'), ...filesUnder('site', '.ts')].flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith('verify/'))
        .map((target) => `${file} → ${target}`),
    )
    expect(offences).toEqual([])
    const ours = filesUnder('verify', '.ts').flatMap(importsOf)
    expect(ours.length).toBeGreaterThan(5)
    expect(ours.filter((target) => !/^(verify|site|code\/(?!cli\/))/.test(target))).toEqual([])
  })

  it('would notice an import the wrong way, and a circle', () => {
    expect(wrongWay(new Map([['code/mm/a.ts', ['code/of/b.ts']]]))).toEqual(['code/mm/a.ts → code/of/b.ts'])
    const loop = new Map([
      ['code/mm/a.ts', ['code/mm/b.ts']],
      ['code/mm/b.ts', ['code/mm/a.ts']],
    ])
    expect(circle(loop)).toBe('code/mm/a.ts → code/mm/b.ts → code/mm/a.ts')
  })
})
