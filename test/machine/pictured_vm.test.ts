// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { drawMemory } from '../../code/machine/picture.ts'
import {
  cacheFile,
  picturedVm,
  programPfn,
  programReads,
  startProgram,
} from '../../code/machine/pictured_vm.ts'
import { alloc_contig_range } from '../../code/mm/contig_range.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { PG_dirty } from '../../code/mm/mmzone.ts'

const PICTURE = 'C ................ M ################ U ########........'

describe('picturedVm()', () => {
  it('is the picture, and a program and a file in it can be drawn', () => {
    const vm = picturedVm(PICTURE, { start: 0x40000 })
    expect(drawMemory(vm.pgdat).replaceAll('\n', ' ')).toBe(PICTURE)
    const editor = startProgram(vm, 'editor', 3)
    const { cache } = cacheFile(vm, 'film', 2, false)
    expect(drawMemory(vm.pgdat).split('\n')[0]).toBe('C *****...........')
    expect([0, 1, 2].map((page) => programReads(vm, editor, page))).toEqual([
      'editor 0',
      'editor 1',
      'editor 2',
    ])
    expect(programPfn(vm, editor, 2)).toBe(0x40002)
    expect([...cache.i_pages.values()]).toEqual([0x40003, 0x40004])
  })

  it('pages move in it, and the program reads what it wrote', () => {
    const vm = picturedVm(PICTURE)
    const editor = startProgram(vm, 'editor', 2)
    expect(alloc_contig_range(vm, 0, 16, vm.pgdat.migrate.CMA, GFP_KERNEL)).toBe(0)
    expect(programPfn(vm, editor, 1)).toBeGreaterThanOrEqual(16)
    expect(programReads(vm, editor, 1)).toBe('editor 1')
  })
})

describe('cacheFile() and startProgram()', () => {
  it('a dirty file is dirty in every page', () => {
    const vm = picturedVm(PICTURE)
    const { cache } = cacheFile(vm, 'notes', 2, true)
    expect([...cache.i_pages.values()].map((pfn) => vm.pgdat.map.flags[pfn]! & PG_dirty)).toEqual([
      PG_dirty,
      PG_dirty,
    ])
  })

  it('startProgram() throws when memory is full', () => {
    expect(() => startProgram(picturedVm(PICTURE), 'hog', 64)).toThrow(/startProgram: page \d+ of 64: SIG/)
  })
})
