// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer: its memory, and the files that hold it.
 *
 *	create -> kref 1: the creator's
 *	attach: the file takes that reference		detach: gives it back
 *	get: one more, while the memory is read or written	put
 *	at 0: pages freed, bytes no longer counted
 */

/* #region cma-mem-buffer-includes */
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "cma_mem.h"
#include "cma_mem_internal.h"
/* #endregion cma-mem-buffer-includes */

/* #region cma-mem-charge */
static int cma_mem_charge(struct cma_mem *cm, size_t size)
{
	int ret = -ENOSPC;

	mutex_lock(&cm->lock);
	if (size <= cma_mem_limit - cm->used) {
		cm->used += size;
		ret = 0;
	}
	mutex_unlock(&cm->lock);

	return ret;
}

static void cma_mem_uncharge(struct cma_mem *cm, size_t size)
{
	mutex_lock(&cm->lock);
	cm->used -= size;
	mutex_unlock(&cm->lock);
}

/* #endregion cma-mem-charge */

/* #region cma-mem-buffer-memory */
/*
 * Zeroed pages. dma_alloc_wc() is this call with DMA_ATTR_WRITE_COMBINE, and
 * dma_alloc_coherent() without. __GFP_NOWARN: a program that asks for more than
 * there is shall get -ENOMEM, and not fill the log.
 */
static int cma_mem_get_memory(struct cma_mem_buffer *buffer)
{
	struct device *dev = buffer->cm->dev;
	int ret;

	buffer->cpu_addr = dma_alloc_attrs(dev, buffer->size, &buffer->dma_addr,
					   GFP_KERNEL | __GFP_NOWARN, buffer->attrs);
	if (!buffer->cpu_addr)
		return -ENOMEM;
	ret = dma_get_sgtable_attrs(dev, &buffer->sgt, buffer->cpu_addr, buffer->dma_addr,
				    buffer->size, buffer->attrs);
	if (ret)
		dma_free_attrs(dev, buffer->size, buffer->cpu_addr, buffer->dma_addr,
			       buffer->attrs);

	return ret;
}

/* #endregion cma-mem-buffer-memory */

/* #region cma-mem-buffer-create */
struct cma_mem_buffer *cma_mem_buffer_create(struct cma_mem *cm, size_t size, u32 flags)
{
	struct cma_mem_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	int ret;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->cm = cm;
	buffer->size = size;
	buffer->attrs = flags & CMA_MEM_WRITE_COMBINE ? DMA_ATTR_WRITE_COMBINE : 0;
	kref_init(&buffer->ref);

	ret = cma_mem_charge(cm, size);
	if (ret)
		goto out_free_buffer;
	ret = cma_mem_get_memory(buffer);
	if (!ret)
		return buffer;

	cma_mem_uncharge(cm, size);
out_free_buffer:
	kfree(buffer);
	return ERR_PTR(ret);
}

/* #endregion cma-mem-buffer-create */

/* #region cma-mem-buffer-put */
/* Runs in a system call or in munmap: freeing may sleep, and there it can. */
static void cma_mem_buffer_release(struct kref *ref)
{
	struct cma_mem_buffer *buffer = container_of(ref, struct cma_mem_buffer, ref);

	sg_free_table(&buffer->sgt);
	dma_free_attrs(buffer->cm->dev, buffer->size, buffer->cpu_addr, buffer->dma_addr,
		       buffer->attrs);
	cma_mem_uncharge(buffer->cm, buffer->size);
	kfree(buffer);
}

void cma_mem_buffer_put(struct cma_mem_buffer *buffer)
{
	kref_put(&buffer->ref, cma_mem_buffer_release);
}

/* #endregion cma-mem-buffer-put */

/* #region cma-mem-buffer-get */
/* The buffer of a file, with a reference: NULL when it holds none. */
struct cma_mem_buffer *cma_mem_buffer_get(struct cma_mem_file *cf)
{
	struct cma_mem_buffer *buffer;

	mutex_lock(&cf->lock);
	buffer = cf->buffer;
	if (buffer)
		kref_get(&buffer->ref);
	mutex_unlock(&cf->lock);

	return buffer;
}

/* #endregion cma-mem-buffer-get */

/* #region cma-mem-attach */
/* Gives the caller's reference to the file. */
int cma_mem_attach(struct cma_mem_file *cf, struct cma_mem_buffer *buffer)
{
	int ret = -EBUSY;

	mutex_lock(&cf->lock);
	if (!cf->buffer) {
		/* ALLOCATE looks here first without the lock. */
		WRITE_ONCE(cf->buffer, buffer);
		cf->how = CMA_MEM_MAP_DMA;
		atomic_inc(&buffer->files);
		ret = 0;
	}
	mutex_unlock(&cf->lock);

	return ret;
}

/* Takes it back from a file that nobody else can use any more, or under lock. */
void cma_mem_detach(struct cma_mem_file *cf)
{
	atomic_dec(&cf->buffer->files);
	cma_mem_buffer_put(cf->buffer);
	WRITE_ONCE(cf->buffer, NULL);
}

/* #endregion cma-mem-attach */
