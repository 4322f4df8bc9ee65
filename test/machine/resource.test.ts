// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import {
  formatResources,
  insert_resource_conflict,
  IORESOURCE_MEM,
  IORESOURCE_SYSTEM_RAM,
  makeResource,
  ramInRange,
  request_resource_conflict,
  reserve_region_with_split,
} from '../../code/machine/resource.ts'

const root = () => makeResource('PCI mem', 0, 0xffff_ffff, 0)
const mem = (name: string, start: number, end: number) => makeResource(name, start, end, IORESOURCE_MEM)
const ram = (start: number, end: number) => makeResource('System RAM', start, end, IORESOURCE_SYSTEM_RAM)

describe('the resource tree', () => {
  test('request_resource_conflict() names who is in the way', () => {
    const iomem = root()
    const a = mem('a', 0x100, 0x1ff)
    expect(request_resource_conflict(iomem, a)).toBeNull()
    expect(request_resource_conflict(iomem, mem('b', 0x1ff, 0x2ff))).toBe(a)
    expect(request_resource_conflict(iomem, mem('c', 0x200, 0x1ff))).toBe(iomem)
    expect(request_resource_conflict(a, mem('d', 0x80, 0x17f))).toBe(a)
  })

  test('insert_resource_conflict() goes into what holds it and around what it holds', () => {
    const iomem = root()
    insert_resource_conflict(iomem, mem('code', 0x200, 0x2ff))
    insert_resource_conflict(iomem, mem('data', 0x400, 0x4ff))
    expect(insert_resource_conflict(iomem, mem('ram', 0x100, 0x7ff))).toBeNull()
    expect(insert_resource_conflict(iomem, mem('inner', 0x280, 0x28f))).toBeNull()
    expect(formatResources(iomem)).toBe(
      '00000100-000007ff : ram\n  00000200-000002ff : code\n    00000280-0000028f : inner\n  00000400-000004ff : data\n',
    )
  })

  test('insert_resource_conflict() refuses a partial overlap and changes nothing', () => {
    const iomem = root()
    insert_resource_conflict(iomem, mem('code', 0x200, 0x2ff))
    const before = formatResources(iomem)
    expect(insert_resource_conflict(iomem, mem('half', 0x280, 0x37f))?.name).toBe('code')
    expect(formatResources(iomem)).toBe(before)
  })

  test('insert_resource_conflict() puts an equal range around the one that is there', () => {
    const iomem = root()
    insert_resource_conflict(iomem, mem('first', 0x200, 0x2ff))
    insert_resource_conflict(iomem, mem('second', 0x200, 0x2ff))
    expect(formatResources(iomem)).toBe('00000200-000002ff : second\n  00000200-000002ff : first\n')
  })

  test('reserve_region_with_split() fills the gaps between children', () => {
    const iomem = root()
    const r = ram(0x100, 0x7ff)
    insert_resource_conflict(iomem, r)
    insert_resource_conflict(iomem, mem('code', 0x200, 0x2ff))
    insert_resource_conflict(iomem, mem('data', 0x400, 0x4ff))
    reserve_region_with_split(r, 0x280, 0x5ff, 'reserved')
    expect(r.children.map((c) => `${c.name} ${c.start.toString(16)}-${c.end.toString(16)}`)).toEqual([
      'code 200-2ff',
      'reserved 300-3ff',
      'data 400-4ff',
      'reserved 500-5ff',
    ])
    reserve_region_with_split(r, 0x200, 0x2ff, 'reserved')
    expect(r.children).toHaveLength(4)
  })

  test('ramInRange() tells RAM from holes and from other things', () => {
    const iomem = root()
    request_resource_conflict(iomem, ram(0x1000, 0x1fff))
    request_resource_conflict(iomem, mem('reserved', 0x2000, 0x2fff))
    expect(ramInRange(iomem, 0x1800, 0x100)).toBe('intersects')
    expect(ramInRange(iomem, 0x800, 0x1000)).toBe('intersects')
    expect(ramInRange(iomem, 0x1f00, 0x200)).toBe('mixed')
    expect(ramInRange(iomem, 0x2000, 0x1000)).toBe('disjoint')
  })

  test('formatResources() widens beyond 32 bits and stops indenting at five levels', () => {
    const iomem = makeResource('PCI mem', 0, Number.MAX_SAFE_INTEGER, 0)
    for (let depth = 0; depth < 7; depth++)
      insert_resource_conflict(iomem, mem(`l${depth}`, 0x80_0000_0000 + depth, 0x80_0000_00ff))
    const indents = formatResources(iomem)
      .split('\n')
      .slice(0, 7)
      .map((line) => line.search(/\S/))
    expect(indents).toEqual([0, 2, 4, 6, 8, 10, 10])
    expect(formatResources(iomem)).toContain('8000000000-80000000ff : l0')
  })
})
