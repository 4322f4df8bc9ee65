// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_memremap: a reserved region mapped by its driver, without DMA API.
 *
 * The region in the device tree has no-map and no compatible: the kernel sets
 * it aside and does nothing more with it. The driver reads the address from the
 * node, claims the range so that /proc/iomem names the owner, maps it with
 * memremap(), and offers it as /dev/reserved-memremap: a file of fixed size that
 * can also be mapped.
 *
 *	probe: find the range -> claim -> map -> show to users
 *	unbind: the same steps undone from the last to the first
 *
 * Nobody clears the region. What was in it at probe stays, be it from the boot
 * loader or from this driver before it was unloaded.
 *
 * Between probe and unbind nothing changes, so there is no lock: each file
 * operation reads the same values. What a program writes while another reads is
 * theirs to arrange, as with every shared mapping.
 */

/* #region reserved-memremap-includes */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>

#include "reserved_buffer.h"
/* #endregion reserved-memremap-includes */

/* #region reserved-memremap-state */
/**
 * struct reserved_memremap - the device and its region
 * @dev: the platform device
 * @cpu_addr: the region as the kernel reads and writes it, cacheable
 * @start: physical address of the first byte, at the start of a page
 * @size: length in bytes, whole pages
 * @misc: what user space opens
 */
struct reserved_memremap {
	struct device *dev;
	void *cpu_addr;
	phys_addr_t start;
	size_t size;
	struct miscdevice misc;
};

/* #endregion reserved-memremap-state */

/* #region reserved-memremap-from-file */
/* misc_open() left a pointer to our miscdevice in the file. */
static struct reserved_memremap *from_file(struct file *file)
{
	return container_of(file->private_data, struct reserved_memremap, misc);
}

/* #endregion reserved-memremap-from-file */

/* #region reserved-memremap-mmap */
/**
 * reserved_memremap_mmap() - map the region, or pages of it, into a program
 * @file: the open device
 * @vma: the range; its offset counts from the start of the region
 *
 * The protection stays as it is, cacheable, which is what MEMREMAP_WB gave the
 * kernel: both see the region through the same kind of mapping.
 *
 * Return: 0; -EINVAL for a private mapping and for pages that the region does
 * not have (vm_iomap_memory() says -EINVAL where dma_mmap_coherent() says
 * -ENXIO); -ENOMEM without memory for page tables.
 */
static int reserved_memremap_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct reserved_memremap *rm = from_file(file);

	/*
	 * A private mapping would become a copy at the first write. Ask for
	 * VM_MAYSHARE: a shared mapping of a read-only file has no VM_SHARED.
	 */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	return vm_iomap_memory(vma, rm->start, rm->size);
}

/* #endregion reserved-memremap-mmap */

/* #region reserved-memremap-read-write */
static ssize_t reserved_memremap_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct reserved_memremap *rm = from_file(file);

	return simple_read_from_buffer(to, count, pos, rm->cpu_addr, rm->size);
}

static ssize_t reserved_memremap_write(struct file *file, const char __user *from, size_t count,
				       loff_t *pos)
{
	struct reserved_memremap *rm = from_file(file);

	/* 0 would send a program that writes in a loop round for ever. */
	if (count && *pos >= rm->size)
		return -ENOSPC;

	return simple_write_to_buffer(rm->cpu_addr, rm->size, pos, from, count);
}

static loff_t reserved_memremap_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, from_file(file)->size);
}

/* #endregion reserved-memremap-read-write */

/* #region reserved-memremap-ioctl */
/**
 * reserved_memremap_ioctl() - tell root where the region lies
 * @file: the open device
 * @cmd: RESERVED_BUFFER_INFO
 * @arg: user pointer to a struct reserved_buffer_info
 *
 * Return: 0, -EPERM without CAP_SYS_RAWIO, -EFAULT for a bad pointer, -ENOTTY
 * for any other command.
 */
static long reserved_memremap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct reserved_memremap *rm = from_file(file);
	struct reserved_buffer_info info = { .size = rm->size, .address = rm->start };

	if (cmd != RESERVED_BUFFER_INFO)
		return -ENOTTY;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (copy_to_user((void __user *)arg, &info, sizeof(info)))
		return -EFAULT;

	return 0;
}

/* #endregion reserved-memremap-ioctl */

/* #region reserved-memremap-fops */
static const struct file_operations reserved_memremap_fops = {
	.owner = THIS_MODULE,
	.llseek = reserved_memremap_llseek,
	.read = reserved_memremap_read,
	.write = reserved_memremap_write,
	.unlocked_ioctl = reserved_memremap_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = reserved_memremap_mmap,
};

