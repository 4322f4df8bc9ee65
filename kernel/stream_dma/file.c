// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open file of stream_dma: a buffer that the program reads and writes. The
 * commands that lend it to the device are in commands.c.
 *
 * While bytes are lent, read(2) and write(2) borrow them back for as long as
 * they copy: for_cpu, copy, for_device. A program that lends with
 * STREAM_DMA_MANUAL_SYNC gets no such help, and sees what each step is for.
 *
 * The device's lock is for the device and its loans, never for the program: a
 * page of the program's may have to come from a slow place, and meanwhile no
 * other file of this device could do anything. So read(2) and write(2) go over a
 * copy of the kernel's own, between buffer and program: fetched before the lock,
 * handed out after it. A write that fetches nothing changes nothing.
 */

/* #region stream-dma-lock */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "driver.h"

static unsigned int buffer_size = 512 << 10;
module_param(buffer_size, uint, 0444);
MODULE_PARM_DESC(buffer_size, "bytes of each open file's buffer, up to 4 MiB");

#define BUFFER_MAX (4u << 20)

/* Return: 0 with the lock held, -ERESTARTSYS, or -ENODEV for a device gone. */
int stream_dma_lock(struct stream_dma *sd)
{
	if (mutex_lock_interruptible(&sd->lock))
		return -ERESTARTSYS;
	if (!sd->gone)
		return 0;
	mutex_unlock(&sd->lock);

	return -ENODEV;
}

/*
 * misc_open() left a pointer to the miscdevice in the file, and holds the lock
 * that misc_deregister() takes: the device is here until we return. It is also
 * the lock of every other misc device, so that there is no waiting for ours. The
 * buffer is cleared, so that no program sees what others left.
 */
static int stream_dma_open(struct inode *inode, struct file *file)
{
	struct stream_dma *sd = container_of(file->private_data, struct stream_dma, misc);
	struct stream_dma_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->size = PAGE_ALIGN(clamp(buffer_size, 1u, BUFFER_MAX));
	f->buffer = alloc_pages_exact(f->size, GFP_KERNEL | __GFP_ZERO);
	if (!f->buffer) {
		kfree(f);
		return -ENOMEM;
	}
	kref_get(&sd->refs);
	f->sd = sd;
	file->private_data = f;
	mutex_lock(&sd->files_lock);
	list_add(&f->node, &sd->files);
	mutex_unlock(&sd->files_lock);

	return 0;
}

/* A device that is gone has had the loan ended; what is left is memory. */
static int stream_dma_release(struct inode *inode, struct file *file)
{
	struct stream_dma_file *f = file->private_data;
	struct stream_dma *sd = f->sd;

	mutex_lock(&sd->lock);
	if (!sd->gone)
		loan_unmap(dma_device(f), &f->loan);
	mutex_lock(&sd->files_lock);
	list_del(&f->node);
	mutex_unlock(&sd->files_lock);
	mutex_unlock(&sd->lock);
	free_pages_exact(f->buffer, f->size);
	kfree(f);
	stream_dma_put(sd);

	return 0;
}

/* #endregion stream-dma-lock */

/* #region stream-dma-borrow */
/* What the file reads: coherent memory while there is some, else the buffer. */
static void *file_memory(struct stream_dma_file *f, size_t *size)
{
	bool coherent = f->loan.count && f->loan.kind == STREAM_DMA_COHERENT;

	*size = coherent ? f->loan.end : f->size;
	return coherent ? f->loan.coherent : f->buffer;
}

/*
 * The part of [pos, pos + count) that is lent and that nobody else looks after:
 * @offset from the first byte lent, @length bytes. Return: false for no part.
 */
static bool lent_part(struct loan *loan, loff_t pos, size_t count, u32 *offset, u32 *length)
{
	loff_t from = max_t(loff_t, pos, loan->offset);
	loff_t to = min_t(loff_t, pos + count, loan->end);

	*offset = from - loan->offset;
	*length = to - from;
	return loan->count && !loan->manual && loan->kind != STREAM_DMA_COHERENT && from < to;
}

/*
 * Room for a copy of @count bytes, or of as many as the file has, which is then
 * @count. Return: to be freed by kvfree(), or an error.
 */
