// SPDX-License-Identifier: GPL-2.0-only
/*
 * teller: three slots of contiguous memory, filled by writes to /dev/teller.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

#define SLOTS 3
#define SLOT_SIZE (6 * SZ_1M)

static struct teller_slot {
	void *cpu_addr;
	dma_addr_t dma_addr;
} slots[SLOTS];

static DEFINE_MUTEX(lock);
static struct platform_device *teller;

/* Memory for the lowest empty slot. Return: 0, -ENOMEM, -ENOSPC: none is empty. */
static int teller_fill(void)
{
	for (int i = 0; i < SLOTS; i++) {
		struct teller_slot *slot = &slots[i];

		if (slot->cpu_addr)
			continue;
		slot->cpu_addr = dma_alloc_coherent(&teller->dev, SLOT_SIZE, &slot->dma_addr,
						    GFP_KERNEL);
		return slot->cpu_addr ? 0 : -ENOMEM;
	}

	return -ENOSPC;
}

static ssize_t teller_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	int ret;

	mutex_lock(&lock);
	ret = teller_fill();
	mutex_unlock(&lock);

	return ret ?: count;
}

static const struct file_operations teller_fops = {
	.owner = THIS_MODULE,
	.write = teller_write,
};

static struct miscdevice teller_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "teller",
	.fops = &teller_fops,
};

static int __init teller_init(void)
{
	int ret;

	teller = platform_device_register_simple("teller", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(teller))
		return PTR_ERR(teller);
	ret = dma_set_mask_and_coherent(&teller->dev, DMA_BIT_MASK(32));
	if (!ret)
		ret = misc_register(&teller_misc);
	if (ret)
		platform_device_unregister(teller);

	return ret;
}
module_init(teller_init);

static void __exit teller_exit(void)
{
	misc_deregister(&teller_misc);
	if (slots[0].cpu_addr)
		dma_free_coherent(&teller->dev, SLOT_SIZE, slots[0].cpu_addr, slots[0].dma_addr);
	platform_device_unregister(teller);
}
module_exit(teller_exit);

MODULE_DESCRIPTION("Contiguous memory by writes to a device");
MODULE_LICENSE("GPL");
