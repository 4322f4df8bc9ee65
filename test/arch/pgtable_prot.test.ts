// SPDX-License-Identifier: MIT
//
// Bits of protections and entries, against values that were read from kernels or worked out from their headers.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isAliasMismatch } from '../../code/arch/memory_type.ts'
import {
  hardwarePte,
  L_PTE_DIRTY,
  L_PTE_MT_BUFFERABLE,
  L_PTE_MT_MASK,
  L_PTE_MT_UNCACHED,
  L_PTE_MT_WRITEALLOC,
  L_PTE_MT_WRITETHROUGH,
  L_PTE_XN,
  L_PTE_YOUNG,
} from '../../code/arch/pgtable_arm.ts'
import { PTE_DIRTY, PTE_RDONLY, PTE_WRITE } from '../../code/arch/pgtable_arm64.ts'
import {
  memoryTypeOf,
  PAGE_COPY,
  PAGE_KERNEL,
  PAGE_NONE,
  PAGE_READONLY,
  PAGE_READONLY_EXEC,
  PAGE_SHARED,
  PAGE_SHARED_EXEC,
  pgprot_device,
  pgprot_dmacoherent,
  pgprot_noncached,
  pgprot_writecombine,
  vm_get_page_prot,
} from '../../code/arch/pgtable_prot.ts'
import {
  pfn_pte,
  pte_dirty,
  pte_mkclean,
  pte_mkdirty,
  pte_mkold,
  pte_mkspecial,
  pte_mkwrite,
  pte_mkyoung,
  pte_modify,
  pte_none,
  pte_pfn,
  pte_present,
  pte_special,
  pte_user,
  pte_write,
  pte_wrprotect,
  pte_young,
} from '../../code/arch/pgtable_pte.ts'
import {
  is_migration_entry,
  is_swap_pte,
  is_writable_migration_entry,
  make_readable_migration_entry,
  make_writable_migration_entry,
  pte_to_swp_entry,
  swp_entry_to_pte,
  swp_offset_pfn,
} from '../../code/arch/pgtable_swap.ts'
import type { GeometryName } from '../../code/arch/pgtable.ts'
import { GEOMETRIES } from '../../code/arch/pgtable.ts'
import type { Arch } from '../../code/lib/kernel_version.ts'
import '../support/laws_seed.ts'

const ARCHES = ['arm', 'arm64'] as const
const SHARED_RW = 0xfb
const hex = (value: bigint): string => `0x${value.toString(16)}`

describe('vm_get_page_prot()', () => {
  test('of a shared writable vma is …fc3 on arm64, as 6.1.192 and 6.12.117 print it; the upper bits are DBM, PXN, UXN', () => {
    expect(hex(vm_get_page_prot('arm64', SHARED_RW))).toBe('0x68000000000fc3')
  })

  test('of arm is shared, write-allocate, never executed, clean', () => {
    // PRESENT YOUNG, WRITEALLOC (7 << 2), USER, XN, SHARED.
    expect(hex(vm_get_page_prot('arm', SHARED_RW))).toBe('0x71f')
  })

  const [READ, WRITE, EXEC, SHARED] = [1, 2, 4, 8]
  test.each(ARCHES)('gives a private vma no writable entry, a shared one does [%s]', (arch) => {
    for (let flags = 0; flags < 16; flags++) {
      const prot = vm_get_page_prot(arch, flags)
      expect(pte_write(arch, prot) && pte_user(arch, prot)).toBe(
        (flags & WRITE) !== 0 && (flags & SHARED) !== 0,
      )
      expect(pte_user(arch, prot)).toBe((flags & (READ | WRITE | EXEC)) !== 0)
      expect(pte_dirty(arch, prot)).toBe(false)
      expect(pte_present(arch, prot)).toBe(true)
    }
    expect(vm_get_page_prot(arch, READ | 0x40444f0)).toBe(PAGE_READONLY(arch))
    expect(vm_get_page_prot(arch, READ | WRITE)).toBe(PAGE_COPY(arch))
    expect(vm_get_page_prot(arch, READ | EXEC)).toBe(PAGE_READONLY_EXEC(arch))
    expect(vm_get_page_prot(arch, READ | WRITE | EXEC | SHARED)).toBe(PAGE_SHARED_EXEC(arch))
    expect(vm_get_page_prot(arch, 0)).toBe(PAGE_NONE(arch))
  })
})

