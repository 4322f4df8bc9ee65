// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of stream_dma.h: each is one step of a loan, or one copy by the
 * device. All run under the device's lock, one after another.
 */

/* #region stream-dma-commands-includes */
#include <linux/capability.h>
#include <linux/uaccess.h>

#include "driver.h"
/* #endregion stream-dma-commands-includes */

/* #region stream-dma-info */
static long stream_dma_info(struct stream_dma_file *f, void __user *to)
{
	struct edu *edu = &f->sd->edu;
	struct stream_dma_info info = {
		.buffer_size = f->size,
		.dma_mask = dma_get_mask(dma_device(f)),
		.max_mapping = dma_max_mapping_size(dma_device(f)),
		.commands = edu->commands,
		.interrupts = edu->interrupts,
		.bytes = edu->bytes,
		.msi = edu->pdev->msi_enabled,
		.lent = !!f->loan.count,
	};

	if (info.max_mapping == SIZE_MAX)
		info.max_mapping = U64_MAX;

	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

/* #endregion stream-dma-info */

/* #region stream-dma-map-ioctl */
/* Addresses are not for everybody. A loan that nobody heard of is no loan. */
static long stream_dma_map(struct stream_dma_file *f, void __user *user)
{
	struct stream_dma_map map;
	int ret;

	if (copy_from_user(&map, user, sizeof(map)))
		return -EFAULT;
	ret = loan_map(dma_device(f), &f->loan, f->buffer, f->size, &map);
	if (ret)
		return ret;
	if (!capable(CAP_SYS_RAWIO)) {
		for (int i = 0; i < STREAM_DMA_PIECES; i++) {
			map.piece[i].phys_addr = 0;
			map.segment[i].dma_addr = 0;
		}
	}
	if (copy_to_user(user, &map, sizeof(map))) {
		loan_unmap(dma_device(f), &f->loan);
		return -EFAULT;
	}

	return 0;
}

/* #endregion stream-dma-map-ioctl */

/* #region stream-dma-sync-ioctl */
static long stream_dma_sync(struct stream_dma_file *f, void __user *user)
{
	struct loan *loan = &f->loan;
	struct stream_dma_sync sync;
	u32 lent, length;

	if (copy_from_user(&sync, user, sizeof(sync)))
		return -EFAULT;
	if (!loan->count)
		return -ENOENT;
	lent = loan->end - loan->offset;
/* #endregion stream-dma-sync-ioctl */
/* #region stream-dma-sync-range */
	if (sync.owner > STREAM_DMA_FOR_DEVICE || sync.reserved || sync.offset > lent ||
	    sync.length > lent - sync.offset)
		return -EINVAL;
	if (loan->kind == STREAM_DMA_SG && (sync.offset || sync.length))
		return -EINVAL;

	length = sync.length ?: lent - sync.offset;
	if (sync.owner == STREAM_DMA_FOR_CPU)
		loan_for_cpu(dma_device(f), loan, sync.offset, length);
	else
		loan_for_device(dma_device(f), loan, sync.offset, length);

	return 0;
}

/* #endregion stream-dma-sync-range */

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

/* #endregion stream-dma-copy */

/* #region stream-dma-transfer */
/*
 * The device does not know what the memory was mapped for. If it wrote to what
 * was lent for reading, a bounce buffer would swallow it and an IOMMU stop it.
 */
static long stream_dma_transfer(struct stream_dma_file *f, void __user *user)
{
	struct stream_dma_transfer t;
	u64 lent = 0;

	if (copy_from_user(&t, user, sizeof(t)))
		return -EFAULT;
	if (!f->loan.count)
		return -ENOENT;
	if (t.direction != STREAM_DMA_TO_DEVICE && t.direction != STREAM_DMA_FROM_DEVICE)
		return -EINVAL;
	if (f->loan.dir != DMA_BIDIRECTIONAL && f->loan.dir != t.direction)
		return -EINVAL;
/* #endregion stream-dma-transfer */
/* #region stream-dma-transfer-range */
	for (int i = 0; i < f->loan.count; i++)
		lent += f->loan.segments[i].length;
	if (!t.length || t.offset >= lent || t.length > lent - t.offset)
		return -EINVAL;
	if (t.device_offset >= STREAM_DMA_DEVICE_BYTES ||
	    t.length > STREAM_DMA_DEVICE_BYTES - t.device_offset)
		return -EINVAL;

	return stream_dma_copy(f, &t);
}

/* #endregion stream-dma-transfer-range */

/* #region stream-dma-ioctl */
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
	long ret;

	if (_IOC_TYPE(cmd) != _IOC_TYPE(STREAM_DMA_INFO))
		return -ENOTTY;
	ret = stream_dma_lock(f->sd);
	if (ret)
		return ret;
/* #endregion stream-dma-ioctl */
/* #region stream-dma-ioctl-commands */
	switch (cmd) {
	case STREAM_DMA_INFO:
		ret = stream_dma_info(f, user);
		break;
	case STREAM_DMA_MAP:
		ret = stream_dma_map(f, user);
		break;
	case STREAM_DMA_SYNC:
		ret = stream_dma_sync(f, user);
		break;
	case STREAM_DMA_TRANSFER:
		ret = stream_dma_transfer(f, user);
		break;
	case STREAM_DMA_UNMAP:
		ret = f->loan.count ? 0 : -ENOENT;
		loan_unmap(dma_device(f), &f->loan);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&f->sd->lock);

	return ret;
}

/* #endregion stream-dma-ioctl-commands */
