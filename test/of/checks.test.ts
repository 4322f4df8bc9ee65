// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { checkTree } from '../../code/of/checks.ts'
import { fixture, treeOf } from './trees.ts'

const warnings = (source: string) =>
  checkTree(treeOf(source), 'test.dts').map(({ rule, text }) => `${rule} ${text.split(': ')[0]}`)
const inRoot = (body: string) => `/dts-v1/;\n/ {\n#address-cells = <1>;\n#size-cells = <1>;\n${body}\n};\n`

describe('checkTree', () => {
  it('checkTree() warns of each mistake of seed 000 (S0-2, S0-3, S0-4)', () => {
    expect(warnings(fixture('warns-seed-000.dts'))).toEqual([
      'dts-reg-format /reserved-memory/buffer@0xC0000000:reg',
      'dts-unit-address-vs-reg /sample@0x64000000',
      'dts-unit-address-format /reserved-memory/buffer@0xC0000000',
      'dts-unit-address-format /sample@0x64000000',
      'dts-avoid-default-addr-size /reserved-memory/buffer@0xC0000000',
      'dts-avoid-default-addr-size /reserved-memory/buffer@0xC0000000',
    ])
  })

  it('checkTree() gives the length found, the one expected and the next step (S0-2)', () => {
    const [first] = checkTree(treeOf(fixture('warns-seed-000.dts')), 'seed.dts')
    expect(formatDiagnostic(first!)).toBe(
      'seed.dts:19:4: warning: /reserved-memory/buffer@0xC0000000:reg: reg has 16 bytes; expected a multiple of 12 ' +
        "(#address-cells = 2, #size-cells = 1: dtc's default for what /reserved-memory does not say) [dts-reg-format]\n" +
        '  Set both in /reserved-memory, or give reg that many cells.',
    )
  })

  it('checkTree() warns of the unit addresses of seed 003 (S3-2)', () => {
    expect(warnings(fixture('warns-seed-003-zynq.dts'))).toEqual([
      'dts-unit-address-vs-reg /reserved-driver@0',
      'dts-unit-address-format /reserved-memory/buffer@0x38000000',
    ])
  })

  it('checkTree() is silent about the mended trees', () => {
    for (const name of ['good-camera-pool.dts', 'good-zynqmp-pool.dts', 'good-zynqmp-cma.dts']) {
      expect(warnings(fixture(name))).toEqual([])
    }
  })

  it.each([
    ['reg without unit address', 'a { reg = <1 1>; };', ['dts-unit-address-vs-reg /a']],
    ['leading zeroes', 'a@01 { reg = <1 1>; };', ['dts-unit-address-format /a@01']],
    ['one zero', 'a@0 { reg = <0 1>; };', []],
    ['an empty reg', 'a@0 { reg; };', ['dts-reg-format /a@0:reg']],
    ['empty ranges', 'a { ranges; };', []],
    ['a reg in the root', 'reg = <1>;', ['dts-reg-format /', 'dts-unit-address-vs-reg /']],
    [
      'a child of a simple-bus',
      's { compatible = "x", "simple-bus"; a@0x1 { }; };',
      ['dts-unit-address-vs-reg /s/a@0x1'],
    ],
    [
      'cells of two cells',
      'a { #size-cells = <1 1>; b@0 { reg = <1>; }; };',
      ['dts-size-cells-is-cell /a:#size-cells'],
    ],
  ])('checkTree() on %s', (_, body, expected) => {
    expect(warnings(inRoot(body))).toEqual(expected)
  })
})
