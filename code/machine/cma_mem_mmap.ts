// SPDX-License-Identifier: MIT
//
// Mappings of /dev/cma_mem, as kernel/cma_mem/cma_mem_mmap.c makes them: by dma_mmap_attrs(), which looks at the range by
// itself, or by remap_pfn_range(), for which the driver does.
//
//     file.mappings = mmap + every open (fork, split, move) - every close

// #region cma-mem-mmap-model-imports
import { dma_to_pfn } from '../dma/dma_address.ts'
import { dma_mmap_attrs } from '../dma/dma_mmap.ts'
import { dma_pgprot } from '../dma/dma_pgprot.ts'
import { EINVAL, ENXIO } from '../lib/errno.ts'
import { remap_pfn_range } from '../mm/memory_remap.ts'
import { VM_MAYSHARE } from '../mm/mmap_flags.ts'
import { vma_pages } from '../mm/mm_struct.ts'
import type { Vm, VmArea, VmOperations } from '../mm/vm.ts'
import type { CmaMemBuffer, CmaMemFile } from './cma_mem_buffer.ts'
import { CMA_MEM_MAP_PFN } from './cma_mem_abi.ts'
// #endregion cma-mem-mmap-model-imports

// #region cma-mem-mmap-model-vm-ops
const cmaMemVmOps: VmOperations = {
  open: (_vm, vma) => {
    ;(vma.vm_private_data as CmaMemFile).mappings++
  },
  close: (_vm, vma) => {
    ;(vma.vm_private_data as CmaMemFile).mappings--
  },
}
// #endregion cma-mem-mmap-model-vm-ops

// #region cma-mem-mmap-model-pfn
// The module asks dma_get_sgtable_attrs() for the pages; without an IOMMU it answers with those at the DMA address.
// dma_pgprot() is not for modules: the real one decides as it does, under the same CONFIG_ARCH_HAS_DMA_WRITE_COMBINE.
function mmapPfn({ cm: { dma, dev } }: CmaMemFile, buffer: CmaMemBuffer, vma: VmArea): number {
  const count = buffer.size / dma.pageSize
  const pages = vma_pages(dma.vm, vma)
  if (vma.vm_pgoff >= count || pages > count - vma.vm_pgoff) return -ENXIO
  vma.vm_page_prot = dma_pgprot(dma, dev, vma.vm_page_prot)
  const pfn = dma_to_pfn(dma.kernel, dev, buffer.dma_handle, dma.pageSize) + vma.vm_pgoff
  return remap_pfn_range(dma.vm, vma, vma.vm_start, pfn, pages * dma.pageSize, vma.vm_page_prot)
}
// #endregion cma-mem-mmap-model-pfn

// #region cma-mem-mmap-model
function mmapBuffer(cf: CmaMemFile, vma: VmArea): number {
  const { cm, buffer, how } = cf
  if (!buffer || how === 0 || !(vma.vm_flags & VM_MAYSHARE)) return -EINVAL
  if (how === CMA_MEM_MAP_PFN) return mmapPfn(cf, buffer, vma)
  const { cpu_addr, dma_handle, size, attrs } = buffer
  return dma_mmap_attrs(cm.dma, cm.dev, vma, cpu_addr, dma_handle, size, attrs)
}

/**
 * The driver's mmap: 0, or -EINVAL (no buffer, after UNMAP, a private mapping), -ENXIO (pages that the buffer does not
 * have), -ENOMEM (no page for a page table).
 */
export function cmaMemMmap(_vm: Vm, cf: CmaMemFile, vma: VmArea): number {
  const err = mmapBuffer(cf, vma)
  if (err < 0) return err
  vma.vm_private_data = cf
  vma.vm_ops = cmaMemVmOps
  cf.mappings++
  return 0
}
// #endregion cma-mem-mmap-model
