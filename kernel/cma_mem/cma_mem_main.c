// SPDX-License-Identifier: GPL-2.0-only
/*
 * cma_mem: contiguous buffers for programs, one for each open file.
 *
 * A program opens /dev/cma_mem, asks for a buffer with an ioctl, and reads,
 * writes or maps the file as one of the buffer's size (uapi/cma_mem.h says how).
 * The memory comes from the DMA API, so a device could be given it as it is.
 *
 *	open file ── cma_mem_file ──┐
 *	open file ── cma_mem_file ──┴─ cma_mem_buffer ── pages, by the DMA API
 *	     └─ its mappings             kref: one for each file that holds it
 *
 * Who keeps what alive: a mapping holds its open file (the kernel sees to that),
 * an open file holds its buffer, and fops.owner makes it hold this module. So
 * memory is never freed under a mapping, and nothing here need count mappings
 * for that; they are counted because FREE and UNMAP promise that there are none.
 *
 * Locks, in this order: a program's address space, cma_mem_file.lock,
 * cma_mem.lock. mmap comes with the first one taken, and so does touching a
 * program's memory take it: every copy_from_user() comes before our locks, every
 * copy_to_user() after.
 *
 * cma_mem_buffer.c: memory, and which file holds it; cma_mem_mmap.c: into a
 * program's address space; cma_mem_ioctl.c: the commands; here: the device and
 * its file.
 */

/* #region cma-mem-includes */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "cma_mem_internal.h"
/* #endregion cma-mem-includes */

/* #region cma-mem-limit */
unsigned long cma_mem_limit = SZ_64M;
module_param_named(limit, cma_mem_limit, ulong, 0444);
MODULE_PARM_DESC(limit, "bytes that all buffers may have together, at most 1 GiB (default 64 MiB)");

/* #endregion cma-mem-limit */

/* #region cma-mem-open */
static int cma_mem_open(struct inode *inode, struct file *file)
{
	/* misc_open() left a pointer to our miscdevice in the file. */
	struct cma_mem *cm = container_of(file->private_data, struct cma_mem, misc);
	struct cma_mem_file *cf = kzalloc(sizeof(*cf), GFP_KERNEL);

	if (!cf)
		return -ENOMEM;
	cf->cm = cm;
	mutex_init(&cf->lock);
	file->private_data = cf;

	return 0;
}

/* #endregion cma-mem-open */

/* #region cma-mem-release */
/* After the last close and the last munmap, whichever comes last. */
static int cma_mem_release(struct inode *inode, struct file *file)
{
	struct cma_mem_file *cf = file->private_data;

	if (cf->buffer)
		cma_mem_detach(cf);
	mutex_destroy(&cf->lock);
	kfree(cf);

	return 0;
}

/* #endregion cma-mem-release */

/* #region cma-mem-read-write */
/*
 * The kernel's own view. A reference keeps the buffer meanwhile, for the lock
 * cannot be held: copying touches the program's memory.
 */
static ssize_t cma_mem_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct cma_mem_buffer *buffer = cma_mem_buffer_get(file->private_data);
	ssize_t ret;

	if (!buffer)
		return 0;
	ret = simple_read_from_buffer(to, count, pos, buffer->cpu_addr, buffer->size);
	cma_mem_buffer_put(buffer);

	return ret;
}

/* #endregion cma-mem-read-write */

/* #region cma-mem-write */
/*
 * At the end: 0 would send a program that writes in a loop round for ever. And
 * not simple_write_to_buffer(): it clears what it cannot fetch from the program,
 * here bytes of the buffer that nobody wrote to.
 */
static ssize_t cma_mem_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct cma_mem_buffer *buffer = cma_mem_buffer_get(iocb->ki_filp->private_data);
	size_t count = iov_iter_count(from);
	ssize_t ret = count ? -ENOSPC : 0;

	if (!buffer)
		return ret;
	if (count && iocb->ki_pos < buffer->size) {
		count = min_t(u64, count, buffer->size - iocb->ki_pos);
		count = copy_from_iter(buffer->cpu_addr + iocb->ki_pos, count, from);
		iocb->ki_pos += count;
		ret = count ?: -EFAULT;
	}
	cma_mem_buffer_put(buffer);

	return ret;
}

