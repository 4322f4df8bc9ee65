// SPDX-License-Identifier: MIT
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { printOf } from '../../site/cells/kept.ts'
import { fragmentOf, LINK_LIMIT, openFragment } from '../../site/cells/share.ts'

const packed = (bytes: Uint8Array): string => deflateRawSync(bytes).toString('base64url')

describe('fragmentOf()', () => {
  it.each([
    ['a cell', `import { MiB } from 'contiguous/lib/units'\n\nconsole.log(MiB(512))\n`],
    ['nothing', ''],
    ['signs of all kinds', '汉字 🙂 & = # + % \0 \u2028 </script> `${x}`\r\n\t'],
    ['as much as goes in', 'x'.repeat(LINK_LIMIT)],
  ])('fragmentOf() carries %s there and back', async (_, code) => {
    const fragment = await fragmentOf('two-regions', { code, of: printOf(code) })
    expect(fragment).toMatch(/^#cell=two-regions&of=[a-z0-9]+&code=[\w-]*$/)
    expect(await openFragment(fragment ?? '')).toEqual({
      cell: 'two-regions',
      edit: { code, of: printOf(code) },
    })
  })

  it('fragmentOf() refuses code of more than 32 KiB', async () => {
    expect(await fragmentOf('a', { code: '字'.repeat(LINK_LIMIT / 3 + 1), of: '' })).toBeNull()
  })
})

describe('openFragment()', () => {
  it('openFragment() leaves other fragments to others', async () => {
    for (const fragment of ['', '#', '#cell-two-regions', '#a=b', '#%E0%A4%A'])
      expect(await openFragment(fragment)).toBeNull()
  })

  it.each([
    ['a bad sign', 'code=*'],
    ['half of one', `code=${packed(Buffer.from('console.log(1)')).slice(0, 5)}`],
    ['no deflate', 'code=AAAA____AAAA'],
    ['no code', ''],
    ['no text', `code=${packed(Uint8Array.of(0xff, 0xfe, 0x80))}`],
  ])('openFragment() says that %s cannot be read', async (_, rest) => {
    expect(await openFragment(`#cell=a&${rest}`)).toEqual({ cell: 'a', mistake: 'broken' })
  })

  it('openFragment() does not inflate a bomb', async () => {
    // 30 MB in 29 KB, which is a link of a length that is allowed.
    const bomb = packed(new Uint8Array(30_000_000))
    expect(bomb.length).toBeLessThan(LINK_LIMIT * 1.5)
    const before = process.memoryUsage().arrayBuffers
    expect(await openFragment(`#cell=a&code=${bomb}`)).toEqual({ cell: 'a', mistake: 'tooBig' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
  })

  it('openFragment() does not look into a link that is too long', async () => {
    expect(await openFragment(`#cell=a&code=${'A'.repeat(20_000_000)}`)).toEqual({
      cell: 'a',
      mistake: 'tooBig',
    })
  })
})

describe('printOf()', () => {
  it('printOf() tells texts apart that differ in one sign', () => {
    const prints = Array.from({ length: 2_000 }, (_, n) => printOf(`const pages = ${n}`))
    expect(new Set(prints).size).toBe(2_000)
    expect(printOf('')).toBe(printOf(''))
  })
})
