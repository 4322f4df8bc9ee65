// SPDX-License-Identifier: MIT
import { describe, expect, it, test } from 'vitest'
import { ENOMEM } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import {
  cma_alloc_write,
  cma_free_write,
  cma_maxchunk_get,
  cma_used_get,
  cmaBitmapText,
  cmaSysfs,
} from '../../code/mm/cma_debug.ts'
import { smallMachine } from '../support/mm_machine.ts'

const SINCE_4 = KERNEL_VERSIONS.filter((kernel) => kernelAtLeast(kernel, '4.6'))

// 4096 bits of which `taken` are.
function area(kernel: KernelVersion, taken = 32) {
  const { vm, cma } = smallMachine({ kernel, pages: 8192, cmaPages: 4096 })
  if (taken > 0) cma_alloc(vm, cma, taken, 0, false)
  return { vm, cma, bitOf: (pfn: number) => pfn - cma.base_pfn }
}

describe.each(SINCE_4)('debugfs of %s', (kernel) => {
  test('TV-41, MC-2.14: alloc is not aligned; a failure is -ENOMEM', () => {
    const { vm, cma, bitOf } = area(kernel)
    const lines = vm.log.lines.length
    const results = [256, 512, 768, 1024, 1280, 1536, 100].map((pages) => {
      const ret = cma_alloc_write(vm, cma, pages)
      return ret === 0 ? bitOf(cma.mem_head[0]!.p) : ret
    })
    expect(results).toEqual([32, 288, 800, 1568, 2592, -ENOMEM, 3872])
    if (kernel === '6.12.117') {
      expect(vm.log.lines.slice(lines)).toEqual([
        'cma: __cma_alloc: reserved: alloc failed, req-size: 1536 pages, ret: -12',
        'cma: number of available pages: 224@3872=> 224 free of 4096 total pages',
      ])
    }
  })

  test('MC-2.14: free takes the newest first, and of a longer one its first pages', () => {
    const { vm, cma, bitOf } = area(kernel)
    for (const pages of [256, 1280, 100]) cma_alloc_write(vm, cma, pages)
    expect(cma_free_write(vm, cma, 100)).toBe(0)
    expect(cma.mem_head.map(({ p, n }) => [bitOf(p), n])).toEqual([
      [288, 1280],
      [32, 256],
    ])
    expect(cma_free_write(vm, cma, 30)).toBe(0)
    expect(cma.mem_head.map(({ p, n }) => [bitOf(p), n])).toEqual([
      [318, 1250],
      [32, 256],
    ])
    expect(cma_used_get(cma)).toBe(32 + 1250 + 256)
    // One after the other, and more than there is.
    expect(cma_free_write(vm, cma, 10_000)).toBe(0)
    expect([cma.mem_head, cma_used_get(cma)]).toEqual([[], 32])
  })

  it('says with -ENOMEM also that pages were busy', () => {
    const { vm, cma } = area(kernel, 0)
    vm.fatalSignal = true
    expect(cma_alloc_write(vm, cma, 1)).toBe(-ENOMEM)
  })
})

describe('what debugfs shows', () => {
  it('used, maxchunk and the words of the bitmap', () => {
    const { vm, cma } = area('6.12.117', 0)
    expect([cma_used_get(cma), cma_maxchunk_get(cma)]).toEqual([0, 4096])
    cma_alloc(vm, cma, 3, 0, false)
    cma_alloc(vm, cma, 64, 11, false)
    expect([cma_used_get(cma), cma_maxchunk_get(cma)]).toEqual([67, 2045])
    const words = cmaBitmapText(cma).split(' ')
    expect([words.length, words[0], words[64], words[65], words[66]]).toEqual([
      128,
      '7',
      '4294967295',
      '4294967295',
      '0',
    ])
  })

  it('counts pages where a bit is many, and does not free a part of them', () => {
    const { vm, cma: real } = area('6.12.117', 0)
    const cma = Object.assign(
      { ...real },
      { order_per_bit: 4, bitmap: { nbits: 256, words: new Uint32Array(8) } },
    )
    cma_alloc_write(vm, cma, 20)
    expect([cma_used_get(cma), cma_maxchunk_get(cma)]).toEqual([32, 4064])
    expect(cma_free_write(vm, cma, 16)).toBe(0)
    expect(cma_used_get(cma)).toBe(32)
    cma_free_write(vm, cma, 20)
    expect(cma_used_get(cma)).toBe(0)
  })

  it('nothing before activation', () => {
    const { cma } = area('6.12.117', 0)
    const early = { ...cma, bitmap: null }
    expect([cma_used_get(early), cma_maxchunk_get(early), cmaBitmapText(early)]).toEqual([0, 0, ''])
  })
})

describe('cmaSysfs()', () => {
  it('counts pages, not calls; what was given back in 6.12 only; nothing before 6.1', () => {
    const counters = (kernel: KernelVersion) => {
      const { vm, cma } = area(kernel, 0)
      const pfn = cma_alloc(vm, cma, 100, 0, false)
      cma_alloc(vm, cma, 4000, 0, true)
      cma_release(vm, cma, pfn, 60)
      return cmaSysfs(kernel, cma)
    }
    expect(counters('6.1.192')).toEqual({ alloc_pages_success: 100, alloc_pages_fail: 4000 })
    const more = { release_pages_success: 60 }
    expect(counters('6.12.117')).toEqual({ alloc_pages_success: 100, alloc_pages_fail: 4000, ...more })
    expect(counters('4.12.4')).toEqual({})
  })
})
