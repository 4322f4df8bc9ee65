// SPDX-License-Identifier: MIT
//
// zod still looks where the workers of a page tell it not to write code: in a process of its own, for here it may have come.
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { ZOD_WRITES_NO_CODE } from '../../site/cells/build.ts'
import { root } from '../support/files.ts'

/** How often zod makes a function of text. */
function written(first: string): number {
  const code = `${first}
    let tried = 0
    globalThis.Function = new Proxy(Function, { construct: (made, words) => (tried++, new made(...words)) })
    const { z } = await import('zod')
    z.object({ a: z.string() }).parse({ a: 'b' })
    console.log(tried)`
  const words = ['--input-type=module', '--eval', code]
  return Number(execFileSync(process.execPath, words, { cwd: root, encoding: 'utf8' }))
}

it('zod writes no code where it is told not to, and would elsewhere', () => {
  expect(written(ZOD_WRITES_NO_CODE)).toBe(0)
  expect(written('')).toBeGreaterThan(0)
})
