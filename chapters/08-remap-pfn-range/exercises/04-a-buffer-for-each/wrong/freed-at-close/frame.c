// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame: contiguous, write-combined buffers for programs.
 *
 *	fd = open("/dev/frame", O_RDWR);
 *	ioctl(fd, FRAME_ALLOCATE, &size);	__u64: bytes
 *	mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define FRAME_ALLOCATE	_IOW(0xbd, 1, __u64)

/**
 * struct frame - a buffer
 * @lock: guards the rest
 * @cpu_addr: NULL when there is none
 * @dma_addr: as a device would address it
 * @size: whole pages
 */
struct frame {
	struct mutex lock;	/* guards the rest */
	void *cpu_addr;
	dma_addr_t dma_addr;
	size_t size;
};

static struct platform_device *frame_device;

static int frame_open(struct inode *inode, struct file *file)
{
	struct frame *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	file->private_data = f;

	return 0;
}

static void frame_free(struct frame *f)
{
	if (f->cpu_addr)
		dma_free_wc(&frame_device->dev, f->size, f->cpu_addr, f->dma_addr);
	f->cpu_addr = NULL;
}

/* close(2) */
static int frame_flush(struct file *file, fl_owner_t id)
{
	struct frame *f = file->private_data;

	mutex_lock(&f->lock);
	frame_free(f);
	mutex_unlock(&f->lock);

	return 0;
}

static int frame_release(struct inode *inode, struct file *file)
{
	struct frame *f = file->private_data;

	kfree(f);

	return 0;
}

static int frame_allocate(struct frame *f, u64 wish)
{
	int ret = 0;

	if (!wish || wish > SZ_16M)
		return -EINVAL;

	mutex_lock(&f->lock);
	if (f->cpu_addr) {
		ret = -EBUSY;
		goto out_unlock;
	}
	f->size = PAGE_ALIGN(wish);
	f->cpu_addr = dma_alloc_wc(&frame_device->dev, f->size, &f->dma_addr,
				   GFP_KERNEL | __GFP_NOWARN);
	if (!f->cpu_addr)
		ret = -ENOMEM;
out_unlock:
	mutex_unlock(&f->lock);

	return ret;
}

static long frame_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	u64 wish;

	if (cmd != FRAME_ALLOCATE)
		return -ENOTTY;
	if (copy_from_user(&wish, (void __user *)arg, sizeof(wish)))
		return -EFAULT;

	return frame_allocate(file->private_data, wish);
}

static int frame_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct frame *f = file->private_data;
	int ret = -EINVAL;

	mutex_lock(&f->lock);
	if (f->cpu_addr && vma->vm_flags & VM_MAYSHARE)
		ret = dma_mmap_wc(&frame_device->dev, vma, f->cpu_addr, f->dma_addr, f->size);
	mutex_unlock(&f->lock);

	return ret;
}

static const struct file_operations frame_fops = {
	.owner = THIS_MODULE,
	.open = frame_open,
	.flush = frame_flush,
	.release = frame_release,
	.unlocked_ioctl = frame_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = frame_mmap,
};

static struct miscdevice frame_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "frame",
	.fops = &frame_fops,
	.mode = 0600,
};

static int __init frame_init(void)
{
	int ret;

	/* Stands in for a display. Its masks have 32 bits from the start. */
	frame_device = platform_device_register_simple("frame", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(frame_device))
		return PTR_ERR(frame_device);
	ret = dma_set_mask_and_coherent(&frame_device->dev, DMA_BIT_MASK(32));
	if (!ret)
		ret = misc_register(&frame_misc);
	if (ret)
		platform_device_unregister(frame_device);

	return ret;
}
module_init(frame_init);

static void __exit frame_exit(void)
{
	misc_deregister(&frame_misc);
	platform_device_unregister(frame_device);
}
module_exit(frame_exit);

MODULE_DESCRIPTION("Contiguous buffers for programs");
MODULE_LICENSE("GPL");
