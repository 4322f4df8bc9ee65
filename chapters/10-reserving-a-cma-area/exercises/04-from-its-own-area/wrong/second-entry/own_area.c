// SPDX-License-Identifier: GPL-2.0-only
/*
 * own_area: a video decoder's frames, from the CMA area that the tree gives it.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

#define FRAMES_SIZE (6 * SZ_1M)

/**
 * struct own_area - the decoder's one buffer
 * @cpu_addr: as the kernel reads and writes it
 * @dma_addr: as the decoder addresses it
 */
struct own_area {
	void *cpu_addr;
	dma_addr_t dma_addr;
};

static int own_area_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct own_area *oa;
	int ret;

	oa = devm_kzalloc(dev, sizeof(*oa), GFP_KERNEL);
	if (!oa)
		return -ENOMEM;
	platform_set_drvdata(pdev, oa);

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(dev, ret, "no DMA to 32-bit addresses\n");

	/* Mend from here ... */
	ret = of_reserved_mem_device_init_by_idx(dev, dev->of_node, 1);
	if (ret)
		return dev_err_probe(dev, ret, "memory-region cannot be attached\n");

	oa->cpu_addr = dma_alloc_coherent(dev, FRAMES_SIZE, &oa->dma_addr, GFP_KERNEL);
	if (!oa->cpu_addr) {
		of_reserved_mem_device_release(dev);
		return dev_err_probe(dev, -ENOMEM, "no room for the frames\n");
	}
	/* ... to here, and what has to be undone in remove(). */

	dev_info(dev, "frames at %pad\n", &oa->dma_addr);
	return 0;
}

static void own_area_remove(struct platform_device *pdev)
{
	struct own_area *oa = platform_get_drvdata(pdev);

	dma_free_coherent(&pdev->dev, FRAMES_SIZE, oa->cpu_addr, oa->dma_addr);
	of_reserved_mem_device_release(&pdev->dev);
}

static const struct of_device_id own_area_of_match[] = {
	{ .compatible = "contiguous,video" },
	{ }
};
MODULE_DEVICE_TABLE(of, own_area_of_match);

static struct platform_driver own_area_driver = {
	.probe = own_area_probe,
	.remove_new = own_area_remove,
	.driver = {
		.name = "own-area",
		.of_match_table = own_area_of_match,
	},
};
module_platform_driver(own_area_driver);

MODULE_DESCRIPTION("Frames of a video decoder in a CMA area of its own");
MODULE_LICENSE("GPL");
