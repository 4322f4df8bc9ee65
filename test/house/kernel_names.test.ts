// SPDX-License-Identifier: MIT
//
// snake_case means Linux has it, camelCase means it is ours. Every exported snake_case name of the models stands in
// kernel_symbols.json with a file of Linux that has it; where Debian's linux-source-6.12 is unpacked, each is looked up.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesUnder, root } from '../support/files.ts'

const EXPORTED = /^export (?:function\*?|const|let|class)\s+(\w+)/gm
const isSnakeCase = (name: string): boolean => name.includes('_') && /[a-z]/.test(name)

const { symbols } = JSON.parse(readFileSync(join(root, 'test/house/kernel_symbols.json'), 'utf8')) as {
  symbols: Record<string, string>
}
const exported = ['lib', 'arch', 'mm', 'of', 'dma', 'machine']
  .filter((room) => existsSync(join(root, 'code', room)))
  .flatMap((room) => filesUnder(`code/${room}`, '.ts'))
  .flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(EXPORTED)].map((match) => ({
      file,
      name: match[1] ?? '',
    })),
  )
  .filter(({ name }) => isSnakeCase(name))

/** Where a reader of Linux's source has unpacked it, e.g. `LINUX_SOURCE=/usr/src/linux-source-6.12`. */
const source = process.env['LINUX_SOURCE']

describe('names', () => {
  it('in snake_case are Linux’s, and listed with their file', () => {
    expect(exported.length).toBeGreaterThan(30)
    expect(
      exported.filter(({ name }) => !(name in symbols)).map(({ file, name }) => `${file}: ${name}`),
    ).toEqual([])
  })

  it('that are listed are exported somewhere', () => {
    const names = new Set(exported.map(({ name }) => name))
    expect(Object.keys(symbols).filter((name) => !names.has(name))).toEqual([])
  })

  if (source !== undefined && existsSync(source)) {
    it('that are listed stand in the file of Linux', () => {
      const ofThatKernel = Object.entries(symbols).filter(([, file]) => !/ v\d/.test(file))
      expect(ofThatKernel.length).toBeGreaterThan(300)
      const missing = ofThatKernel.filter(
        ([name, file]) => !new RegExp(`\\b${name}\\b`).test(readFileSync(join(source, file), 'utf8')),
      )
      expect(missing).toEqual([])
    })
  }
})
