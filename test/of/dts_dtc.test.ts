// SPDX-License-Identifier: MIT
//
// The real dtc is the oracle: same verdict, same bytes, same warnings.
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkTree } from '../../code/of/checks.ts'
import { parseDts } from '../../code/of/dts_parser.ts'
import { writeFdt } from '../../code/of/fdt_writer.ts'
import { dtc, fixture, fixtures, missing, treeOf } from './trees.ts'
import '../support/laws_seed.ts'

const note = missing('dtc')
beforeEach((context) => {
  if (note) context.skip(note)
})

const same = (ours: Uint8Array, theirs: Uint8Array | null) =>
  theirs !== null && Buffer.compare(Buffer.from(ours), Buffer.from(theirs)) === 0

describe('dtc 1.6.1', () => {
  const right = [...fixtures('good-'), ...fixtures('warns-')]

  it.each(right)('writeFdt() writes the bytes that dtc writes for %s', (name) => {
    const blob = writeFdt(treeOf(fixture(name), name))
    expect(same(blob, dtc(fixture(name), 'dts', 'dtb').output)).toBe(true)
  })

  // dtc could take these: it opens other files, and has no limit to hold.
  const ours = /^bad-dts-(include|incbin|preprocessor)/
  it.each(fixtures('bad-').filter((name) => !ours.test(name)))('dtc refuses %s too', (name) => {
    expect(dtc(fixture(name), 'dts', 'dtb').status).not.toBe(0)
  })

  it('parseDts() and dtc agree on sources with random damage', () => {
    const cut = (name: string) =>
      fixture(name).match(/"[^"]*"|[\w,.#@-]+:?|&\{?[\w/@]*\}?|\/[a-z-]+\/|\s+|[^]/g)!
    const sources = right.map(cut)
    const pieces = [...new Set(sources.flat())]
    const damage = fc.array(
      fc.record({
        at: fc.nat(),
        how: fc.constantFrom('cut', 'put', 'swap'),
        piece: fc.constantFrom(...pieces),
      }),
      { minLength: 1, maxLength: 2 },
    )
    fc.assert(
      fc.property(fc.constantFrom(...sources), damage, (source, edits) => {
        const parts = [...source]
        for (const { at, how, piece } of edits) {
          parts.splice(at % parts.length, how === 'put' ? 0 : 1, ...(how === 'cut' ? [] : [piece]))
        }
        const { tree } = parseDts(parts.join(''), 'damaged.dts')
        const { output } = dtc(parts.join(''), 'dts', 'dtb', '-q')
        expect(tree !== null, 'whether it compiles').toBe(output !== null)
        if (tree) expect(same(writeFdt(tree), output)).toBe(true)
      }),
      // The same damage in every run; FC_SEED tries another.
      { numRuns: 150, seed: Number(process.env['FC_SEED'] ?? 1) },
    )
  })
})

describe('checkTree', () => {
  const rules = ['reg_format', 'unit_address_vs_reg', 'unit_address_format', 'avoid_default_addr_size']
  // `line rule path`; a warning about a property starts on its line, one about a node on the node's.
  const theirs = (name: string) =>
    [...dtc(fixture(name), 'dts', 'dtb').told.matchAll(/^file:(\d+)\.\S+: Warning \((\w+)\): ([^ :]+)/gm)]
      .filter(([, , rule]) => rules.includes(rule!))
      .map(([, line, rule, path]) => `${line} dts-${rule!.replaceAll('_', '-')} ${path}`)

  it.each([...fixtures('warns-'), ...fixtures('good-')])('checkTree() warns as dtc does in %s', (name) => {
    const found = checkTree(treeOf(fixture(name), name), name)
    expect(found.map(({ line, rule, text }) => `${line} ${rule} ${text.split(':')[0]}`)).toEqual(theirs(name))
  })
})
