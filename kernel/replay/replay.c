// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay: carries out calls of the DMA API, one by one, for devices that the
 * device tree names, and tells what each call gave.
 *
 * The models of this book are held against a kernel by letting both do the same
 * calls. This is the kernel's side: it decides nothing. Which device, which
 * size, which flags, in which order, all comes from a program.
 *
 *	open -> REPLAY_ALLOC -> mmap ... munmap -> close: the buffer is freed
 *
 * A buffer belongs to the open file. Every mapping holds a reference to its
 * file, so release runs after the last munmap and the last close, and there is
 * no moment at which a buffer could be freed under a mapping.
 *
 * For root alone, and for a board that has nothing else to do: a region can be
 * attached twice, a mask set too small, memory taken until there is no more, a
 * page kept that its buffer has given back. The last is what stands in the way
 * of CMA: it cannot be moved, and the next allocation has to look further on.
 */

/* #region replay-includes */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "replay.h"

/**
 * struct replay - a device that obeys
 * @dev: the platform device for which the DMA API is called
 * @misc: what user space opens
 * @lock: serialises all calls
 * @buffers: how many open files hold one; regions come and go only at 0
 * @held: pages with a reference of ours, the oldest first
 * @num_held: how many
 */
struct replay {
	struct device *dev;
	struct miscdevice misc;
	struct mutex lock; /* over all calls, so that their order is the program's */
	unsigned int buffers;
	struct page *held[REPLAY_MAX_HELD];
	unsigned int num_held;
};

/**
 * struct replay_buffer - an open file and the one buffer that it may hold
 * @replay: its device
 * @cpu_addr: the kernel's address, or a cookie; NULL for no buffer
 * @dma_addr: the device's address
 * @size: what was asked for; the same value allocates, maps and frees
 * @attrs: DMA_ATTR_* it was asked for with
 * @vma: what the last mmap came to
 */
struct replay_buffer {
	struct replay *replay;
	void *cpu_addr;
	dma_addr_t dma_addr;
	size_t size;
	unsigned long attrs;
	struct replay_vma vma;
};

static int replay_open(struct inode *inode, struct file *file)
{
	/* misc_open() left a pointer to our miscdevice in the file. */
	struct replay *replay = container_of(file->private_data, struct replay, misc);
	struct replay_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return -ENOMEM;

	buffer->replay = replay;
	file->private_data = buffer;
	return 0;
}

/* #endregion replay-includes */

/* #region replay-release */
static int replay_release(struct inode *inode, struct file *file)
{
	struct replay_buffer *buffer = file->private_data;
	struct replay *replay = buffer->replay;

	mutex_lock(&replay->lock);
	if (buffer->cpu_addr) {
		dma_free_attrs(replay->dev, buffer->size, buffer->cpu_addr, buffer->dma_addr,
			       buffer->attrs);
		replay->buffers--;
	}
	mutex_unlock(&replay->lock);

	kfree(buffer);
	return 0;
}

/* #endregion replay-release */

/* #region replay-attrs */
static gfp_t replay_gfp(u32 flags)
{
	return flags & REPLAY_ATOMIC ? GFP_ATOMIC : GFP_KERNEL;
}

static unsigned long replay_attrs(u32 flags)
{
	unsigned long attrs = 0;

	if (flags & REPLAY_WRITE_COMBINE)
		attrs |= DMA_ATTR_WRITE_COMBINE;
	if (flags & REPLAY_NO_MAPPING)
		attrs |= DMA_ATTR_NO_KERNEL_MAPPING;
	if (flags & REPLAY_NO_WARN)
		attrs |= DMA_ATTR_NO_WARN;

	return attrs;
}

/*
 * The size goes to the DMA API as it is, for its rounding is among what is
 * looked at; a pool then leaves the tail of the last page uncleared, and a
 * program that maps it sees what was there. Hence root only.
 */
static int replay_alloc(struct replay_buffer *buffer, struct replay_alloc *want)
{
	struct replay *replay = buffer->replay;

	if (!want->size || want->size > REPLAY_MAX_SIZE)
		return -EINVAL;
	if (want->flags & ~REPLAY_FLAGS || want->reserved)
		return -EINVAL;
	if (buffer->cpu_addr)
		return -EBUSY;

	buffer->size = want->size;
	buffer->attrs = replay_attrs(want->flags);
	buffer->cpu_addr = dma_alloc_attrs(replay->dev, buffer->size, &buffer->dma_addr,
					   replay_gfp(want->flags), buffer->attrs);
	if (!buffer->cpu_addr)
		return -ENOMEM;

	replay->buffers++;
	want->address = buffer->dma_addr;
	return 0;
}

