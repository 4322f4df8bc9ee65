// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_coherent: one coherent buffer out of a DMA pool of its own.
 *
 * The device tree sets a region aside (compatible = "shared-dma-pool" and
 * no-map) and names it in this device's memory-region. The driver attaches the
 * region, takes one buffer from it with the DMA API, and offers the buffer as
 * /dev/reserved-coherent: a file of fixed size that can also be mapped.
 *
 *	probe: masks -> attach region -> allocate -> show to users
 *	unbind: the same steps undone from the last to the first
 *
 * Between the two nothing changes, so there is no lock: each file operation
 * reads the same four values. What a program writes while another reads is
 * theirs to arrange, as with every shared mapping.
 *
 * Give the client node no dma-coherent property: the pool is write-combined in
 * the kernel, and a coherent device would get it cacheable in user space, two
 * memory types for the same bytes.
 */

/* #region reserved-coherent-includes */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>

#include "reserved_buffer.h"
/* #endregion reserved-coherent-includes */

/* #region reserved-coherent-state */
static unsigned long buffer_size;
module_param(buffer_size, ulong, 0444);
MODULE_PARM_DESC(buffer_size, "bytes to allocate; 0 (the default) means the whole region");

/**
 * struct reserved_coherent - the device and its one buffer
 * @dev: the platform device, the one that owns the pool
 * @cpu_addr: the buffer as the kernel reads and writes it
 * @dma_addr: the same buffer as the device addresses it
 * @size: length in bytes, whole pages; the same value allocates, maps and frees
 * @misc: what user space opens
 */
struct reserved_coherent {
	struct device *dev;
	void *cpu_addr;
	dma_addr_t dma_addr;
	size_t size;
	struct miscdevice misc;
};

/* #endregion reserved-coherent-state */

/* #region reserved-coherent-from-file */
/* misc_open() left a pointer to our miscdevice in the file. */
static struct reserved_coherent *from_file(struct file *file)
{
	return container_of(file->private_data, struct reserved_coherent, misc);
}

/* #endregion reserved-coherent-from-file */

/* #region reserved-coherent-mmap */
/**
 * reserved_coherent_mmap() - map the buffer, or pages of it, into a program
 * @file: the open device
 * @vma: the range; its offset counts from the start of the buffer
 *
 * Return: 0, -EINVAL for a private mapping, -ENXIO for pages that the buffer
 * does not have, -ENOMEM without memory for page tables.
 */
static int reserved_coherent_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct reserved_coherent *rc = from_file(file);

	/*
	 * A private mapping would become a copy at the first write. Ask for
	 * VM_MAYSHARE: a shared mapping of a read-only file has no VM_SHARED.
	 */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	return dma_mmap_coherent(rc->dev, vma, rc->cpu_addr, rc->dma_addr, rc->size);
}

/* #endregion reserved-coherent-mmap */

/* #region reserved-coherent-read-write */
static ssize_t reserved_coherent_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct reserved_coherent *rc = from_file(file);

	return simple_read_from_buffer(to, count, pos, rc->cpu_addr, rc->size);
}

static ssize_t reserved_coherent_write(struct file *file, const char __user *from, size_t count,
				       loff_t *pos)
{
	struct reserved_coherent *rc = from_file(file);

	/* 0 would send a program that writes in a loop round for ever. */
	if (count && *pos >= rc->size)
		return -ENOSPC;

	return simple_write_to_buffer(rc->cpu_addr, rc->size, pos, from, count);
}

static loff_t reserved_coherent_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, from_file(file)->size);
}

/* #endregion reserved-coherent-read-write */

/* #region reserved-coherent-ioctl */
/**
 * reserved_coherent_ioctl() - tell root where the buffer lies
 * @file: the open device
 * @cmd: RESERVED_BUFFER_INFO
 * @arg: user pointer to a struct reserved_buffer_info
 *
 * Return: 0, -EPERM without CAP_SYS_RAWIO, -EFAULT for a bad pointer, -ENOTTY
 * for any other command.
 */
static long reserved_coherent_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct reserved_coherent *rc = from_file(file);
	struct reserved_buffer_info info = { .size = rc->size, .address = rc->dma_addr };

	if (cmd != RESERVED_BUFFER_INFO)
		return -ENOTTY;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (copy_to_user((void __user *)arg, &info, sizeof(info)))
		return -EFAULT;

	return 0;
}

/* #endregion reserved-coherent-ioctl */

/* #region reserved-coherent-fops */
static const struct file_operations reserved_coherent_fops = {
	.owner = THIS_MODULE,
	.llseek = reserved_coherent_llseek,
	.read = reserved_coherent_read,
	.write = reserved_coherent_write,
	.unlocked_ioctl = reserved_coherent_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = reserved_coherent_mmap,
};

/* #endregion reserved-coherent-fops */

/* #region reserved-coherent-undo */
static void reserved_coherent_detach(void *dev)
{
	of_reserved_mem_device_release(dev);
}

static void reserved_coherent_hide(void *misc)
{
	misc_deregister(misc);
}

