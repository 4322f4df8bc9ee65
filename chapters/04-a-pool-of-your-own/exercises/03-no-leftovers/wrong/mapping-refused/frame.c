// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame: one buffer from a DMA pool, for programs to map.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>

static unsigned long bytes = 4096;
module_param(bytes, ulong, 0444);
MODULE_PARM_DESC(bytes, "size of the buffer");

/**
 * struct frame - the buffer
 * @dev: whose pool it is from
 * @cpu_addr: as the kernel reads and writes it
 * @dma_addr: as the device addresses it
 * @size: length in bytes
 * @misc: what programs open
 */
struct frame {
	struct device *dev;
	void *cpu_addr;
	dma_addr_t dma_addr;
	size_t size;
	struct miscdevice misc;
};

static int frame_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct frame *f = container_of(file->private_data, struct frame, misc);

	if (!PAGE_ALIGNED(f->size))
		return -EINVAL;
	return dma_mmap_coherent(f->dev, vma, f->cpu_addr, f->dma_addr, f->size);
}

static const struct file_operations frame_fops = {
	.owner = THIS_MODULE,
	.mmap = frame_mmap,
};

static void frame_detach(void *dev)
{
	of_reserved_mem_device_release(dev);
}

static void frame_hide(void *misc)
{
	misc_deregister(misc);
}

static int frame_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct frame *f = devm_kzalloc(dev, sizeof(*f), GFP_KERNEL);
	int ret;

	if (!f)
		return -ENOMEM;
	f->dev = dev;
	f->size = bytes;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (!ret)
		ret = of_reserved_mem_device_init(dev);
	if (!ret)
		ret = devm_add_action_or_reset(dev, frame_detach, dev);
	if (ret)
		return dev_err_probe(dev, ret, "memory-region cannot be attached\n");

	f->cpu_addr = dmam_alloc_coherent(dev, f->size, &f->dma_addr, GFP_KERNEL);
	if (!f->cpu_addr)
		return -ENOMEM;

	f->misc.minor = MISC_DYNAMIC_MINOR;
	f->misc.name = "frame";
	f->misc.fops = &frame_fops;
	f->misc.mode = 0600;
	ret = misc_register(&f->misc);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, frame_hide, &f->misc);
}

static const struct of_device_id frame_of_match[] = {
	{ .compatible = "contiguous,frame" },
	{ }
};
MODULE_DEVICE_TABLE(of, frame_of_match);

static struct platform_driver frame_driver = {
	.probe = frame_probe,
	.driver = {
		.name = "frame",
		.of_match_table = frame_of_match,
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(frame_driver);

MODULE_DESCRIPTION("One buffer of a DMA pool, for programs to map");
MODULE_LICENSE("GPL");
