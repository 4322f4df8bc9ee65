// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer in a program: by dma_mmap_attrs(), which checks the range and picks
 * the memory type, or by remap_pfn_range(), for which the driver does both.
 */

/* #region cma-mem-mmap-includes */
#include <linux/dma-map-ops.h>	/* not meant for drivers: see cma_mem_pgprot() */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>

#include "cma_mem.h"
#include "cma_mem_internal.h"
/* #endregion cma-mem-mmap-includes */

/* #region cma-mem-vm-ops */
/*
 * fork, a split and a move make another mapping without asking .mmap; every
 * mapping says when it goes. The first is counted where it is made.
 */
static void cma_mem_vm_open(struct vm_area_struct *vma)
{
	struct cma_mem_file *cf = vma->vm_private_data;

	atomic_inc(&cf->mappings);
}

static void cma_mem_vm_close(struct vm_area_struct *vma)
{
	struct cma_mem_file *cf = vma->vm_private_data;

	atomic_dec(&cf->mappings);
}

static const struct vm_operations_struct cma_mem_vm_ops = {
	.open = cma_mem_vm_open,
	.close = cma_mem_vm_close,
};

/* #endregion cma-mem-vm-ops */

/* #region cma-mem-pgprot */
/*
 * The memory type that the DMA API gave the kernel's view of the buffer. Two
 * types for the same bytes would be a mistake that no call reports: what one
 * view keeps in a cache, the other does not see.
 *
 * A real driver does not do this: it calls dma_mmap_attrs() or dma_mmap_wc(),
 * which ask dma_pgprot(). Modules may not call that, so it is written again
 * here, with its #ifdef, from <linux/dma-map-ops.h>, a header for those who
 * implement the DMA API: the price of showing remap_pfn_range() at all. Without
 * the condition, a 32-bit ARM that has ARM_DMA_MEM_BUFFERABLE would map the same
 * buffer executable in one way and not in the other.
 */
static pgprot_t cma_mem_pgprot(const struct cma_mem_buffer *buffer, pgprot_t prot)
{
	if (dev_is_dma_coherent(buffer->cm->dev))
		return prot;
	if (IS_ENABLED(CONFIG_ARCH_HAS_DMA_WRITE_COMBINE) &&
	    buffer->attrs & DMA_ATTR_WRITE_COMBINE)
		return pgprot_writecombine(prot);

	return pgprot_dmacoherent(prot);
}

/* #endregion cma-mem-pgprot */

/* #region cma-mem-remap-part */
/*
 * Maps what the range has of one piece of the buffer. @skip: pages of the buffer
 * that come before the range, and still lie ahead; @addr: where the next goes.
 *
 * Which pages they are, only the DMA API knows. virt_to_page(cpu_addr) is wrong
 * for a buffer that was remapped, and dma_addr is a physical address only where
 * nothing translates.
 */
static int cma_mem_remap_part(struct vm_area_struct *vma, struct scatterlist *sg,
			      unsigned long *skip, unsigned long *addr)
{
	unsigned long pages = sg->length >> PAGE_SHIFT;
	unsigned long pfn = page_to_pfn(sg_page(sg)) + *skip, size;

	if (*skip >= pages) {
		*skip -= pages;
		return 0;
	}
	size = min((pages - *skip) << PAGE_SHIFT, vma->vm_end - *addr);
	*skip = 0;
	*addr += size;

	return remap_pfn_range(vma, *addr - size, pfn, size, vma->vm_page_prot);
}

/* #endregion cma-mem-remap-part */

/* #region cma-mem-mmap-pfn */
/* Of remap_pfn_range() nothing can be expected: the driver looks at the bounds. */
static int cma_mem_mmap_pfn(struct cma_mem_buffer *buffer, struct vm_area_struct *vma)
{
	unsigned long count = buffer->size >> PAGE_SHIFT, skip = vma->vm_pgoff;
	unsigned long addr = vma->vm_start;
	struct scatterlist *sg;
	int i, ret = 0;

	if (skip >= count || vma_pages(vma) > count - skip)
		return -ENXIO;

	vma->vm_page_prot = cma_mem_pgprot(buffer, vma->vm_page_prot);
	for_each_sgtable_sg(&buffer->sgt, sg, i) {
		ret = cma_mem_remap_part(vma, sg, &skip, &addr);
		if (ret || addr == vma->vm_end)
			break;
	}

	return ret;
}

/* #endregion cma-mem-mmap-pfn */

/* #region cma-mem-mmap */
static int cma_mem_mmap_buffer(struct cma_mem_file *cf, struct vm_area_struct *vma)
{
	struct cma_mem_buffer *buffer = cf->buffer;

	if (!buffer || !cf->how)
		return -EINVAL;
	/*
	 * A private mapping would become a copy at the first write. Ask for
	 * VM_MAYSHARE: a shared mapping of a read-only file has no VM_SHARED.
	 */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (cf->how == CMA_MEM_MAP_PFN)
		return cma_mem_mmap_pfn(buffer, vma);

	return dma_mmap_attrs(cf->cm->dev, vma, buffer->cpu_addr, buffer->dma_addr, buffer->size,
			      buffer->attrs);
}

/* #endregion cma-mem-mmap */

/* #region cma-mem-mmap-fop */
/**
 * cma_mem_mmap() - map the file's buffer, or pages of it, into a program
 * @file: the open device
 * @vma: the range; its offset counts from the start of the buffer
 *
 * Return: 0; -EINVAL for a private mapping, without a buffer, after UNMAP;
 * -ENXIO for pages that the buffer does not have; -ENOMEM for page tables.
 */
int cma_mem_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct cma_mem_file *cf = file->private_data;
	int ret;

	mutex_lock(&cf->lock);
	ret = cma_mem_mmap_buffer(cf, vma);
	if (!ret) {
		vma->vm_private_data = cf;
		vma->vm_ops = &cma_mem_vm_ops;
		atomic_inc(&cf->mappings);
	}
	mutex_unlock(&cf->lock);

	return ret;
}

/* #endregion cma-mem-mmap-fop */