describe('pgprot_dmacoherent()', () => {
  test('makes …fc3 to …fcb on arm64, the change that a real dma_mmap_coherent() was seen to make', () => {
    const prot = vm_get_page_prot('arm64', SHARED_RW)
    expect(hex(pgprot_dmacoherent('arm64', prot))).toBe('0x68000000000fcb')
    expect(pgprot_dmacoherent('arm64', prot)).toBe(pgprot_writecombine('arm64', prot))
  })

  test('on arm64 forbids execution, to the kernel and to programs, even where it was allowed', () => {
    expect(hex(pgprot_dmacoherent('arm64', PAGE_SHARED_EXEC('arm64')))).toBe('0x68000000000fcb')
  })

  test('MC-6.15: on arm is BUFFERABLE and XN, write-combined BUFFERABLE alone, without ARM_DMA_MEM_BUFFERABLE UNCACHED and XN', () => {
    const exec = PAGE_KERNEL('arm') & ~L_PTE_XN
    const bits = (prot: bigint) => [prot & L_PTE_MT_MASK, prot & L_PTE_XN]
    expect(bits(pgprot_dmacoherent('arm', exec))).toEqual([L_PTE_MT_BUFFERABLE, L_PTE_XN])
    expect(bits(pgprot_writecombine('arm', exec))).toEqual([L_PTE_MT_BUFFERABLE, 0n])
    expect(bits(pgprot_dmacoherent('arm', exec, false))).toEqual([L_PTE_MT_UNCACHED, L_PTE_XN])
    expect(bits(PAGE_KERNEL('arm'))).toEqual([L_PTE_MT_WRITEALLOC, L_PTE_XN])
  })
})

describe('memoryTypeOf()', () => {
  test.each(ARCHES)('MC-8.6: tells the type of each protection [%s]', (arch) => {
    const user = PAGE_SHARED(arch)
    expect(memoryTypeOf(arch, user)).toBe('normal')
    expect(memoryTypeOf(arch, PAGE_KERNEL(arch))).toBe('normal')
    expect(memoryTypeOf(arch, pgprot_writecombine(arch, user))).toBe('normal-nc')
    expect(memoryTypeOf(arch, pgprot_dmacoherent(arch, user))).toBe('normal-nc')
    expect(memoryTypeOf(arch, pgprot_noncached(arch, user))).toBe('device-nGnRnE')
    expect(memoryTypeOf(arch, pgprot_device(arch, user))).toBe('device-nGnRE')
    expect(memoryTypeOf('arm', (PAGE_SHARED('arm') & ~L_PTE_MT_MASK) | L_PTE_MT_WRITETHROUGH)).toBe(
      'normal-wt',
    )
  })

  test.each(ARCHES)(
    'MC-8.6: PAGE_SHARED over a write-combined buffer is an alias that disagrees [%s]',
    (arch) => {
      const kernel = memoryTypeOf(arch, pgprot_writecombine(arch, PAGE_KERNEL(arch)))
      expect(isAliasMismatch(kernel, memoryTypeOf(arch, PAGE_SHARED(arch)))).toBe(true)
      const dma = pgprot_dmacoherent(arch, vm_get_page_prot(arch, SHARED_RW))
      expect(isAliasMismatch(kernel, memoryTypeOf(arch, dma))).toBe(false)
    },
  )

  test.each(ARCHES)('leaves the address out of the question [%s]', (arch) => {
    const geometry = GEOMETRIES[arch === 'arm' ? 'arm' : 'arm64-4k-48']
    const pte = pfn_pte(geometry, 0xfffff, pgprot_dmacoherent(arch, PAGE_SHARED(arch)))
    expect(memoryTypeOf(arch, pte)).toBe('normal-nc')
  })
})

