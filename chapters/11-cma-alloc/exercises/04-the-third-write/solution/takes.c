// SPDX-License-Identifier: GPL-2.0-only
/*
 * takes: every write to /dev/takes gets one more buffer of 6 MiB, unloading gives
 * all of them back.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

#define SLOTS 4
#define BUFFER (6 * SZ_1M)

/**
 * struct takes_slot - one buffer, or the place for it
 * @cpu_addr: as the kernel reads and writes it, NULL if there is none
 * @dma_addr: as the device addresses it
 */
struct takes_slot {
	void *cpu_addr;
	dma_addr_t dma_addr;
};

static struct platform_device *takes_device;
static struct takes_slot slots[SLOTS];
static DEFINE_MUTEX(takes_lock); /* guards the slots */

/* Mend from here ... */
/* Return: 0, or why there is no buffer. */
static int takes_fill(struct device *dev)
{
	for (int i = 0; i < SLOTS; i++) {
		if (slots[i].cpu_addr)
			continue;
		slots[i].cpu_addr = dma_alloc_coherent(dev, BUFFER, &slots[i].dma_addr, GFP_KERNEL);
		if (!slots[i].cpu_addr) {
			dev_err(dev, "no memory in the CMA area\n");
			return -ENOMEM;
		}
		return 0;
	}

	return -ENOSPC;
}

/* Unloading: nobody has the device open any more. */
static void takes_give_back(struct device *dev)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!slots[i].cpu_addr)
			continue;
		dma_free_coherent(dev, BUFFER, slots[i].cpu_addr, slots[i].dma_addr);
		slots[i].cpu_addr = NULL;
	}
}

/* ... to here. */

static ssize_t takes_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	int ret;

	if (mutex_lock_interruptible(&takes_lock))
		return -ERESTARTSYS;
	ret = takes_fill(&takes_device->dev);
	mutex_unlock(&takes_lock);

	return ret ?: count;
}

static const struct file_operations takes_fops = {
	.owner = THIS_MODULE,
	.write = takes_write,
	.llseek = noop_llseek,
};

static struct miscdevice takes_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "takes",
	.fops = &takes_fops,
	.mode = 0600,
};

static int __init takes_init(void)
{
	int ret;

	takes_device = platform_device_register_simple("takes", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(takes_device))
		return PTR_ERR(takes_device);
	ret = dma_coerce_mask_and_coherent(&takes_device->dev, DMA_BIT_MASK(32));
	if (!ret)
		ret = misc_register(&takes_misc);
	if (ret)
		platform_device_unregister(takes_device);

	return ret;
}
module_init(takes_init);

static void __exit takes_exit(void)
{
	misc_deregister(&takes_misc);
	takes_give_back(&takes_device->dev);
	platform_device_unregister(takes_device);
}
module_exit(takes_exit);

MODULE_DESCRIPTION("Takes buffers of 6 MiB, one for every write");
MODULE_LICENSE("GPL");