static int replay_mask(struct replay *replay, unsigned long bits)
{
	return bits <= 64 ? dma_set_coherent_mask(replay->dev, DMA_BIT_MASK(bits)) : -EINVAL;
}

/* A buffer must go back where it came from, so the regions stay while one is out. */
static int replay_attach(struct replay *replay, unsigned long index)
{
	if (index > INT_MAX)
		return -EINVAL;
	if (replay->buffers)
		return -EBUSY;

	return of_reserved_mem_device_init_by_idx(replay->dev, replay->dev->of_node, index);
}

static int replay_detach(struct replay *replay)
{
	if (replay->buffers)
		return -EBUSY;

	of_reserved_mem_device_release(replay->dev);
	return 0;
}

/*
 * The struct page of a page of the buffer, which has none of its own where the
 * memory was never the kernel's: such a page is reserved.
 */
static struct page *replay_page(struct replay_buffer *buffer, unsigned long index)
{
	struct page *page;

	if (buffer->attrs & DMA_ATTR_NO_KERNEL_MAPPING)
		return NULL;
	if (is_vmalloc_addr(buffer->cpu_addr)) {
		unsigned long pfn = vmalloc_to_pfn(buffer->cpu_addr + (index << PAGE_SHIFT));

		page = pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
	} else {
		page = virt_to_page(buffer->cpu_addr + (index << PAGE_SHIFT));
	}

	return page && !PageReserved(page) ? page : NULL;
}

/* #endregion replay-attrs */

/* #region replay-hold */
/* Only the first page of a buddy block has a count; the others cannot be kept. */
static int replay_hold(struct replay_buffer *buffer, unsigned long index)
{
	struct replay *replay = buffer->replay;
	struct page *page;

	if (!buffer->cpu_addr || index >= PAGE_ALIGN(buffer->size) >> PAGE_SHIFT)
		return -EINVAL;
	if (replay->num_held == REPLAY_MAX_HELD)
		return -ENOSPC;
	page = replay_page(buffer, index);
	if (!page || !get_page_unless_zero(page))
		return -EINVAL;

	replay->held[replay->num_held++] = page;
	return 0;
}

static int replay_drop(struct replay *replay)
{
	if (!replay->num_held)
		return -ENOENT;

	put_page(replay->held[0]);
	replay->num_held--;
	memmove(replay->held, replay->held + 1, replay->num_held * sizeof(*replay->held));
	return 0;
}

/* #endregion replay-hold */

/* #region replay-ioctl-alloc */
/* User memory is touched outside the lock: a fault may want to map a buffer. */
static long replay_ioctl_alloc(struct replay_buffer *buffer, void __user *arg)
{
	struct replay *replay = buffer->replay;
	struct replay_alloc want;
	int ret;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	if (mutex_lock_interruptible(&replay->lock))
		return -ERESTARTSYS;
	ret = replay_alloc(buffer, &want);
	mutex_unlock(&replay->lock);

	/* The buffer is the file's now, and goes with it, also when telling where it is fails. */
	if (!ret && copy_to_user(arg, &want, sizeof(want)))
		ret = -EFAULT;

	return ret;
}

static long replay_ioctl_vma(struct replay_buffer *buffer, void __user *arg)
{
	struct replay *replay = buffer->replay;
	struct replay_vma vma;

	if (mutex_lock_interruptible(&replay->lock))
		return -ERESTARTSYS;
	vma = buffer->vma;
	mutex_unlock(&replay->lock);

	return copy_to_user(arg, &vma, sizeof(vma)) ? -EFAULT : 0;
}

static long replay_ioctl_device(struct replay_buffer *buffer, unsigned int cmd, unsigned long arg)
{
	struct replay *replay = buffer->replay;
	long ret;

	if (mutex_lock_interruptible(&replay->lock))
		return -ERESTARTSYS;
	if (cmd == REPLAY_MASK)
		ret = replay_mask(replay, arg);
	else if (cmd == REPLAY_ATTACH)
		ret = replay_attach(replay, arg);
	else if (cmd == REPLAY_DETACH)
		ret = replay_detach(replay);
	else if (cmd == REPLAY_HOLD)
		ret = replay_hold(buffer, arg);
	else
		ret = replay_drop(replay);
	mutex_unlock(&replay->lock);

	return ret;
}