/* #endregion cma-mem-write */

/* #region cma-mem-llseek */
static loff_t cma_mem_llseek(struct file *file, loff_t offset, int whence)
{
	struct cma_mem_buffer *buffer = cma_mem_buffer_get(file->private_data);
	loff_t ret = fixed_size_llseek(file, offset, whence, buffer ? buffer->size : 0);

	if (buffer)
		cma_mem_buffer_put(buffer);
	return ret;
}

/* #endregion cma-mem-llseek */

/* #region cma-mem-fops */
static const struct file_operations cma_mem_fops = {
	.owner = THIS_MODULE,
	.open = cma_mem_open,
	.release = cma_mem_release,
	.llseek = cma_mem_llseek,
	.read = cma_mem_read,
	.write_iter = cma_mem_write_iter,
	.unlocked_ioctl = cma_mem_ioctl,
	/* Pointers of 32-bit programs need widening, and nothing else does. */
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = cma_mem_mmap,
};

static void cma_mem_hide(void *misc)
{
	misc_deregister(misc);
}

/* #endregion cma-mem-fops */

/* #region cma-mem-show */
/* Last of all, for a program may open the device before this returns. */
static int cma_mem_show(struct cma_mem *cm)
{
	int ret;

	cm->misc.minor = MISC_DYNAMIC_MINOR;
	cm->misc.name = "cma_mem";
	cm->misc.fops = &cma_mem_fops;
	cm->misc.parent = cm->dev;
	cm->misc.mode = 0600;

	ret = misc_register(&cm->misc);
	if (ret)
		return dev_err_probe(cm->dev, ret, "/dev/%s cannot be made\n", cm->misc.name);

	return devm_add_action_or_reset(cm->dev, cma_mem_hide, &cm->misc);
}

/* #endregion cma-mem-show */

/* #region cma-mem-probe */
static int cma_mem_probe(struct platform_device *pdev)
{
	struct cma_mem *cm;
	int ret;

	cm = devm_kzalloc(&pdev->dev, sizeof(*cm), GFP_KERNEL);
	if (!cm)
		return -ENOMEM;
	cm->dev = &pdev->dev;
	mutex_init(&cm->lock);

	ret = dma_set_mask_and_coherent(cm->dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(cm->dev, ret, "no DMA to 32-bit addresses\n");
	ret = cma_mem_show(cm);
	if (ret)
		return ret;

	dev_info(cm->dev, "/dev/%s: up to %lu KiB\n", cm->misc.name, cma_mem_limit >> 10);
	return 0;
}

/* #endregion cma-mem-probe */

/* #region cma-mem-driver */
/*
 * Bound once, by cma_mem_init(). platform_create_bundle() leaves no bind and
 * unbind files in sysfs: unbinding would not wait for open files.
 */
static struct platform_driver cma_mem_driver = {
	.driver = { .name = "cma_mem" },
};

static struct platform_device *cma_mem_device;

/* #endregion cma-mem-driver */

/* #region cma-mem-init */
/*
 * Memory is allocated for a device, by its masks and its place on the bus. This
 * one stands in for the display or camera that a board would have.
 */
static int __init cma_mem_init(void)
{
	/* Rounded down, so that a size within the limit is so in whole pages too. */
	cma_mem_limit = PAGE_ALIGN_DOWN(cma_mem_limit);
	if (!cma_mem_limit || cma_mem_limit > SZ_1G) {
		pr_err("limit must be from %lu to %u bytes\n", PAGE_SIZE, SZ_1G);
		return -EINVAL;
	}
	cma_mem_device = platform_create_bundle(&cma_mem_driver, cma_mem_probe, NULL, 0, NULL, 0);

	return PTR_ERR_OR_ZERO(cma_mem_device);
}
module_init(cma_mem_init);
/* #endregion cma-mem-init */

/* #region cma-mem-module */
/* No file is open, so no buffer is left. */
static void __exit cma_mem_exit(void)
{
	platform_device_unregister(cma_mem_device);
	platform_driver_unregister(&cma_mem_driver);
}
module_exit(cma_mem_exit);

MODULE_DESCRIPTION("Contiguous buffers for programs, one for each open file");
MODULE_LICENSE("GPL");
/* #endregion cma-mem-module */
