// SPDX-License-Identifier: GPL-2.0-only
/*
 * samples: frames of a sampler, in a region of its own (no-map, no compatible).
 *
 *	page 0			counters, for the kernel alone
 *	page 1 to the last	frames, one a page, for programs to map
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/platform_device.h>

#define COUNTERS 0xc0

/**
 * struct samples - the sampler's region
 * @range: its addresses; range.end is the last byte
 * @cpu_addr: the same as the kernel reads and writes it
 * @misc: what programs open
 */
struct samples {
	struct resource range;
	void *cpu_addr;
	struct miscdevice misc;
};

/* misc_open() leaves a pointer to our miscdevice in the file. */
static int samples_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct samples *s = container_of(file->private_data, struct samples, misc);

	/* Mend this. */
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(s->range.start),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct file_operations samples_fops = {
	.owner = THIS_MODULE,
	.mmap = samples_mmap,
};

/* A number in each page, so that a program can tell which one it sees. */
static void samples_number(struct samples *s)
{
	size_t pages = resource_size(&s->range) / PAGE_SIZE;

	*(u64 *)s->cpu_addr = COUNTERS;
	for (size_t i = 1; i < pages; i++)
		*(u64 *)(s->cpu_addr + i * PAGE_SIZE) = i;
}

static int samples_find(struct device *dev, struct resource *range)
{
	struct device_node *np = of_parse_phandle(dev->of_node, "memory-region", 0);
	int ret;

	if (!np)
		return -ENODEV;
	ret = of_address_to_resource(np, 0, range);
	of_node_put(np);

	return ret;
}

static void samples_hide(void *misc)
{
	misc_deregister(misc);
}

static int samples_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct samples *s = devm_kzalloc(dev, sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return -ENOMEM;
	ret = samples_find(dev, &s->range);
	if (ret)
		return dev_err_probe(dev, ret, "no region\n");
	if (!devm_request_mem_region(dev, s->range.start, resource_size(&s->range), dev_name(dev)))
		return dev_err_probe(dev, -EBUSY, "%pR has another owner\n", &s->range);
	s->cpu_addr = devm_memremap(dev, s->range.start, resource_size(&s->range), MEMREMAP_WB);
	if (IS_ERR(s->cpu_addr))
		return dev_err_probe(dev, PTR_ERR(s->cpu_addr), "%pR cannot be mapped\n", &s->range);
	samples_number(s);

	s->misc.minor = MISC_DYNAMIC_MINOR;
	s->misc.name = "samples";
	s->misc.fops = &samples_fops;
	s->misc.mode = 0600;
	ret = misc_register(&s->misc);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, samples_hide, &s->misc);
}

static const struct of_device_id samples_of_match[] = {
	{ .compatible = "contiguous,samples" },
	{ }
};
MODULE_DEVICE_TABLE(of, samples_of_match);

/* Nobody takes the driver away while a program has frames: see the chapter for one that bears it. */
static struct platform_driver samples_driver = {
	.probe = samples_probe,
	.driver = {
		.name = "samples",
		.of_match_table = samples_of_match,
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(samples_driver);

MODULE_DESCRIPTION("Frames of a sampler in a reserved region");
MODULE_LICENSE("GPL");