/**
 * replay_ioctl() - make one call
 * @file: the open device
 * @cmd: REPLAY_*
 * @arg: what the command says in replay.h
 *
 * Return: 0 or what the call gave: -ENOMEM for no buffer, -EIO for a mask that
 * cannot work, -ENODEV, -EINVAL or -EBUSY for a region; -EBUSY also for a
 * second buffer and for a region while buffers are out, -EINVAL for a size or
 * flags that replay.h does not have and for a page that cannot be kept,
 * -ENOSPC for one page too many, -ENOENT when none is kept, -EPERM without
 * CAP_SYS_RAWIO, -EFAULT for a bad pointer, -ENOTTY for any other command.
 */
static long replay_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct replay_buffer *buffer = file->private_data;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;

	switch (cmd) {
	case REPLAY_ALLOC:
		return replay_ioctl_alloc(buffer, (void __user *)arg);
	case REPLAY_VMA:
		return replay_ioctl_vma(buffer, (void __user *)arg);
	case REPLAY_MASK:
	case REPLAY_ATTACH:
	case REPLAY_DETACH:
	case REPLAY_HOLD:
	case REPLAY_DROP:
		return replay_ioctl_device(buffer, cmd, arg);
	default:
		return -ENOTTY;
	}
}

/* #endregion replay-ioctl-alloc */

/* #region replay-mmap */
/**
 * replay_mmap() - map the buffer, or pages of it, into a program
 * @file: the open device
 * @vma: the range; its offset counts from the start of the buffer
 *
 * Private mappings are let through, because what the DMA API makes of them is
 * looked at as well.
 *
 * Return: what dma_mmap_attrs() gave, -EINVAL without a buffer.
 */
static int replay_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct replay_buffer *buffer = file->private_data;
	int ret = -EINVAL;

	mutex_lock(&buffer->replay->lock);
	if (buffer->cpu_addr)
		ret = dma_mmap_attrs(buffer->replay->dev, vma, buffer->cpu_addr, buffer->dma_addr,
				     buffer->size, buffer->attrs);
	buffer->vma.flags = vma->vm_flags;
	buffer->vma.prot = pgprot_val(vma->vm_page_prot);
	buffer->vma.pgoff = vma->vm_pgoff;
	mutex_unlock(&buffer->replay->lock);

	return ret;
}

/* #endregion replay-mmap */

/* #region replay-fops */
static const struct file_operations replay_fops = {
	.owner = THIS_MODULE,
	.open = replay_open,
	.release = replay_release,
	.unlocked_ioctl = replay_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = replay_mmap,
};

static void replay_give_up(void *data)
{
	struct replay *replay = data;

	while (!replay_drop(replay))
		;
	of_reserved_mem_device_release(replay->dev);
}

static void replay_hide(void *misc)
{
	misc_deregister(misc);
}

/* Last of all, for a program may open the device before this returns. */
static int replay_show(struct replay *replay)
{
	int ret;

	replay->misc.minor = MISC_DYNAMIC_MINOR;
	replay->misc.name = devm_kasprintf(replay->dev, GFP_KERNEL, "%pOFn", replay->dev->of_node);
	replay->misc.fops = &replay_fops;
	replay->misc.parent = replay->dev;
	replay->misc.mode = 0600;
	if (!replay->misc.name)
		return -ENOMEM;

	ret = misc_register(&replay->misc);
	if (ret)
		return dev_err_probe(replay->dev, ret, "/dev/%s cannot be made\n",
				     replay->misc.name);

	return devm_add_action_or_reset(replay->dev, replay_hide, &replay->misc);
}

static int replay_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct replay *replay;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(dev, ret, "no DMA to 32-bit addresses\n");

	replay = devm_kzalloc(dev, sizeof(*replay), GFP_KERNEL);
	if (!replay)
		return -ENOMEM;
	replay->dev = dev;
	mutex_init(&replay->lock);

	ret = devm_add_action_or_reset(dev, replay_give_up, replay);
	if (ret)
		return ret;

	return replay_show(replay);
}

static const struct of_device_id replay_of_match[] = {
	{ .compatible = "contiguous,replay" },
	{ }
};
MODULE_DEVICE_TABLE(of, replay_of_match);

static struct platform_driver replay_driver = {
	.probe = replay_probe,
	.driver = {
		.name = "replay",
		.of_match_table = replay_of_match,
		/* Unbinding does not wait for open files; unloading does. */
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(replay_driver);

MODULE_DESCRIPTION("Calls of the DMA API, carried out one by one for a program");
MODULE_LICENSE("GPL");
/* #endregion replay-fops */