/* #endregion reserved-memremap-fops */

/* #region reserved-memremap-find */
/*
 * The range of the node that memory-region points to. of_parse_phandle() takes
 * a reference to that node; it goes back here, whatever the outcome.
 */
static int reserved_memremap_find(struct device *dev, struct resource *range)
{
	struct device_node *np = of_parse_phandle(dev->of_node, "memory-region", 0);
	int ret;

	if (!np)
		return dev_err_probe(dev, -ENODEV, "no memory-region in the device tree\n");

	ret = of_address_to_resource(np, 0, range);
	if (ret)
		dev_err_probe(dev, ret, "%pOF has no address of its own\n", np);
	of_node_put(np);

	return ret;
}

/* #endregion reserved-memremap-find */

/* #region reserved-memremap-claim */
/*
 * Claim the range, then map it. resource_size() counts the last byte too:
 * range->end is an address inside the region. Only whole pages can be mapped
 * into a program without showing it what lies beside the region.
 */
static int reserved_memremap_claim(struct reserved_memremap *rm, const struct resource *range)
{
	rm->start = range->start;
	rm->size = resource_size(range);
	if (!PAGE_ALIGNED(rm->start) || !PAGE_ALIGNED(rm->size))
		return dev_err_probe(rm->dev, -EINVAL, "%pR is not made of whole pages\n", range);

	if (!devm_request_mem_region(rm->dev, rm->start, rm->size, dev_name(rm->dev)))
		return dev_err_probe(rm->dev, -EBUSY, "%pR has another owner\n", range);

	rm->cpu_addr = devm_memremap(rm->dev, rm->start, rm->size, MEMREMAP_WB);
	if (IS_ERR(rm->cpu_addr))
		return dev_err_probe(rm->dev, PTR_ERR(rm->cpu_addr), "%pR cannot be mapped\n",
				     range);

	return 0;
}

/* #endregion reserved-memremap-claim */

/* #region reserved-memremap-show */
static void reserved_memremap_hide(void *misc)
{
	misc_deregister(misc);
}

/* Last of all, for a program may open the device before this returns. */
static int reserved_memremap_show(struct reserved_memremap *rm)
{
	int ret;

	rm->misc.minor = MISC_DYNAMIC_MINOR;
	rm->misc.name = "reserved-memremap";
	rm->misc.fops = &reserved_memremap_fops;
	rm->misc.parent = rm->dev;
	rm->misc.mode = 0600;

	ret = misc_register(&rm->misc);
	if (ret)
		return dev_err_probe(rm->dev, ret, "/dev/%s cannot be made\n", rm->misc.name);

	return devm_add_action_or_reset(rm->dev, reserved_memremap_hide, &rm->misc);
}

/* #endregion reserved-memremap-show */

/* #region reserved-memremap-probe */
static int reserved_memremap_probe(struct platform_device *pdev)
{
	struct reserved_memremap *rm;
	struct resource range;
	int ret;

	rm = devm_kzalloc(&pdev->dev, sizeof(*rm), GFP_KERNEL);
	if (!rm)
		return -ENOMEM;
	rm->dev = &pdev->dev;

	ret = reserved_memremap_find(rm->dev, &range);
	if (!ret)
		ret = reserved_memremap_claim(rm, &range);
	if (!ret)
		ret = reserved_memremap_show(rm);
	if (ret)
		return ret;

	dev_info(rm->dev, "/dev/%s: %zu KiB\n", rm->misc.name, rm->size >> 10);
	return 0;
}

/* #endregion reserved-memremap-probe */

/* #region reserved-memremap-driver */
static const struct of_device_id reserved_memremap_of_match[] = {
	{ .compatible = "contiguous,reserved-memremap" },
	{ }
};
MODULE_DEVICE_TABLE(of, reserved_memremap_of_match);

static struct platform_driver reserved_memremap_driver = {
	.probe = reserved_memremap_probe,
	.driver = {
		.name = "reserved-memremap",
		.of_match_table = reserved_memremap_of_match,
		/*
		 * No bind and unbind files in sysfs. Unbinding does not wait
		 * for open files: it would take the mapping from under a
		 * read(2). Unloading does wait, for .owner counts every open
		 * file, and a mapping keeps its file open.
		 */
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(reserved_memremap_driver);
/* #endregion reserved-memremap-driver */

/* #region reserved-memremap-module */
MODULE_DESCRIPTION("A reserved region, claimed, mapped by memremap() and offered to programs");
MODULE_LICENSE("GPL");
/* #endregion reserved-memremap-module */
