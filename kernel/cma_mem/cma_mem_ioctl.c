// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of uapi/cma_mem.h. Each copies what it is asked, then works under
 * the locks, then copies the answer: never two of these at once.
 */

/* #region cma-mem-ioctl-includes */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "cma_mem.h"
#include "cma_mem_internal.h"
/* #endregion cma-mem-ioctl-includes */

/* #region cma-mem-may-allocate */
/* The size as it was asked for: rounding it up first could make it 0. */
static bool cma_mem_may_allocate(const struct cma_mem_allocate *req)
{
	return req->size && req->size <= cma_mem_limit && !(req->flags & ~CMA_MEM_WRITE_COMBINE) &&
	       !req->reserved;
}

/* #endregion cma-mem-may-allocate */

/* #region cma-mem-allocate */
/* Answers before anybody can map or connect the buffer, so that put undoes it all. */
static long cma_mem_allocate(struct file *file, void __user *arg)
{
	struct cma_mem_file *cf = file->private_data;
	struct cma_mem_buffer *buffer;
	struct cma_mem_allocate req;
	long ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!cma_mem_may_allocate(&req))
		return -EINVAL;
	if (READ_ONCE(cf->buffer))
		return -EBUSY;
	buffer = cma_mem_buffer_create(cf->cm, PAGE_ALIGN(req.size), req.flags);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	req.granted = buffer->size;
	ret = copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : cma_mem_attach(cf, buffer);
	if (ret)
		cma_mem_buffer_put(buffer);

	return ret;
}

/* #endregion cma-mem-allocate */

/* #region cma-mem-connect */
/* Both files' locks are taken, one after the other and never together. */
static long cma_mem_connect_to(struct file *file, struct file *other)
{
	const fmode_t rights = FMODE_READ | FMODE_WRITE;
	struct cma_mem_buffer *buffer;
	int ret;

	/* The same operations: then private_data is one of ours. */
	if (other->f_op != file->f_op)
		return -EINVAL;
	/* Opening the device anew must not make a read-only descriptor writable. */
	if (file->f_mode & ~other->f_mode & rights)
		return -EACCES;
	buffer = cma_mem_buffer_get(other->private_data);
	if (!buffer)
		return -ENOENT;
	ret = cma_mem_attach(file->private_data, buffer);
	if (ret)
		cma_mem_buffer_put(buffer);

	return ret;
}

/* #endregion cma-mem-connect */

/* #region cma-mem-connect-fd */
static long cma_mem_connect(struct file *file, void __user *arg)
{
	struct cma_mem_connect req;
	struct file *other;
	long ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.reserved)
		return -EINVAL;

	/* Held, so that it is not closed by another thread meanwhile. */
	other = fget(req.fd);
	if (!other)
		return -EBADF;
	ret = cma_mem_connect_to(file, other);
	fput(other);

	return ret;
}

/* #endregion cma-mem-connect-fd */

/* #region cma-mem-free */
static long cma_mem_free(struct file *file, void __user *arg)
{
	struct cma_mem_file *cf = file->private_data;
	long ret = 0;

	mutex_lock(&cf->lock);
	if (!cf->buffer)
		ret = -ENOENT;
	else if (atomic_read(&cf->mappings))
		ret = -EBUSY;
	else
		cma_mem_detach(cf);
	mutex_unlock(&cf->lock);

	return ret;
}

/* #endregion cma-mem-free */

/* #region cma-mem-map */
static long cma_mem_set_how(struct cma_mem_file *cf, u32 how)
{
	long ret = 0;

	mutex_lock(&cf->lock);
	if (!cf->buffer)
		ret = -ENOENT;
	else if (!how && atomic_read(&cf->mappings))
		ret = -EBUSY;
	else
		cf->how = how;
	mutex_unlock(&cf->lock);

	return ret;
}

/* #endregion cma-mem-map */

/* #region cma-mem-map-ioctl */
static long cma_mem_map(struct file *file, void __user *arg)
{
	struct cma_mem_map req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if ((req.how != CMA_MEM_MAP_DMA && req.how != CMA_MEM_MAP_PFN) || req.reserved)
		return -EINVAL;

	return cma_mem_set_how(file->private_data, req.how);
}

