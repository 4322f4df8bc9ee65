/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream_dma in five parts:
 *
 *	driver.c	finds the device, says what it reaches, shows it to users
 *	file.c		an open file: its buffer, read and written
 *	commands.c	the commands that lend and copy
 *	loan.c		memory that is lent to the device: the DMA API
 *	edu.c		the device: its registers, one copy at a time
 */
/* #region stream-dma-device */
#ifndef STREAM_DMA_DRIVER_H
#define STREAM_DMA_DRIVER_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>

#include "edu.h"
#include "loan.h"

/**
 * struct stream_dma - one device
 * @edu: the device
 * @misc: what user space opens
 * @id: number in the name of @misc
 * @refs: the driver's own, and one for each open file: files outlive the device
 * @lock: over the copies of @edu, which take their time, every loan, and @gone;
 *	whoever holds it touches no program's memory, which may be slow to come
 * @gone: the device was taken away; nothing may touch it or its DMA API
 * @files_lock: over @files, inside @lock; open() needs only this one, for it is
 *	called with misc_mtx held, and nobody could open any misc device meanwhile
 * @files: all open files
 */
struct stream_dma {
	struct edu edu;
	struct miscdevice misc;
	int id;
	struct kref refs;
	struct mutex lock;	/* see @lock */
	bool gone;
	struct mutex files_lock;	/* see @files_lock */
	struct list_head files;
};

/**
 * struct stream_dma_file - one open file
 * @sd: the device, perhaps gone
 * @node: in the device's list
 * @buffer: memory of the file's own, physically contiguous
 * @size: its bytes
 * @loans: how many there were: the number of the last one
 * @loan: what of it the device may use
 */
struct stream_dma_file {
	struct stream_dma *sd;
	struct list_head node;
	void *buffer;
	size_t size;
	u64 loans;
	struct loan loan;
};

static inline struct device *dma_device(struct stream_dma_file *f)
{
	return &f->sd->edu.pdev->dev;
}

extern const struct file_operations stream_dma_fops;
int stream_dma_lock(struct stream_dma *sd);
long stream_dma_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
void stream_dma_put(struct stream_dma *sd);

#endif /* STREAM_DMA_DRIVER_H */
/* #endregion stream-dma-device */
