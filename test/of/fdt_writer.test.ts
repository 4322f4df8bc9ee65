// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFdt } from '../../code/of/fdt_reader.ts'
import { writeFdt } from '../../code/of/fdt_writer.ts'
import { parseDts } from '../../code/of/dts_parser.ts'
import { emptyTree, setProperty } from '../../code/of/tree.ts'
import { anyTree, dtc, missing, plain, qemuTree, treeOf } from './trees.ts'
import '../support/laws_seed.ts'

describe('writeFdt', () => {
  it('writeFdt() writes the smallest tree as the specification lays it out', () => {
    const cells = (...values: number[]) =>
      values.map((value) => value.toString(16).padStart(8, '0')).join(' ')
    const blob = Buffer.from(writeFdt(emptyTree()))
      .toString('hex')
      .replace(/.{8}(?=.)/g, '$& ')
    expect(blob).toBe(
      [cells(0xd00dfeed, 72, 56, 72, 40, 17, 16, 0, 0, 16), cells(0, 0, 0, 0), cells(1, 0, 2, 9)].join(' '),
    )
  })

  it('writeFdt() reads a name from the tail of an earlier one, and not from a later one', () => {
    const strings = (...names: string[]) => {
      const tree = emptyTree()
      for (const name of names) setProperty(tree.root, name, new Uint8Array(0))
      const blob = writeFdt(tree)
      return Buffer.from(blob.subarray(new DataView(blob.buffer).getUint32(12))).toString('latin1')
    }
    expect(strings('linux,phandle', 'phandle', 'handle')).toBe('linux,phandle\0')
    expect(strings('phandle', 'linux,phandle')).toBe('phandle\0linux,phandle\0')
  })

  it('writeFdt() refuses a name that no blob can carry', () => {
    const tree = emptyTree()
    setProperty(tree.root, 'λ', new Uint8Array(0))
    expect(() => writeFdt(tree)).toThrow(/U\+3bb/)
  })

  it('writeFdt() writes the bytes that dtc writes, whatever the tree', (context) => {
    const note = missing('dtc')
    if (note) context.skip(note)
    fc.assert(
      fc.property(anyTree, (tree) => {
        const blob = writeFdt(tree)
        // -f: random values make no sense to dtc's checks, and its bytes are what we are after.
        const { output } = dtc(blob, 'dtb', 'dtb', '-f', '-q', '-q')
        expect(Buffer.from(output!).equals(Buffer.from(blob))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})

describe.each([
  ['qemu-system-aarch64', ['-cpu', 'cortex-a53']],
  ['qemu-system-arm', []],
])("the tree of %s's board virt", (command, more) => {
  it('readFdt() reads what parseDts() reads from the text that dtc makes of it', (context) => {
    const note = missing(command) ?? missing('dtc')
    if (note) context.skip(note)
    const blob = qemuTree(command, ...more)
    const tree = readFdt(blob)
    expect(tree.root.children.length).toBeGreaterThan(10)
    const text = new TextDecoder().decode(dtc(blob, 'dtb', 'dts').output!)
    const { tree: fromText, diagnostics } = parseDts(text, 'virt.dts')
    expect(diagnostics).toEqual([])
    // The text has no boot CPU: what compiles it guesses one, from the first node in /cpus.
    expect(plain({ ...fromText!, bootCpuid: tree.bootCpuid })).toEqual(plain(tree))
    expect(plain(treeOf(text))).not.toEqual(plain(emptyTree()))
  })

  it('readFdt() complains of every truncation of it', (context) => {
    const note = missing(command)
    if (note) context.skip(note)
    const blob = qemuTree(command, ...more)
    const size = writeFdt(readFdt(blob)).length
    for (let length = 0; length < Math.min(size, blob.length); length++) {
      expect(() => readFdt(blob.subarray(0, length))).toThrow(/at byte 0x/)
    }
  })
})