static long cma_mem_unmap(struct file *file, void __user *arg)
{
	return cma_mem_set_how(file->private_data, 0);
}

/* #endregion cma-mem-map-ioctl */

/* #region cma-mem-get-size */
static long cma_mem_get_size(struct file *file, void __user *arg)
{
	struct cma_mem_file *cf = file->private_data;
	struct cma_mem_size info = { };
	struct cma_mem_buffer *buffer;

	mutex_lock(&cf->lock);
	buffer = cf->buffer;
	if (buffer) {
		info.size = buffer->size;
		info.flags = buffer->attrs & DMA_ATTR_WRITE_COMBINE ? CMA_MEM_WRITE_COMBINE : 0;
		info.how = cf->how;
		info.mappings = atomic_read(&cf->mappings);
		info.files = atomic_read(&buffer->files);
	}
	mutex_unlock(&cf->lock);
	if (!buffer)
		return -ENOENT;

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* #endregion cma-mem-get-size */

/* #region cma-mem-get-total */
static long cma_mem_get_total_size(struct file *file, void __user *arg)
{
	struct cma_mem_file *cf = file->private_data;
	struct cma_mem_total info = { .limit = cma_mem_limit };

	mutex_lock(&cf->cm->lock);
	info.used = cf->cm->used;
	mutex_unlock(&cf->cm->lock);

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* #endregion cma-mem-get-total */

/* #region cma-mem-get-phys */
static long cma_mem_get_phys(struct file *file, void __user *arg)
{
	struct cma_mem_phys info = { };
	struct cma_mem_buffer *buffer;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	buffer = cma_mem_buffer_get(file->private_data);
	if (!buffer)
		return -ENOENT;
	info.address = buffer->dma_addr;
	info.size = buffer->size;
	cma_mem_buffer_put(buffer);

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* #endregion cma-mem-get-phys */

/* #region cma-mem-cache-flush */
static long cma_mem_cache_flush(struct file *file, void __user *arg)
{
	struct cma_mem_buffer *buffer;
	struct cma_mem_range range;
	bool inside;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	if (!range.length)
		return -EINVAL;
	buffer = cma_mem_buffer_get(file->private_data);
	if (!buffer)
		return -ENOENT;
	inside = range.offset < buffer->size && range.length <= buffer->size - range.offset;
	cma_mem_buffer_put(buffer);
	if (!inside)
		return -ENXIO;

	/* What the program stored before the call leaves the write buffers. */
	wmb();
	return 0;
}

/* #endregion cma-mem-cache-flush */

/* #region cma-mem-commands */
static const struct {
	unsigned int cmd;
	long (*run)(struct file *file, void __user *arg);
} cma_mem_commands[] = {
	{ CMA_MEM_GET_PHYS, cma_mem_get_phys },
	{ CMA_MEM_MAP, cma_mem_map },
	{ CMA_MEM_GET_SIZE, cma_mem_get_size },
	{ CMA_MEM_UNMAP, cma_mem_unmap },
	{ CMA_MEM_ALLOCATE, cma_mem_allocate },
	{ CMA_MEM_CONNECT, cma_mem_connect },
	{ CMA_MEM_GET_TOTAL_SIZE, cma_mem_get_total_size },
	{ CMA_MEM_CACHE_FLUSH, cma_mem_cache_flush },
	{ CMA_MEM_FREE, cma_mem_free },
};

/* #endregion cma-mem-commands */

/* #region cma-mem-ioctl */
/**
 * cma_mem_ioctl() - the commands of uapi/cma_mem.h
 * @file: the open device
 * @cmd: CMA_MEM_…
 * @arg: user pointer to the command's structure
 *
 * Return: 0, -ENOTTY for any other command, or an error that the header names.
 */
long cma_mem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(cma_mem_commands); i++)
		if (cma_mem_commands[i].cmd == cmd)
			return cma_mem_commands[i].run(file, (void __user *)arg);

	return -ENOTTY;
}

/* #endregion cma-mem-ioctl */