static void *staging(struct stream_dma_file *f, size_t *count)
{
	size_t size;
	void *room;
	int ret;

	ret = stream_dma_lock(f->sd);
	if (ret)
		return ERR_PTR(ret);
	file_memory(f, &size);
	mutex_unlock(&f->sd->lock);
	*count = min(*count, size);
	room = kvmalloc(max_t(size_t, *count, 1), GFP_KERNEL);

	return room ?: ERR_PTR(-ENOMEM);
}

/* #endregion stream-dma-borrow */

/* #region stream-dma-fetch */
/* From the file at @pos to @room. Return: how many bytes, or an error. */
static ssize_t fetch(struct stream_dma_file *f, void *room, size_t count, loff_t pos)
{
	u32 offset, length;
	size_t size;
	void *memory;
	ssize_t ret;
	bool lent;

	ret = stream_dma_lock(f->sd);
	if (ret)
		return ret;
	memory = file_memory(f, &size);
	count = pos < size ? min_t(size_t, count, size - pos) : 0;
	lent = lent_part(&f->loan, pos, count, &offset, &length);
	if (lent)
		loan_for_cpu(dma_device(f), &f->loan, offset, length);
	memcpy(room, memory + pos, count);
	if (lent)
		loan_for_device(dma_device(f), &f->loan, offset, length);
	mutex_unlock(&f->sd->lock);

	return count;
}

/* #endregion stream-dma-fetch */

/* #region stream-dma-read */
static ssize_t stream_dma_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct stream_dma_file *f = file->private_data;
	void *room = staging(f, &count);
	ssize_t ret;

	if (IS_ERR(room))
		return PTR_ERR(room);
	ret = fetch(f, room, count, *pos);
	if (ret > 0) {
		count = ret - copy_to_user(to, room, ret);
		*pos += count;
		ret = count ?: -EFAULT;
	}
	kvfree(room);

	return ret;
}

/* #endregion stream-dma-read */

/* #region stream-dma-store */
/* From @room to the file at @pos. Return: how many bytes, or an error. */
static ssize_t store(struct stream_dma_file *f, const void *room, size_t count, loff_t pos)
{
	u32 offset, length;
	size_t size;
	void *memory;
	ssize_t ret;
	bool lent;

	ret = stream_dma_lock(f->sd);
	if (ret)
		return ret;
	memory = file_memory(f, &size);
	ret = -ENOSPC;
	if (pos >= size)
		goto out_unlock;
	count = min_t(size_t, count, size - pos);
	lent = lent_part(&f->loan, pos, count, &offset, &length);
	/* The device is writing there: one of the two would be lost. */
	ret = -EBUSY;
	if (lent && f->loan.dir == DMA_FROM_DEVICE)
		goto out_unlock;
	if (lent)
		loan_for_cpu(dma_device(f), &f->loan, offset, length);
	memcpy(memory + pos, room, count);
	if (lent)
		loan_for_device(dma_device(f), &f->loan, offset, length);
	ret = count;
out_unlock:
	mutex_unlock(&f->sd->lock);

	return ret;
}

static ssize_t stream_dma_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct stream_dma_file *f = iocb->ki_filp->private_data;
	size_t count = iov_iter_count(from);
	void *room = staging(f, &count);
	ssize_t ret = 0;

	if (IS_ERR(room))
		return PTR_ERR(room);
	if (count) {
		count = copy_from_iter(room, count, from);
		ret = count ? store(f, room, count, iocb->ki_pos) : -EFAULT;
	}
	if (ret > 0)
		iocb->ki_pos += ret;
	kvfree(room);

	return ret;
}

static loff_t stream_dma_llseek(struct file *file, loff_t offset, int whence)
{
	struct stream_dma_file *f = file->private_data;
	size_t size;
	loff_t ret;

	ret = stream_dma_lock(f->sd);
	if (ret)
		return ret;
	file_memory(f, &size);
	ret = fixed_size_llseek(file, offset, whence, size);
	mutex_unlock(&f->sd->lock);

	return ret;
}

const struct file_operations stream_dma_fops = {
	.owner = THIS_MODULE,
	.open = stream_dma_open,
	.release = stream_dma_release,
	.llseek = stream_dma_llseek,
	.read = stream_dma_read,
	.write_iter = stream_dma_write_iter,
	.unlocked_ioctl = stream_dma_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* #endregion stream-dma-store */
