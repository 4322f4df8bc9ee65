// SPDX-License-Identifier: MIT
//
// Every module and program as the kernel's own tools read it: checkpatch, kernel-doc, sparse, coccinelle, and a compiler
// for which every warning is an error. A planted slip shows that each tool is heard.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cache } from '../../code/lab/cache.ts'
import { rememberedKernel } from '../../code/lab/kernel_choice.ts'
import { CROSS, type LabKernel } from '../../code/lab/kernels.ts'
import { buildOwnKernel } from '../../code/lab/own_kernel_build.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { root } from '../support/files.ts'
import { partsOfKernelSource } from '../support/kernel_source.ts'

const missing = missingTools(['board', 'kernel', 'check']).map((tool) => tool.package)

/** What `make` printed, with its exit code. */
function make(target: string, kernel: string, words: readonly string[]): { code: number; said: string } {
  try {
    const said = execFileSync('sh', ['-c', 'make "$@" 2>&1', 'sh', '-C', kernel, target, ...words], {
      encoding: 'utf8',
      timeout: 540_000,
    })
    return { code: 0, said }
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string }
    return { code: status, said: stdout }
  }
}

describe.skipIf(missing.length > 0)(`make -C kernel check${missing.length > 0 ? ` (${missing.join(', ')})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'contig-style-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let words: (kernel: Pick<LabKernel, 'headers'>, name: string) => string[]
  let lab: Pick<LabKernel, 'headers'>
  let oneRule: string

  beforeAll(async () => {
    const source = await partsOfKernelSource(['scripts'])
    lab = await buildOwnKernel('lab', 'arm64')
    oneRule = `cocci_rules=${join(source, 'scripts/coccinelle/free/kfree.cocci')}`
    words = ({ headers }, name) => [
      ...[`KDIR=${headers}`, `KSRC=${source}`, `BUILD=${join(folder, name)}`],
      ...['ARCH=arm64', `CROSS_COMPILE=${CROSS.arm64}`],
    ]
  }, 900_000)

  it.each(['check-style', 'check-doc', 'check-sparse', 'check-cocci'])('%s finds nothing', (target) => {
    const { code, said } = make(target, join(root, 'kernel'), words(lab, 'clean'))
    expect(said).not.toMatch(/SKIP/)
    expect(code, said).toBe(0)
  })

  it.each(['6.1', '6.12', 'lab'] as const)('compiles for %s without a warning', (name) => {
    const known = name === 'lab' ? lab : rememberedKernel(new Cache(), '', name, 'arm64')?.kernel
    if (!known) throw new Error(`no lab was run on ${name} yet`)
    const { code, said } = make('modules', join(root, 'kernel'), [...words(known, name), 'KCFLAGS=-Werror'])
    expect(code, said).toBe(0)
    expect(said).not.toMatch(/warning:/i)
  })

  it.each([
    ['check-style', /\n\tmutex_lock\(/, '\n        mutex_lock(', /code indent should use tabs/],
    ['check-doc', / \* @file: .*\n/, '', /not described/],
    ['check-sparse', /void __user \*to|char __user \*to/, 'char *to', /different address spaces/],
    ['check-cocci', /\n\tmisc_deregister\(&buffer->misc\);/, '\n\tkfree(buffer);$&', /reference preceded by free/],
  ])('%s hears a slip', (target, right, wrong, told) => {
    const copy = join(folder, `copy-${target}`)
    cpSync(join(root, 'kernel'), copy, { recursive: true, filter: (path) => !path.endsWith('/build') })
    const file = join(copy, 'buffer_file/buffer_file.c')
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(right)
    writeFileSync(file, text.replace(right, wrong))
    writeFileSync(join(copy, 'Kbuild'), 'obj-m := reserved_coherent/\n')
    // Of coccinelle's sixty rules the one that must hear it: each takes as long as the others.
    const narrowed = ['modules=reserved_coherent', ...(target === 'check-cocci' ? [oneRule] : [])]
    const { code, said } = make(target, copy, [...words(lab, `slip-${target}`), ...narrowed])
    expect(code).not.toBe(0)
    expect(said).toMatch(told)
  })
})
