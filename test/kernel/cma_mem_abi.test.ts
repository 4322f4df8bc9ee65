// SPDX-License-Identifier: MIT
//
// What C compilers say of the header that kernel/cma_mem shares with programs, and what the model of it says.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { layoutOf, type CFields, type DataModel } from '../../code/lib/c_layout.ts'
import { CMA_MEM, CMA_MEM_STRUCTS } from '../../code/machine/cma_mem_abi.ts'
import { SEED_CMEM_ALLOCATE, SEED_DRIVER_INFO, SEED_PROGRAM_INFO } from '../../code/machine/seed_cma_mem.ts'
import { root } from '../support/files.ts'

const COMPILERS = [
  ['aarch64-linux-gnu-gcc', 'LP64'],
  ['arm-linux-gnueabihf-gcc', 'ILP32'],
] as const

const runs = (compiler: string): boolean => spawnSync(compiler, ['--version']).status === 0

/** What the compiler complains of; nothing when every assertion holds. */
function complaintsOf(compiler: string, source: string): string {
  const args = ['-fsyntax-only', '-std=gnu11', '-Wall', '-Werror', `-I${join(root, 'kernel/include/uapi')}`]
  const { status, stderr } = spawnSync(compiler, [...args, '-xc', '-'], { input: source, encoding: 'utf8' })
  return status === 0 ? '' : stderr
}

const cType = (type: string, name: string): string => (type === 'pointer' ? `void *${name}` : `${type} ${name}`)

/** Assertions that a structure is laid out as the model has it. */
function asserted(struct: string, fields: CFields, model: DataModel): string {
  const { size, offsets } = layoutOf(fields, model)
  const each = Object.entries(offsets).map(
    ([name, at]) => `_Static_assert(__builtin_offsetof(${struct}, ${name}) == ${at}, "${name}");`,
  )
  return [`_Static_assert(sizeof(${struct}) == ${size}, "${struct}");`, ...each].join('\n')
}

function declared(struct: string, fields: CFields): string {
  const each = Object.entries(fields).map(([name, type]) => `${cType(type, name)};`)
  return `${struct} { ${each.join(' ')} };`
}

describe('uapi/cma_mem.h', () => {
  it.each(COMPILERS)('%s lays structures out and makes numbers as the model does: TV-35, TV-36', (compiler, model) => {
    expect(runs(compiler), `${compiler} is not installed: npm run setup`).toBe(true)
    const structs = Object.entries(CMA_MEM_STRUCTS).map(([name, fields]) =>
      asserted(`struct cma_mem_${name}`, fields, model),
    )
    const numbers = Object.entries(CMA_MEM).map(
      ([name, cmd]) => `_Static_assert(CMA_MEM_${name} == ${cmd}u, "${name}");`,
    )
    const found = [
      declared('struct driver', SEED_DRIVER_INFO),
      asserted('struct driver', SEED_DRIVER_INFO, model),
      declared('struct program', SEED_PROGRAM_INFO),
      asserted('struct program', SEED_PROGRAM_INFO, model),
      `_Static_assert(_IOW('m', 5, unsigned int) == ${SEED_CMEM_ALLOCATE}u, "seed");`,
    ]
    expect(complaintsOf(compiler, ['#include "cma_mem.h"', ...structs, ...numbers, ...found].join('\n'))).toBe('')
  })

  it('a compiler complains when the model is wrong', () => {
    const [compiler] = COMPILERS[0]
    const wrong = { size: '__u64', flags: '__u64' } as const
    const source = `#include "cma_mem.h"\n${asserted('struct cma_mem_allocate', wrong, 'LP64')}`
    expect(complaintsOf(compiler, source)).toMatch(/static assertion failed/)
  })
})
