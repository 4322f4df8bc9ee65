/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of cma_mem share: the device, a buffer, an open file.
 */
/* #region cma-mem-device */
#ifndef _CMA_MEM_INTERNAL_H
#define _CMA_MEM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

/**
 * struct cma_mem - the device
 * @dev: the platform device that all buffers are allocated for
 * @misc: what user space opens
 * @lock: guards @used
 * @used: bytes of all buffers, at most cma_mem_limit
 */
struct cma_mem {
	struct device *dev;
	struct miscdevice misc;
	struct mutex lock;	/* guards used */
	u64 used;
};

/* #endregion cma-mem-device */

/* #region cma-mem-buffer */
/**
 * struct cma_mem_buffer - one buffer
 * @cm: the device, which outlives it
 * @ref: one for each file that holds it, one for each read or write under way
 * @files: how many files hold it
 * @cpu_addr: the buffer as the kernel reads and writes it
 * @dma_addr: the same buffer as a device addresses it
 * @size: length in bytes, whole pages; the same value allocates, maps and frees
 * @attrs: of the DMA API, also the same for all three
 * @sgt: the same buffer as pages: one piece, or several behind an IOMMU
 */
struct cma_mem_buffer {
	struct cma_mem *cm;
	struct kref ref;
	atomic_t files;
	void *cpu_addr;
	dma_addr_t dma_addr;
	size_t size;
	unsigned long attrs;
	struct sg_table sgt;
};

/* #endregion cma-mem-buffer */

/* #region cma-mem-file */
/**
 * struct cma_mem_file - what one open file has
 * @cm: the device
 * @mappings: mappings that exist and were made through this file
 * @lock: guards what follows
 * @buffer: NULL before ALLOCATE or CONNECT and after FREE
 * @how: CMA_MEM_MAP_DMA, CMA_MEM_MAP_PFN, or 0 when mmap is refused
 */
struct cma_mem_file {
	struct cma_mem *cm;
	atomic_t mappings;
	struct mutex lock;	/* guards buffer and how */
	struct cma_mem_buffer *buffer;
	u32 how;
};

/* #endregion cma-mem-file */

/* #region cma-mem-internal */
/* Bytes that all buffers may have together. */
extern unsigned long cma_mem_limit;

struct cma_mem_buffer *cma_mem_buffer_create(struct cma_mem *cm, size_t size, u32 flags);
struct cma_mem_buffer *cma_mem_buffer_get(struct cma_mem_file *cf);
void cma_mem_buffer_put(struct cma_mem_buffer *buffer);
int cma_mem_attach(struct cma_mem_file *cf, struct cma_mem_buffer *buffer);
void cma_mem_detach(struct cma_mem_file *cf);

int cma_mem_mmap(struct file *file, struct vm_area_struct *vma);
long cma_mem_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _CMA_MEM_INTERNAL_H */
/* #endregion cma-mem-internal */
