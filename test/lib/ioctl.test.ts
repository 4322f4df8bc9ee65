// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { _IO, _IOC, _IOC_READ, _IOC_WRITE, _IOR, _IOW, _IOWR, decodeIoctl } from '../../code/lib/ioctl.ts'
import { decodeStruct, encodeStruct, layoutOf } from '../../code/lib/c_layout.ts'
import { CMA_MEM_STRUCTS } from '../../code/machine/cma_mem_abi.ts'
import { SEED_DRIVER_INFO, SEED_PROGRAM_INFO } from '../../code/machine/seed_cma_mem.ts'

describe('_IOC()', () => {
  test('TV-35, MC-13.4: _IOW of type m, number 5 and an unsigned int is 0x40046d05', () => {
    expect(_IOW('m', 5, 4)).toBe(0x4004_6d05)
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((nr) => _IOW('m', nr, 4) - 0x4004_6d00)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ])
  })

  test('MC-13.4: _IOWR with 24 bytes begins with 0xc018', () => {
    expect(_IOWR(0xbc, 0x15, 24)).toBe(0xc018_bc15)
    expect(_IOR(0xbc, 0x13, 24)).toBe(0x8018_bc13)
    expect(_IO(0xbc, 0x19)).toBe(0x0000_bc19)
  })

  test.each([
    ['size', () => _IOR('m', 1, 16384), 'size is 16384, expected 0 to 16383'],
    ['type', () => _IO(256, 1), 'type is 256, expected 0 to 255'],
    ['nr', () => _IO('m', 256), 'nr is 256, expected 0 to 255'],
    ['dir', () => _IOC(4, 'm', 1, 0), 'dir is 4, expected 0 to 3'],
  ])('throws for a %s that would run into the next field', (_part, make, message) => {
    expect(make).toThrow(message)
  })
})

describe('decodeIoctl()', () => {
  test('MC-13.4: 0x40046d05 is written, 4 bytes, type m, number 5', () => {
    expect(decodeIoctl(0x4004_6d05)).toEqual({ dir: _IOC_WRITE, size: 4, type: 0x6d, nr: 5 })
    expect(decodeIoctl(0xc018_bc15)).toEqual({ dir: _IOC_READ | _IOC_WRITE, size: 24, type: 0xbc, nr: 0x15 })
  })

  test('undoes _IOC() for every number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (cmd) => {
        const { dir, size, type, nr } = decodeIoctl(cmd)
        expect(_IOC(dir, type, nr, size)).toBe(cmd)
      }),
    )
  })

  test('throws for what has more than 32 bits', () => {
    expect(() => decodeIoctl(2 ** 32)).toThrow('a command is 4294967296, expected 0 to 4294967295')
  })
})

describe('layoutOf()', () => {
  test('TV-36: the driver of 2014 has 32 bytes for LP64 and 28 for ILP32, its program 56 and 28', () => {
    const sizes = [SEED_DRIVER_INFO, SEED_PROGRAM_INFO].map((fields) => [
      layoutOf(fields, 'LP64').size,
      layoutOf(fields, 'ILP32').size,
    ])
    expect(sizes).toEqual([
      [32, 28],
      [56, 28],
    ])
    expect(layoutOf(SEED_DRIVER_INFO, 'LP64').offsets).toEqual({
      ...{ name: 0, is_cache: 8, id: 12, offset: 16, len: 20, phy_base: 24, mem_base: 28 },
    })
    expect(layoutOf(SEED_PROGRAM_INFO, 'LP64').offsets).toMatchObject({ id: 16, len: 32, mem_base: 48 })
  })

  test('TV-36: fixed widths have one layout: cma_mem_allocate 24 bytes and 24, and so the others', () => {
    expect(layoutOf(CMA_MEM_STRUCTS.allocate, 'LP64').size).toBe(24)
    for (const fields of Object.values(CMA_MEM_STRUCTS)) {
      expect(layoutOf(fields, 'ILP32')).toEqual(layoutOf(fields, 'LP64'))
    }
  })

  test('pads in front of a field and at the end', () => {
    expect(layoutOf({ a: 'char', b: '__u64', c: '__u16' }, 'LP64')).toMatchObject({
      ...{ offsets: { a: 0, b: 8, c: 16 }, size: 24 },
    })
    expect(() => layoutOf({}, 'LP64')).toThrow('got no fields')
  })
})

describe('encodeStruct()', () => {
  const layout = layoutOf({ small: '__s32', wide: '__u64' }, 'LP64')

  test('writes little-endian, cuts to the width, and leaves the rest 0', () => {
    expect([...encodeStruct(layout, { small: 0x1_0203_0405 })]).toEqual([
      5,
      4,
      3,
      2,
      ...Array<number>(12).fill(0),
    ])
    expect(decodeStruct(layout, encodeStruct(layout, { small: -2, wide: 2 ** 40 }))).toEqual({
      small: -2,
      wide: 2 ** 40,
    })
  })

  test('keeps a value of 64 bits that is given as a bigint', () => {
    expect([...encodeStruct(layout, { wide: 2n ** 64n - 1n }).subarray(8)]).toEqual(
      Array<number>(8).fill(0xff),
    )
  })

  test('decodeStruct() throws for too few bytes', () => {
    expect(() => decodeStruct(layout, new Uint8Array(15))).toThrow('got 15 bytes, expected 16')
  })

  test('MC-13.4: on a 64-bit machine the driver of 2014 reads the length from the upper half of the program’s id', () => {
    const program = encodeStruct(layoutOf(SEED_PROGRAM_INFO, 'LP64'), { id: 0x7_0000_0001, len: 1536000 })
    expect(decodeStruct(layoutOf(SEED_DRIVER_INFO, 'LP64'), program).len).toBe(7)
    const same = encodeStruct(layoutOf(SEED_PROGRAM_INFO, 'ILP32'), { id: 1, len: 1536000 })
    expect(decodeStruct(layoutOf(SEED_DRIVER_INFO, 'ILP32'), same).len).toBe(1536000)
  })
})
