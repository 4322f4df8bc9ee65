// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CommandFailed } from '../../code/lab/command.ts'
import { Cache } from '../../code/lab/cache.ts'
import { buildComplaint, buildPrograms } from '../../code/lab/guest_build.ts'
import { guestSources, sourcesKey } from '../../code/lab/guest_sources.ts'
import { parseLab } from '../../code/lab/lab_file.ts'
import { applyDiff } from '../../code/lab/unified_diff.ts'

const root = mkdtempSync(join(tmpdir(), 'contig-sources-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
mkdirSync(join(root, 'kernel/m'), { recursive: true })
mkdirSync(join(root, 'kernel/user'), { recursive: true })
writeFileSync(join(root, 'kernel/m/m.c'), 'one\ntwo\nthree\n')
writeFileSync(join(root, 'kernel/m/Kbuild'), 'obj-m := m.o\n')
writeFileSync(join(root, 'kernel/m/m.ko'), 'not a source')
writeFileSync(join(root, 'kernel/user/p.c'), 'int main(void) { return 0; }\n')
writeFileSync(join(root, 'kernel/user/p.h'), '\n')
const patch = join(root, 'two.patch')
writeFileSync(patch, '--- a/kernel/m/m.c\n+++ b/kernel/m/m.c\n@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n')

const text = "name: l\ntitle: L\nkernels: ['6.1']\nmodules: [kernel/m]\nprograms: [p]\nboots: [{ name: b }]\n"
const lab = parseLab(text, 'lab.yaml', root).lab!

describe('guestSources()', () => {
  it('gathers sources alone', () => {
    const { modules, programs } = guestSources(lab)
    expect(modules.map((source) => source.path)).toEqual(['kernel/m/Kbuild', 'kernel/m/m.c'])
    expect(programs.map((source) => source.path)).toEqual(['kernel/user/p.h', 'kernel/user/p.c'])
  })

  it('applies patches and overrides to the copy, and names it anew', () => {
    const plain = sourcesKey(guestSources(lab).modules)
    const patched = guestSources(lab, { patches: [patch] }).modules
    expect(patched.find((source) => source.path.endsWith('m.c'))?.patched).toBe('one\nzwei\nthree\n')
    expect(sourcesKey(patched)).not.toBe(plain)
    const own = join(root, 'own.c')
    writeFileSync(own, 'mine\n')
    const overridden = guestSources(lab, { overrides: { 'kernel/m/m.c': own } }).modules
    expect(overridden.find((source) => source.path.endsWith('m.c'))?.from).toBe(own)
    expect(sourcesKey(overridden)).not.toBe(plain)
  })

  it('complains of a change that fits nothing', () => {
    expect(() => guestSources(lab, { overrides: { 'kernel/x.c': patch } })).toThrow(
      'which lab l does not build',
    )
    expect(() => guestSources(lab, { patches: [join(root, 'none.patch')] })).toThrow('there is no patch')
  })
})

describe('applyDiff()', () => {
  const files = new Map([['x.c', 'a\nb\nc\nd\ne\nf\ng\nh\n']])
  const read = (path: string): string | null => files.get(path) ?? null

  it('applies several hunks, each at its own place', () => {
    const diff = '--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,3 @@\n a\n+new\n b\n@@ -7,2 +8,1 @@\n-g\n h\n'
    expect(applyDiff(diff, 'p', read).get('x.c')).toBe('a\nnew\nb\nc\nd\ne\nf\nh\n')
  })

  it('refuses a hunk that does not fit, with both places', () => {
    const diff = '--- a/x.c\n+++ b/x.c\n@@ -2,2 +2,2 @@\n b\n-x\n+y\n'
    expect(() => applyDiff(diff, 'wrong.patch', read)).toThrow(
      'wrong.patch:3: this hunk does not fit x.c:3\n  there:    c\n  expected: x',
    )
  })

  it('refuses a file that is not built, and a text that is no diff', () => {
    expect(() => applyDiff('--- a/y.c\n+++ b/y.c\n@@ -1 +1 @@\n-a\n+b\n', 'p', read)).toThrow(
      'it changes y.c',
    )
    expect(() => applyDiff('hello', 'p', read)).toThrow('no file is changed')
  })
})

describe('buildComplaint()', () => {
  it('tells the compiler’s lines at the checkout’s places', () => {
    const build = buildPrograms(new Cache(join(root, 'cache')), lab, guestSources(lab).programs, 'arm64')
    const copy = join(build.step!.makes!.part, 'src')
    const output = `${copy}/kernel/user/p.c:1:5: error: expected ‘;’\nkernel/user/p.c:7:1: warning: unused\n`
    const complaint = buildComplaint(build, new CommandFailed(['gcc'], 1, false, output), root)
    expect(complaint.exitCode).toBe(1)
    expect(complaint.message).toBe(
      [
        'build p: failed',
        'kernel/user/p.c:1:5: error: expected ‘;’ [lab-compiler]',
        'kernel/user/p.c:7:1: warning: unused [lab-compiler]',
      ].join('\n'),
    )
  })
})