describe('pfn_pte()', () => {
  test.each(Object.keys(GEOMETRIES) as GeometryName[])(
    'and pte_pfn() are a round trip, prot included [%s]',
    (name) => {
      const geometry = GEOMETRIES[name]
      const { arch, pageSize } = geometry
      const prots = [PAGE_SHARED, PAGE_READONLY, PAGE_KERNEL, PAGE_NONE].map((prot) => prot(arch))
      const maxPfn = (arch === 'arm' ? 2 ** 32 : 2 ** 48) / pageSize - 1
      fc.assert(
        fc.property(fc.maxSafeNat(), fc.constantFrom(...prots), (n, prot) => {
          const pfn = n % (maxPfn + 1)
          const pte = pfn_pte(geometry, pfn, prot)
          expect(pte_pfn(geometry, pte)).toBe(pfn)
          expect(pte - BigInt(pfn) * BigInt(pageSize)).toBe(prot)
          expect(pte_pfn(geometry, pte_mkspecial(arch, pte_mkdirty(arch, pte)))).toBe(pfn)
        }),
      )
    },
  )
})

/** Every entry that the functions here can make of a protection. */
const entryOf = (arch: Arch) =>
  fc
    .tuple(
      fc.constantFrom(PAGE_SHARED, PAGE_READONLY, PAGE_COPY, PAGE_SHARED_EXEC),
      fc.array(
        fc.constantFrom(pte_mkwrite, pte_wrprotect, pte_mkdirty, pte_mkclean, pte_mkyoung, pte_mkold),
        {
          maxLength: 8,
        },
      ),
    )
    .map(([prot, changes]) => changes.reduce((pte, change) => change(arch, pte), prot(arch) + 0x4_5000n))

describe('pte_mkwrite(), pte_wrprotect(), pte_mkdirty(), pte_mkclean(), pte_mkyoung(), pte_mkold()', () => {
  test.each(ARCHES)('change what they say and nothing else [%s]', (arch) => {
    const state = (pte: bigint) => [pte_write(arch, pte), pte_dirty(arch, pte), pte_young(arch, pte)]
    fc.assert(
      fc.property(entryOf(arch), (pte) => {
        const [write, dirty, young] = state(pte)
        expect(state(pte_mkwrite(arch, pte))).toEqual([true, dirty, young])
        expect(state(pte_wrprotect(arch, pte))).toEqual([false, dirty, young])
        expect(state(pte_mkdirty(arch, pte))).toEqual([write, true, young])
        expect(state(pte_mkclean(arch, pte))).toEqual([write, false, young])
        expect(state(pte_mkyoung(arch, pte))).toEqual([write, dirty, true])
        expect(state(pte_mkold(arch, pte))).toEqual([write, dirty, false])
      }),
    )
  })

  test('on arm64 a writable entry is read-only for the hardware exactly while it is clean', () => {
    fc.assert(
      fc.property(entryOf('arm64'), (pte) => {
        if (pte_write('arm64', pte)) expect((pte & PTE_RDONLY) === 0n).toBe(pte_dirty('arm64', pte))
        else expect(pte & PTE_RDONLY).toBe(PTE_RDONLY)
      }),
    )
  })
})

describe('pte_wrprotect()', () => {
  test('on arm64 keeps in software that the hardware had found it dirty', () => {
    const hwDirty = PAGE_SHARED('arm64') & ~PTE_RDONLY
    expect(pte_wrprotect('arm64', hwDirty) & (PTE_DIRTY | PTE_WRITE)).toBe(PTE_DIRTY)
  })
})

