// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import {
  allNodes,
  cellsOf,
  cellsValue,
  emptyTree,
  findByPhandle,
  findNode,
  makeNode,
  nodePath,
  property,
  readNumber,
  setProperty,
  stringsOf,
  stringsValue,
  unitAddress,
  writeNumber,
} from '../../code/of/tree.ts'

function sample() {
  const tree = emptyTree()
  const reserved = makeNode('reserved-memory', tree.root)
  const pool = makeNode('pool@50000000', reserved)
  const soc = makeNode('soc', tree.root)
  setProperty(pool, 'phandle', cellsValue(7))
  setProperty(soc, 'linux,phandle', cellsValue(8))
  return { tree, reserved, pool, soc }
}

describe('nodes', () => {
  it('nodePath() gives the names from the root on, and / for the root', () => {
    const { tree, pool } = sample()
    expect(nodePath(tree.root)).toBe('/')
    expect(nodePath(pool)).toBe('/reserved-memory/pool@50000000')
  })

  it('findNode() finds by whole names only', () => {
    const { tree, pool } = sample()
    expect(findNode(tree, '/')).toBe(tree.root)
    expect(findNode(tree, '/reserved-memory/pool@50000000')).toBe(pool)
    expect(findNode(tree, '/reserved-memory/pool')).toBeNull()
    expect(findNode(tree, '/reserved-memory/pool@50000000/deeper')).toBeNull()
  })

  it('findByPhandle() reads phandle and linux,phandle', () => {
    const { tree, pool, soc } = sample()
    expect(findByPhandle(tree, 7)).toBe(pool)
    expect(findByPhandle(tree, 8)).toBe(soc)
    expect(findByPhandle(tree, 9)).toBeNull()
  })

  it('allNodes() gives a parent before its children, in the order of the source', () => {
    const { tree } = sample()
    expect([...allNodes(tree)].map(nodePath)).toEqual([
      '/',
      '/reserved-memory',
      '/reserved-memory/pool@50000000',
      '/soc',
    ])
  })

  it('setProperty() replaces a value in its place', () => {
    const { tree, pool } = sample()
    setProperty(pool, 'reusable', new Uint8Array(0))
    setProperty(pool, 'phandle', cellsValue(9))
    expect(pool.properties.map(({ name }) => name)).toEqual(['phandle', 'reusable'])
    expect(cellsOf(property(findByPhandle(tree, 9)!, 'phandle')!.value)).toEqual([9])
  })

  it('unitAddress() gives what follows the @', () => {
    expect(unitAddress('memory@40000000')).toBe('40000000')
    expect(unitAddress('chosen')).toBe('')
  })
})

describe('values', () => {
  it('cellsOf() reads unsigned cells from any byte offset, and leaves out a part of one', () => {
    const bytes = Uint8Array.of(9, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 5)
    expect(cellsOf(bytes.subarray(1))).toEqual([0xffff_ffff, 1])
  })

  it('readNumber() joins cells, high one first, as of_read_number() does', () => {
    const value = cellsValue(0x8, 0x8000_0000, 3)
    expect(readNumber(value, 0, 2)).toBe(0x8_8000_0000)
    expect(readNumber(value, 4, 1)).toBe(0x8000_0000)
    expect(readNumber(value, 0, 0)).toBe(0)
    expect(readNumber(cellsValue(5, 0, 6), 0, 3)).toBe(6)
  })

  it('readNumber() is exact up to 2^53 - 1 and throws above', () => {
    expect(readNumber(cellsValue(0x1f_ffff, 0xffff_ffff), 0, 2)).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => readNumber(cellsValue(0x20_0000, 0), 0, 2)).toThrow(/0x20000000000000 .*2\^53 - 1/)
  })

  it('readNumber() throws with both numbers when the cells go past the end', () => {
    expect(() => readNumber(cellsValue(1), 0, 2)).toThrow(/end at 8, but the value has 4 bytes/)
  })

  it('writeNumber() writes what readNumber() reads, and refuses what does not fit', () => {
    expect(readNumber(writeNumber(0x1_2345_6789, 2), 0, 2)).toBe(0x1_2345_6789)
    expect(() => writeNumber(2 ** 32, 1)).toThrow(/does not fit/)
    expect(() => writeNumber(-1, 1)).toThrow(/does not fit/)
    expect(() => writeNumber(1.5, 1)).toThrow(/does not fit/)
  })

  it('stringsOf() splits at NUL bytes, and takes a last string without one', () => {
    expect(stringsOf(stringsValue('arm,pl011', '', 'arm,primecell'))).toEqual([
      'arm,pl011',
      '',
      'arm,primecell',
    ])
    expect(stringsOf(Uint8Array.of(97, 0, 98))).toEqual(['a', 'b'])
    expect(stringsOf(new Uint8Array(0))).toEqual([])
  })
})