/* #endregion reserved-coherent-undo */

/* #region reserved-coherent-attach */
/*
 * Masks come first: attaching compares the region's last address with them. On
 * success the DMA API serves this device from the region and from nowhere else,
 * until the detach that devm now owes us.
 */
static int reserved_coherent_attach(struct device *dev)
{
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(dev, ret, "no DMA to 32-bit addresses\n");

	ret = of_reserved_mem_device_init(dev);
	if (ret)
		return dev_err_probe(dev, ret, "memory-region cannot be attached\n");

	return devm_add_action_or_reset(dev, reserved_coherent_detach, dev);
}

/* #endregion reserved-coherent-attach */

/* #region reserved-coherent-size */
/*
 * How much to allocate: the whole region, or buffer_size in whole pages. The
 * pool clears only the bytes asked for, so asking for part of a page would
 * leave the rest of it, with its old contents, in every mapping.
 */
static int reserved_coherent_get_size(struct device *dev, size_t *size)
{
	struct device_node *np = of_parse_phandle(dev->of_node, "memory-region", 0);
	struct reserved_mem *rmem = np ? of_reserved_mem_lookup(np) : NULL;

	of_node_put(np);
	if (!rmem)
		return dev_err_probe(dev, -ENODEV, "no reserved memory behind memory-region\n");
	if (buffer_size > rmem->size)
		return dev_err_probe(dev, -EINVAL, "buffer_size %lu is above the region's %pa\n",
				     buffer_size, &rmem->size);

	*size = PAGE_ALIGN(buffer_size ?: rmem->size);
	return 0;
}

/* #endregion reserved-coherent-size */

/* #region reserved-coherent-allocate */
/*
 * The zeroed buffer. devm undoes its entries from the newest to the oldest: this
 * one, entered after the detach, is freed while the pool is still attached. A
 * free after the detach would not find the pool and would give the buffer to an
 * allocator that never owned it.
 */
static int reserved_coherent_allocate(struct reserved_coherent *rc)
{
	rc->cpu_addr = dmam_alloc_coherent(rc->dev, rc->size, &rc->dma_addr, GFP_KERNEL);
	if (!rc->cpu_addr) {
		/* A full pool says nothing, nor does dev_err_probe(-ENOMEM). */
		dev_err(rc->dev, "no %zu KiB free in the region\n", rc->size >> 10);
		return -ENOMEM;
	}

	return 0;
}

/* #endregion reserved-coherent-allocate */

/* #region reserved-coherent-show */
/* Last of all, for a program may open the device before this returns. */
static int reserved_coherent_show(struct reserved_coherent *rc)
{
	int ret;

	rc->misc.minor = MISC_DYNAMIC_MINOR;
	rc->misc.name = "reserved-coherent";
	rc->misc.fops = &reserved_coherent_fops;
	rc->misc.parent = rc->dev;
	rc->misc.mode = 0600;

	ret = misc_register(&rc->misc);
	if (ret)
		return dev_err_probe(rc->dev, ret, "/dev/%s cannot be made\n", rc->misc.name);

	return devm_add_action_or_reset(rc->dev, reserved_coherent_hide, &rc->misc);
}

/* #endregion reserved-coherent-show */

/* #region reserved-coherent-probe */
static int reserved_coherent_probe(struct platform_device *pdev)
{
	struct reserved_coherent *rc;
	int ret;

	rc = devm_kzalloc(&pdev->dev, sizeof(*rc), GFP_KERNEL);
	if (!rc)
		return -ENOMEM;
	rc->dev = &pdev->dev;

	ret = reserved_coherent_get_size(rc->dev, &rc->size);
	if (!ret)
		ret = reserved_coherent_attach(rc->dev);
	if (!ret)
		ret = reserved_coherent_allocate(rc);
	if (!ret)
		ret = reserved_coherent_show(rc);
	if (ret)
		return ret;

	dev_info(rc->dev, "/dev/%s: %zu KiB\n", rc->misc.name, rc->size >> 10);
	return 0;
}

/* #endregion reserved-coherent-probe */

/* #region reserved-coherent-driver */
static const struct of_device_id reserved_coherent_of_match[] = {
	{ .compatible = "contiguous,reserved-coherent" },
	{ }
};
MODULE_DEVICE_TABLE(of, reserved_coherent_of_match);

static struct platform_driver reserved_coherent_driver = {
	.probe = reserved_coherent_probe,
	.driver = {
		.name = "reserved-coherent",
		.of_match_table = reserved_coherent_of_match,
		/*
		 * No bind and unbind files in sysfs. Unbinding does not wait
		 * for open files: it would free a buffer that programs still
		 * map. Unloading does wait, for .owner counts every open file,
		 * and a mapping keeps its file open.
		 */
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(reserved_coherent_driver);
/* #endregion reserved-coherent-driver */

/* #region reserved-coherent-module */
MODULE_DESCRIPTION("One coherent buffer from a reserved DMA pool, mapped into programs");
MODULE_LICENSE("GPL");
/* #endregion reserved-coherent-module */
