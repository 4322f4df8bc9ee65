// SPDX-License-Identifier: GPL-2.0-only
/*
 * frames: four coherent buffers behind one file. The offset of mmap() says which.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#define FRAMES		4
#define FRAME_PAGES	2
#define FRAME_SIZE	(FRAME_PAGES * PAGE_SIZE)

/**
 * struct frames - the buffers
 * @dev: whose they are
 * @frame: each as the kernel and as the device addresses it
 * @misc: what programs open
 */
struct frames {
	struct device *dev;
	struct frame {
		void *cpu_addr;
		dma_addr_t dma_addr;
	} frame[FRAMES];
	struct miscdevice misc;
};

static int frames_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct frames *f = container_of(file->private_data, struct frames, misc);
	unsigned long index = vma->vm_pgoff / FRAME_PAGES;
	unsigned long first = index * FRAME_PAGES;
	int ret;

	/* A private mapping would become a copy at its first store. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (index >= FRAMES)
		return -ENXIO;

	vma->vm_pgoff -= first;
	ret = dma_mmap_coherent(f->dev, vma, f->frame[index].cpu_addr,
				f->frame[index].dma_addr, FRAME_SIZE);

	return ret;
}

static const struct file_operations frames_fops = {
	.owner = THIS_MODULE,
	.mmap = frames_mmap,
};

static void frames_hide(void *misc)
{
	misc_deregister(misc);
}

static int frames_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct frames *f = devm_kzalloc(dev, sizeof(*f), GFP_KERNEL);
	int ret;

	if (!f)
		return -ENOMEM;
	f->dev = dev;
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(dev, ret, "no DMA to 32-bit addresses\n");
	for (int i = 0; i < FRAMES; i++) {
		f->frame[i].cpu_addr = dmam_alloc_coherent(dev, FRAME_SIZE, &f->frame[i].dma_addr,
							   GFP_KERNEL);
		if (!f->frame[i].cpu_addr)
			return -ENOMEM;
		memset(f->frame[i].cpu_addr, i + 1, FRAME_SIZE);
	}

	f->misc.minor = MISC_DYNAMIC_MINOR;
	f->misc.name = "frames";
	f->misc.fops = &frames_fops;
	f->misc.mode = 0600;
	ret = misc_register(&f->misc);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, frames_hide, &f->misc);
}

static const struct of_device_id frames_of_match[] = {
	{ .compatible = "contiguous,frames" },
	{ }
};
MODULE_DEVICE_TABLE(of, frames_of_match);

static struct platform_driver frames_driver = {
	.probe = frames_probe,
	.driver = {
		.name = "frames",
		.of_match_table = frames_of_match,
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(frames_driver);

MODULE_DESCRIPTION("Four buffers behind one file");
MODULE_LICENSE("GPL");
