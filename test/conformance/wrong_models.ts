// SPDX-License-Identifier: MIT
//
// Models with one thing wrong, each as the text of a source file that changes. Calls by chance must find every one.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from '../support/files.ts'
import type { compareCalls } from '../../code/lab/model_calls.ts'

export interface WrongModel {
  readonly name: string
  /** From the root. */
  readonly file: string
  /** Must be there once. */
  readonly right: string
  readonly wrong: string
}

export const WRONG_MODELS: readonly WrongModel[] = [
  {
    name: 'CMA buffers are aligned to 2 MiB at most, not 1 MiB',
    file: 'code/dma/contiguous.ts',
    right: 'CONFIG_CMA_ALIGNMENT = 8',
    wrong: 'CONFIG_CMA_ALIGNMENT = 9',
  },
  {
    name: 'CMA buffers are aligned to 512 KiB at most',
    file: 'code/dma/contiguous.ts',
    right: 'CONFIG_CMA_ALIGNMENT = 8',
    wrong: 'CONFIG_CMA_ALIGNMENT = 7',
  },
  {
    name: 'CMA takes a power of two of pages',
    file: 'code/dma/contiguous.ts',
    right: 'const count = Math.floor(size / pageSize)\n  return dma_alloc_from_contiguous',
    wrong: 'const count = 2 ** get_order(size, pageSize)\n  return dma_alloc_from_contiguous',
  },
  {
    name: 'the search begins behind the first page',
    file: 'code/mm/cma.ts',
    right: 'for (let start = 0; ;)',
    wrong: 'for (let start = 1; ;)',
  },
  {
    name: 'behind a busy place the search goes on behind the whole range',
    file: 'code/mm/cma.ts',
    right: 'start = bit + mask + 1',
    wrong: 'start = bit + bits',
  },
  {
    name: 'a search that ends in vain has always found nothing',
    file: 'code/mm/cma.ts',
    right: 'if (bit >= maxno) return last',
    wrong: 'if (bit >= maxno) return { ret: -ENOMEM, pfn: -1 }',
  },
  {
    name: 'an area cannot be taken whole',
    file: 'code/mm/cma.ts',
    right: 'cma_bitmap_pages_to_bits(cma, count) > cma_bitmap_maxno(cma)',
    wrong: 'cma_bitmap_pages_to_bits(cma, count) >= cma_bitmap_maxno(cma)',
  },
  {
    name: 'a release forgets the last page',
    file: 'code/mm/cma.ts',
    right: 'free_contig_range(vm, pages!, count)\n  cma_clear_bitmap(cma, pages!, count)',
    wrong: 'free_contig_range(vm, pages!, count)\n  cma_clear_bitmap(cma, pages!, count > 1 ? count - 1 : 1)',
  },
  {
    name: 'single pages come from the default area',
    file: 'code/dma/contiguous.ts',
    right: 'size <= pageSize || !contiguous',
    wrong: 'size < pageSize || !contiguous',
  },
  {
    name: 'callers that cannot wait get CMA',
    file: 'code/dma/contiguous.ts',
    right: 'if (!gfpflags_allow_blocking(gfp)) return null\n',
    wrong: '',
  },
  {
    name: 'where the device’s area is full, the default area gives',
    file: 'code/dma/contiguous.ts',
    right: 'return dma_alloc_from_contiguous(vm, contiguous, dev, count, get_order(size, pageSize), no_warn)',
    wrong:
      'return dma_alloc_from_contiguous(vm, contiguous, dev, count, get_order(size, pageSize), no_warn) ?? dma_alloc_from_contiguous(vm, contiguous, null, count, get_order(size, pageSize), no_warn)',
  },
  {
    name: 'where CMA is full, nobody gives',
    file: 'code/dma/direct.ts',
    right: 'for (;;) {\n    const page = __alloc_pages(pgdat, gfp, order)',
    wrong:
      'if (size > dma.pageSize) return null\n  for (;;) {\n    const page = __alloc_pages(pgdat, gfp, order)',
  },
  {
    name: 'a pool rounds down to a power of two',
    file: 'code/dma/coherent_alloc.ts',
    right: 'const pageno = bitmap_find_free_region(bitmap, bitmap.nbits, get_order(size, dma.pageSize))',
    wrong:
      'const down = Math.floor(Math.log2(Math.ceil(size / dma.pageSize)))\n  const pageno = bitmap_find_free_region(bitmap, bitmap.nbits, down)',
  },
  {
    name: 'a pool gives at any page',
    file: 'code/lib/bitmap.ts',
    right: 'pos + nr <= bits; pos += nr',
    wrong: 'pos + nr <= bits; pos += 1',
  },
  {
    name: 'where a pool is full, CMA gives',
    file: 'code/dma/mapping.ts',
    right: 'if (own !== undefined) return traced',
    wrong: 'if (own) return traced',
  },
  {
    name: 'a pool clears whole pages',
    file: 'code/dma/coherent_alloc.ts',
    right: 'memsetZero(dma, cpu_addr, size)',
    wrong: 'memsetZero(dma, cpu_addr, PAGE_ALIGN(dma, size))',
  },
  {
    name: 'a device can have a second pool',
    file: 'code/dma/coherent.ts',
    right: 'if (dev.dma_mem) return -EBUSY',
    wrong: '',
  },
  {
    name: 'a bus moves no addresses',
    file: 'code/dma/dma_address.ts',
    right: 'return range ? range.dma_start + (paddr - range.cpu_start)',
    wrong: 'return range ? paddr as number',
  },
  {
    name: 'the newest piece of an atomic pool comes last',
    file: 'code/lib/genalloc.ts',
    right: 'pool.chunks.unshift(',
    wrong: 'pool.chunks.push(',
  },
  {
    name: 'a mapping may be a page too long',
    file: 'code/dma/dma_mmap.ts',
    right: 'user_count > count - vma.vm_pgoff',
    wrong: 'user_count > count - vma.vm_pgoff + 1',
  },
  {
    name: 'a mapping of a pool may not begin with its last page',
    file: 'code/dma/coherent_alloc.ts',
    right: 'if (off >= count ||',
    wrong: 'if (off >= count - 1 ||',
  },
  {
    name: 'a refused mapping keeps its protection',
    file: 'code/dma/dma_mmap.ts',
    right: 'vma.vm_page_prot = dma_pgprot(dma, dev, vma.vm_page_prot)\n',
    wrong:
      'const whole = PAGE_ALIGN(dma, size) / dma.pageSize\n  if (vma.vm_pgoff + (vma.vm_end - vma.vm_start) / dma.pageSize <= whole) vma.vm_page_prot = dma_pgprot(dma, dev, vma.vm_page_prot)\n',
  },
  {
    name: 'a remapped area may be dumped',
    file: 'code/mm/memory_remap.ts',
    right: 'VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP\n',
    wrong: 'VM_IO | VM_PFNMAP | VM_DONTEXPAND\n',
  },
  {
    name: 'a mask need not reach the end of RAM',
    file: 'code/dma/direct.ts',
    right: 'return mask >= phys_to_dma(dma.kernel, dev, min_mask)',
    wrong: 'return mask >= phys_to_dma(dma.kernel, dev, min_mask) / 2',
  },
  {
    name: 'the test begins at the range, not at the free block around it',
    file: 'code/mm/contig_range.ts',
    right: 'const outer_start = outerStart(pgdat, start)',
    wrong: 'const outer_start: number | null = start',
  },
]

const exactlyOnce = (text: string, wanted: string): boolean => text.split(wanted).length === 2

/** compareCalls() with a wrong model under it. */
export async function withWrongModel(model: WrongModel): Promise<typeof compareCalls> {
  const file = join(root, model.file)
  const text = readFileSync(file, 'utf8')
  if (!exactlyOnce(text, model.right)) throw new Error(`${model.file}: not once: ${model.right}`)
  const folder = mkdtempSync(join(tmpdir(), 'contig-wrong-'))
  try {
    const outfile = join(folder, 'model.mjs')
    await build({
      ...{ entryPoints: [join(root, 'code/lab/model_calls.ts')], outfile, bundle: true, logLevel: 'silent' },
      ...{ platform: 'node', format: 'esm', target: 'node20' },
      plugins: [
        {
          name: 'wrong',
          setup: (each) =>
            each.onLoad({ filter: /\.ts$/ }, ({ path }) =>
              path === file
                ? { contents: text.replace(model.right, () => model.wrong), loader: 'ts' }
                : undefined,
            ),
        },
      ],
    })
    const made = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as {
      compareCalls: typeof compareCalls
    }
    return made.compareCalls
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
