// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_coherent: one coherent buffer out of a DMA pool of its own.
 *
 * The device tree sets a region aside (compatible = "shared-dma-pool" and
 * no-map) and names it in this device's memory-region. The driver attaches the
 * region, takes one buffer from it with the DMA API, and lends the buffer to
 * programs as /dev/reserved-coherent: a file of fixed size that can also be
 * mapped (buffer_file.c).
 *
 *	probe: masks -> attach region -> allocate -> lend to programs
 *	unbind: the same steps undone from the last to the first
 *
 * What a program writes while another reads is theirs to arrange, as with every
 * shared mapping.
 *
 * Give the client node no dma-coherent property: the pool is write-combined in
 * the kernel, and a coherent device would get it cacheable in user space, two
 * memory types for the same bytes.
 */

/* #region reserved-coherent-includes */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>

#include "buffer_file.h"
/* #endregion reserved-coherent-includes */

/* #region reserved-coherent-state */
static unsigned long buffer_size;
module_param(buffer_size, ulong, 0444);
MODULE_PARM_DESC(buffer_size, "bytes to allocate, for which the pool has room as for the next power of two of pages; 0 (the default): the largest power of two in the region");

/* #endregion reserved-coherent-state */

/* #region reserved-coherent-map */
/*
 * The DMA API maps what it allocated: it alone knows which pages and which kind
 * of mapping. Pages outside the buffer get -ENXIO.
 */
static int reserved_coherent_map(const struct buffer_memory *memory, struct vm_area_struct *vma)
{
	return dma_mmap_coherent(memory->dev, vma, memory->cpu_addr, memory->address, memory->size);
}

/* #endregion reserved-coherent-map */

/* #region reserved-coherent-attach */
static void reserved_coherent_detach(void *dev)
{
	of_reserved_mem_device_release(dev);
}

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
 * How much to allocate: buffer_size in whole pages, or as much as the pool can
 * give at once. It deals in powers of two of pages, so of a region of 96 KiB,
 * all of it free, it gives 64 KiB and never 96: that would be 128. The pool
 * clears only the bytes asked for, so asking for part of a page would leave the
 * rest of it, with its old contents, in every mapping.
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

	*size = PAGE_ALIGN(buffer_size ?: rounddown_pow_of_two(rmem->size));
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
static int reserved_coherent_allocate(struct buffer_memory *memory)
{
	dma_addr_t address;

	memory->cpu_addr = dmam_alloc_coherent(memory->dev, memory->size, &address, GFP_KERNEL);
	if (!memory->cpu_addr) {
		/* A full pool says nothing, nor does dev_err_probe(-ENOMEM). */
		dev_err(memory->dev, "no room for %zu KiB: the pool gives %lu KiB at once, or nothing\n",
			memory->size >> 10, (PAGE_SIZE << get_order(memory->size)) >> 10);
		return -ENOMEM;
	}

	memory->address = address;
	return 0;
}

/* #endregion reserved-coherent-allocate */

/* #region reserved-coherent-probe */
static int reserved_coherent_probe(struct platform_device *pdev)
{
	struct buffer_memory memory = {
		.dev = &pdev->dev,
		.name = "reserved-coherent",
		.map = reserved_coherent_map,
	};
	int ret;

	ret = reserved_coherent_get_size(memory.dev, &memory.size);
	if (!ret)
		ret = reserved_coherent_attach(memory.dev);
	if (!ret)
		ret = reserved_coherent_allocate(&memory);
	if (!ret)
		ret = devm_buffer_file_create(&memory);
	if (ret)
		return ret;

	dev_info(memory.dev, "/dev/%s: %zu KiB\n", memory.name, memory.size >> 10);
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
	},
};
module_platform_driver(reserved_coherent_driver);
/* #endregion reserved-coherent-driver */

/* #region reserved-coherent-module */
MODULE_DESCRIPTION("One coherent buffer from a reserved DMA pool, mapped into programs");
MODULE_LICENSE("GPL");
/* #endregion reserved-coherent-module */
