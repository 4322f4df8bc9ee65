// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of stream_dma.h: each is one step of a loan, or one copy by the
 * device. They run under the device's lock, one after another; what the program
 * says is fetched before, and what it is told handed out after.
 */

/* #region stream-dma-info */
#include <linux/capability.h>
#include <linux/uaccess.h>

#include "driver.h"

static long stream_dma_info(struct stream_dma_file *f, void __user *to)
{
	struct edu *edu = &f->sd->edu;
	struct stream_dma_info info;
	int ret = stream_dma_lock(f->sd);

	if (ret)
		return ret;
	info = (struct stream_dma_info) {
		.buffer_size = f->size,
		.dma_mask = dma_get_mask(dma_device(f)),
		.max_mapping = dma_max_mapping_size(dma_device(f)),
		.commands = edu->commands,
		.interrupts = atomic64_read(&edu->interrupts),
		.bytes = edu->bytes,
		.msi = edu->pdev->msi_enabled,
		.lent = !!f->loan.count,
	};
	mutex_unlock(&f->sd->lock);
	if (info.max_mapping == SIZE_MAX)
		info.max_mapping = U64_MAX;

	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

/* #endregion stream-dma-info */

/* #region stream-dma-map-end */
static int stream_dma_lend(struct stream_dma_file *f, struct stream_dma_map *map, u64 *number)
{
	int ret = stream_dma_lock(f->sd);

	if (ret)
		return ret;
	ret = loan_map(dma_device(f), &f->loan, f->buffer, f->size, map);
	if (!ret)
		*number = ++f->loans;
	mutex_unlock(&f->sd->lock);

	return ret;
}

/* End the loan of this number, if another thread has not ended it, and lent anew. */
static void stream_dma_end(struct stream_dma_file *f, u64 number)
{
	mutex_lock(&f->sd->lock);
	if (!f->sd->gone && f->loans == number)
		loan_unmap(dma_device(f), &f->loan);
	mutex_unlock(&f->sd->lock);
}

/* Addresses are not for everybody. A loan that nobody heard of is no loan. */
static long stream_dma_map(struct stream_dma_file *f, void __user *user)
{
	struct stream_dma_map map;
	u64 number;
	int ret;

	if (copy_from_user(&map, user, sizeof(map)))
		return -EFAULT;
	ret = stream_dma_lend(f, &map, &number);
	if (ret)
		return ret;
	if (!capable(CAP_SYS_RAWIO)) {
		for (int i = 0; i < STREAM_DMA_PIECES; i++) {
			map.piece[i].phys_addr = 0;
			map.segment[i].dma_addr = 0;
		}
	}
	if (copy_to_user(user, &map, sizeof(map))) {
		stream_dma_end(f, number);
		return -EFAULT;
	}

	return 0;
}

/* #endregion stream-dma-map-end */

/* #region stream-dma-sync-ioctl */
static long stream_dma_sync(struct stream_dma_file *f, const struct stream_dma_sync *sync)
{
	struct loan *loan = &f->loan;
	u32 lent, length;

	if (!loan->count)
		return -ENOENT;
	lent = loan->end - loan->offset;
	if (sync->owner > STREAM_DMA_FOR_DEVICE || sync->reserved || sync->offset >= lent ||
	    sync->length > lent - sync->offset)
		return -EINVAL;
	if (loan->kind == STREAM_DMA_SG && (sync->offset || sync->length))
		return -EINVAL;

	length = sync->length ?: lent - sync->offset;
	if (sync->owner == STREAM_DMA_FOR_CPU)
		loan_for_cpu(dma_device(f), loan, sync->offset, length);
	else
		loan_for_device(dma_device(f), loan, sync->offset, length);

	return 0;
}

/* #endregion stream-dma-sync-ioctl */

/* #region stream-dma-copy */
/* Segment after segment, each as far as the transfer goes into it. */
static int stream_dma_copy(struct stream_dma_file *f, const struct stream_dma_transfer *t)
{
	bool to_ram = t->direction == STREAM_DMA_FROM_DEVICE;
	u32 skip = t->offset, done = 0;

	for (int i = 0; i < f->loan.count && done < t->length; i++) {
		const struct stream_dma_segment *s = &f->loan.segments[i];
		u32 into = min(skip, s->length);
		u32 length = min(s->length - into, t->length - done);
		int ret = 0;

		if (length)
			ret = edu_copy(&f->sd->edu, s->dma_addr + into, t->device_offset + done,
				       length, to_ram);
		if (ret)
			return ret;
		done += length;
		skip -= into;
	}

	return 0;
}

/*
 * The device does not know what the memory was mapped for. If it wrote to what
 * was lent for reading, a bounce buffer would swallow it and an IOMMU stop it.
 */
static long stream_dma_transfer(struct stream_dma_file *f, const struct stream_dma_transfer *t)
{
	u64 lent = 0;

	if (!f->loan.count)
		return -ENOENT;
	if (t->direction != STREAM_DMA_TO_DEVICE && t->direction != STREAM_DMA_FROM_DEVICE)
		return -EINVAL;
	if (f->loan.dir != DMA_BIDIRECTIONAL && f->loan.dir != t->direction)
		return -EINVAL;
	for (int i = 0; i < f->loan.count; i++)
		lent += f->loan.segments[i].length;
	if (!t->length || t->offset >= lent || t->length > lent - t->offset)
		return -EINVAL;
	if (t->device_offset >= STREAM_DMA_DEVICE_BYTES ||
	    t->length > STREAM_DMA_DEVICE_BYTES - t->device_offset)
		return -EINVAL;

	return stream_dma_copy(f, t);
}

/* #endregion stream-dma-copy */

/* #region stream-dma-unmap */
static long stream_dma_unmap(struct stream_dma_file *f)
{
	if (!f->loan.count)
		return -ENOENT;
	loan_unmap(dma_device(f), &f->loan);

	return 0;
}

/* The commands that answer with nothing but their errno. */
static long stream_dma_locked(struct stream_dma_file *f, unsigned int cmd, const void *said)
{
	long ret = stream_dma_lock(f->sd);

	if (ret)
		return ret;
	if (cmd == STREAM_DMA_SYNC)
		ret = stream_dma_sync(f, said);
	else if (cmd == STREAM_DMA_TRANSFER)
		ret = stream_dma_transfer(f, said);
	else
		ret = stream_dma_unmap(f);
	mutex_unlock(&f->sd->lock);

	return ret;
}

/**
 * stream_dma_ioctl() - the commands of stream_dma.h
 * @file: the open device
 * @cmd: one of them
 * @arg: user pointer to what it names
 *
 * Return: 0, -ENOTTY for any other command, -EFAULT for a bad pointer, and what
 * the header says.
 */
long stream_dma_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct stream_dma_file *f = file->private_data;
	void __user *user = (void __user *)arg;
	union {
		struct stream_dma_sync sync;
		struct stream_dma_transfer transfer;
	} said;
	switch (cmd) {
	case STREAM_DMA_INFO:
		return stream_dma_info(f, user);
	case STREAM_DMA_MAP:
		return stream_dma_map(f, user);
	case STREAM_DMA_SYNC:
	case STREAM_DMA_TRANSFER:
		if (copy_from_user(&said, user, _IOC_SIZE(cmd)))
			return -EFAULT;
		fallthrough;
	case STREAM_DMA_UNMAP:
		return stream_dma_locked(f, cmd, &said);
	default:
		return -ENOTTY;
	}
}

/* #endregion stream-dma-unmap */