describe('pte_modify()', () => {
  test.each(ARCHES)('gives other rights to the same page, as dirty and as young [%s]', (arch) => {
    const geometry = GEOMETRIES[arch === 'arm' ? 'arm' : 'arm64-4k-48']
    fc.assert(
      fc.property(entryOf(arch), fc.constantFrom(PAGE_SHARED, PAGE_READONLY, PAGE_NONE), (pte, prot) => {
        const changed = pte_modify(arch, pte, prot(arch))
        expect(pte_pfn(geometry, changed)).toBe(pte_pfn(geometry, pte))
        expect([pte_dirty(arch, changed), pte_young(arch, changed)]).toEqual([
          pte_dirty(arch, pte),
          pte_young(arch, pte),
        ])
        expect(pte_user(arch, changed)).toBe(pte_user(arch, prot(arch)))
        expect(pte_write(arch, changed)).toBe(pte_write(arch, prot(arch)))
        if (arch === 'arm64')
          expect((changed & PTE_RDONLY) === 0n).toBe(pte_write(arch, changed) && pte_dirty(arch, changed))
      }),
    )
  })
})

describe('pte_special()', () => {
  test('is a bit of arm64, and nothing on arm', () => {
    expect(pte_special('arm64', pte_mkspecial('arm64', PAGE_SHARED('arm64')))).toBe(true)
    expect(pte_special('arm64', PAGE_SHARED('arm64'))).toBe(false)
    expect(pte_special('arm', pte_mkspecial('arm', PAGE_SHARED('arm')))).toBe(false)
  })
})

describe('hardwarePte()', () => {
  const pte = 0x1234_5000n | PAGE_SHARED('arm')
  test('is read-only while the page is clean, writable when it is dirty, a fault when it is old or PROT_NONE', () => {
    // Small page, XN, C and B, TEX[0], AP[1:0] = 11, S, nG; APX while it is clean.
    expect(hex(hardwarePte(pte))).toBe('0x12345e7f')
    expect(hex(hardwarePte(pte | L_PTE_DIRTY))).toBe('0x12345c7f')
    expect(hardwarePte(pte & ~L_PTE_YOUNG)).toBe(0n)
    expect(hardwarePte(PAGE_NONE('arm'))).toBe(0n)
    expect(hardwarePte(0n)).toBe(0n)
  })

  test('of a dma-coherent page has B without C: normal, not cacheable', () => {
    expect(hardwarePte(pgprot_dmacoherent('arm', pte)) & 0x4cn).toBe(0x4n)
  })
})

describe('swp_entry_to_pte()', () => {
  test.each(ARCHES)(
    'and pte_to_swp_entry() are a round trip; the entry is neither empty nor present [%s]',
    (arch) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 2 ** (arch === 'arm' ? 20 : 36) }),
          fc.boolean(),
          (pfn, writable) => {
            const entry = writable ? make_writable_migration_entry(pfn) : make_readable_migration_entry(pfn)
            const pte = swp_entry_to_pte(arch, entry)
            expect([pte_none(pte), pte_present(arch, pte), is_swap_pte(arch, pte)]).toEqual([
              false,
              false,
              true,
            ])
            if (arch === 'arm') expect(pte < 2n ** 32n).toBe(true)
            const back = pte_to_swp_entry(arch, pte)
            expect([
              is_migration_entry(back),
              is_writable_migration_entry(back),
              swp_offset_pfn(back),
            ]).toEqual([true, writable, pfn])
          },
        ),
      )
    },
  )

  test.each(ARCHES)('a PROT_NONE entry, an empty and a present one are no swap entries [%s]', (arch) => {
    const ptes = [PAGE_NONE(arch) + 0x5000n, 0n, PAGE_SHARED(arch)]
    expect(ptes.map((pte) => is_swap_pte(arch, pte))).toEqual([false, false, false])
    expect(is_migration_entry({ type: 0, offset: 5 })).toBe(false)
  })
})
