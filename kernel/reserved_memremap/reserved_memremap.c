// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_memremap: a reserved region mapped by its driver, without DMA API.
 *
 * The region in the device tree has no-map and no compatible: the kernel sets
 * it aside and does nothing more with it. The driver reads the address from the
 * node, claims the range so that /proc/iomem names the owner, maps it with
 * memremap(), and lends it to programs as /dev/reserved-memremap: a file of fixed
 * size that can also be mapped (buffer_file.c).
 *
 *	probe: find the range -> claim -> map -> lend to programs
 *	unbind: the same steps undone from the last to the first
 *
 * Nobody clears the region. What was in it at probe stays, be it from the boot
 * loader or from this driver before it was unbound.
 *
 * What a program writes while another reads is theirs to arrange, as with every
 * shared mapping.
 */

/* #region reserved-memremap-includes */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/platform_device.h>

#include "buffer_file.h"
/* #endregion reserved-memremap-includes */

/* #region reserved-memremap-map */
/*
 * The protection stays as it is, cacheable, which is what MEMREMAP_WB gave the
 * kernel: both see the region through the same kind of mapping. Pages outside
 * the region get -EINVAL here, where dma_mmap_coherent() says -ENXIO.
 */
static int reserved_memremap_map(const struct buffer_memory *memory, struct vm_area_struct *vma)
{
	return vm_iomap_memory(vma, memory->address, memory->size);
}

/* #endregion reserved-memremap-map */

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
static int reserved_memremap_claim(struct buffer_memory *memory, const struct resource *range)
{
	struct device *dev = memory->dev;

	memory->address = range->start;
	memory->size = resource_size(range);
	if (!PAGE_ALIGNED(range->start) || !PAGE_ALIGNED(memory->size))
		return dev_err_probe(dev, -EINVAL, "%pR is not made of whole pages\n", range);

	if (!devm_request_mem_region(dev, range->start, memory->size, dev_name(dev)))
		return dev_err_probe(dev, -EBUSY, "%pR has another owner\n", range);

	memory->cpu_addr = devm_memremap(dev, range->start, memory->size, MEMREMAP_WB);
	if (IS_ERR(memory->cpu_addr))
		return dev_err_probe(dev, PTR_ERR(memory->cpu_addr), "%pR cannot be mapped\n",
				     range);

	return 0;
}

/* #endregion reserved-memremap-claim */

/* #region reserved-memremap-probe */
static int reserved_memremap_probe(struct platform_device *pdev)
{
	struct buffer_memory memory = {
		.dev = &pdev->dev,
		.name = "reserved-memremap",
		.map = reserved_memremap_map,
	};
	struct resource range;
	int ret;

	ret = reserved_memremap_find(memory.dev, &range);
	if (!ret)
		ret = reserved_memremap_claim(&memory, &range);
	if (!ret)
		ret = devm_buffer_file_create(&memory);
	if (ret)
		return ret;

	dev_info(memory.dev, "/dev/%s: %zu KiB\n", memory.name, memory.size >> 10);
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
	},
};
module_platform_driver(reserved_memremap_driver);
/* #endregion reserved-memremap-driver */

/* #region reserved-memremap-module */
MODULE_DESCRIPTION("A reserved region, claimed, mapped by memremap() and offered to programs");
MODULE_LICENSE("GPL");
/* #endregion reserved-memremap-module */
