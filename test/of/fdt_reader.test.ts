// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Complaint } from '../../code/lib/complaint.ts'
import { readFdt } from '../../code/of/fdt_reader.ts'
import { writeFdt } from '../../code/of/fdt_writer.ts'
import { MAX_DEPTH, emptyTree, findNode, makeNode } from '../../code/of/tree.ts'
import { anyTree, fixture, plain, treeOf } from './trees.ts'
import '../support/laws_seed.ts'

const sample = writeFdt(treeOf(fixture('good-values.dts')))

function patched(...cells: [offset: number, value: number][]): Uint8Array {
  const blob = sample.slice()
  for (const [offset, value] of cells) new DataView(blob.buffer).setUint32(offset, value)
  return blob
}

/** What readFdt() complains of; fails when it does not, or throws anything else. */
function complaint(blob: Uint8Array): string {
  try {
    readFdt(blob, 'x.dtb')
  } catch (error) {
    if (error instanceof Complaint) return error.message
    throw error
  }
  throw new Error('readFdt() took the blob')
}

// Either a tree or a complaint that names a byte.
function survives(blob: Uint8Array): void {
  try {
    readFdt(blob)
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    expect(error.message).toMatch(/at byte 0x[0-9a-f]+: .+; expected /)
  }
}

describe('readFdt', () => {
  it('readFdt() reads back what writeFdt() wrote, and writeFdt() writes the same bytes again', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const blob = writeFdt(tree)
        const again = readFdt(blob)
        expect(plain(again)).toEqual(plain(tree))
        expect(writeFdt(again)).toEqual(blob)
      }),
      { numRuns: 300 },
    )
  })

  it('readFdt() gives each node the offset of its FDT_BEGIN_NODE', () => {
    const tree = readFdt(sample)
    const { offset } = findNode(tree, '/node@1/child')!
    expect(new DataView(sample.buffer).getUint32(offset!)).toBe(1)
    expect(Buffer.from(sample.subarray(offset! + 4, offset! + 9)).toString()).toBe('child')
  })

  it('readFdt() copies values, so that a changed blob does not change the tree', () => {
    const blob = sample.slice()
    const tree = readFdt(blob)
    const before = plain(tree)
    blob.fill(0)
    expect(plain(tree)).toEqual(before)
  })

  it('readFdt() reads version 16, NOP tags, and a blob inside a larger array', () => {
    const version16 = patched([20, 16], [36, 0xffff_ffff])
    expect(plain(readFdt(version16))).toEqual(plain(readFdt(sample)))
    const inside = new Uint8Array(sample.length + 13)
    inside.set(sample, 5)
    expect(plain(readFdt(inside.subarray(5)))).toEqual(plain(readFdt(sample)))
    // A tree of one property, which becomes three NOPs: its tag, length (0) and name offset.
    const one = writeFdt(treeOf('/dts-v1/; / { a; };'))
    const view = new DataView(one.buffer)
    const prop = view.getUint32(8) + 8
    for (let i = 0; i < 3; i++) view.setUint32(prop + 4 * i, 4)
    expect(readFdt(one).root.properties).toEqual([])
  })

  const struct = new DataView(sample.buffer).getUint32(8)
  const strings = new DataView(sample.buffer).getUint32(12)
  it.each([
    [
      'the magic number',
      patched([0, 0x2f2f2053]),
      'x.dtb: at byte 0x0: the magic number is 0x2f2f2053; expected 0xd00dfeed',
    ],
    [
      'the total size',
      patched([4, 1e9]),
      `at byte 0x4: the total size is 1000000000 bytes; expected at most ${sample.length}`,
    ],
    [
      'a total size below the header',
      patched([4, 8]),
      'at byte 0x4: the total size is 8 bytes; expected at least 36',
    ],
    [
      'the structure offset',
      patched([8, 0xffff_fff0]),
      'at byte 0x8: the offset of the structure block is 0xfffffff0',
    ],
    ['an odd structure offset', patched([8, struct + 2], [36, 4]), 'expected a multiple of 4'],
    [
      'the strings offset',
      patched([12, 4]),
      'at byte 0xc: the offset of the strings block is 0x4; expected 0x28',
    ],
    [
      'the reservations offset',
      patched([16, 44]),
      'at byte 0x10: the offset of the reservation block is 0x2c; expected a multiple of 8',
    ],
    ['an old version', patched([20, 3]), 'at byte 0x14: the version is 3; expected 16 or newer'],
    [
      'a new last compatible version',
      patched([20, 20], [24, 18]),
      'at byte 0x18: the last compatible version is 18; expected at most 17',
    ],
    [
      'the strings size',
      patched([32, 0x7fff_ffff]),
      'at byte 0x20: the size of the strings block is 0x7fffffff',
    ],
    [
      'the structure size',
      patched([36, 0xffff_ffff]),
      'at byte 0x24: the size of the structure block is 0xffffffff',
    ],
    ['a short structure', patched([36, 18]), 'expected it to end before byte'],
    [
      'a reservation above 2^53',
      patched([40, 0xffff_ffff]),
      'the address of a reservation is 0xffffffff10000000',
    ],
    [
      'the first tag',
      patched([struct, 7]),
      `at byte 0x${struct.toString(16)}: the tag is 0x7; expected FDT_BEGIN_NODE (1) of the root`,
    ],
    ['the root name', patched([struct + 4, 0x61000000]), 'a node is named "a"; expected an empty name'],
    [
      'the end inside a node',
      patched([struct + 8, 9]),
      'the tag is 0x9; expected FDT_BEGIN_NODE (1), FDT_END_NODE',
    ],
    [
      'a property length',
      patched([struct + 12, 0x7fff_ffff]),
      'the length of property "#address-cells" is 2147483647; expected at most',
    ],
    [
      'a name offset',
      patched([struct + 16, 0xffff_0000]),
      'the name offset of a property is 0xffff0000; expected below',
    ],
    [
      'strings without NUL',
      patched([32, 5]),
      `at byte 0x${strings.toString(16)}: the name of a property has no end`,
    ],
    [
      'the last tag',
      patched([strings - 4, 2]),
      'the tag is 0x2; expected FDT_END (9), since the root is closed',
    ],
  ])('readFdt() complains of %s with byte, value and expectation', (_, blob, text) => {
    expect(complaint(blob)).toContain(text)
  })

  it('readFdt() complains of an empty blob and says the next step for source text', () => {
    expect(complaint(new Uint8Array(0))).toContain(
      'at byte 0x0: the magic number needs 4 bytes and 0 are left',
    )
    expect(complaint(new TextEncoder().encode('/dts-v1/;'))).toContain('the magic number is 0x2f647473')
  })

  it(`readFdt() takes ${MAX_DEPTH} levels and complains of more, without a deep stack`, () => {
    const nested = (levels: number) => {
      const tree = emptyTree()
      for (let node = tree.root, i = 1; i < levels; i++) node = makeNode('a', node)
      return writeFdt(tree)
    }
    expect(writeFdt(readFdt(nested(MAX_DEPTH)))).toEqual(nested(MAX_DEPTH))
    expect(complaint(nested(MAX_DEPTH + 1))).toContain('a node is nested 513 deep; expected at most 512')
    expect(complaint(nested(200_000))).toContain('a node is nested 513 deep')
  })

  it('readFdt() complains of every truncation, whether the header admits it or not', () => {
    for (let length = 0; length < sample.length; length++) {
      const cut = sample.slice(0, length)
      expect(complaint(cut)).toMatch(/at byte 0x/)
      if (length < 8) continue
      new DataView(cut.buffer).setUint32(4, length)
      expect(complaint(cut)).toMatch(/at byte 0x/)
    }
  })

  it('readFdt() gives a tree or a complaint for random changes of bytes', () => {
    const change = fc.tuple(fc.nat({ max: sample.length - 1 }), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const blob = sample.slice()
        for (const [at, value] of changes) blob[at] = value
        survives(blob)
      }),
      { numRuns: 5000 },
    )
  })

  it('readFdt() gives a tree or a complaint for random cells behind a good header', () => {
    const cell = fc.oneof(fc.constantFrom(1, 2, 3, 4, 9, 0, 0x61000000, 0xffff_ffff), fc.nat({ max: 64 }))
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 60 }), (cells) => {
        const blob = sample.slice()
        const view = new DataView(blob.buffer)
        cells.forEach((value, i) => view.setUint32(struct + 4 * i, value))
        survives(blob)
      }),
      { numRuns: 3000 },
    )
  })
})
