// SPDX-License-Identifier: GPL-2.0-only
/*
 * camera_pool: the camera's frames, in a DMA pool of its own.
 *
 * The region comes from the device tree (shared-dma-pool, no-map). probe()
 * attaches it and takes all frames in one buffer; remove() undoes both.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

static unsigned int frames = 16;
module_param(frames, uint, 0444);
MODULE_PARM_DESC(frames, "frames of 1 MiB in the buffer");

/**
 * struct camera_pool - the camera's one buffer
 * @cpu_addr: the buffer as the kernel reads and writes it
 * @dma_addr: the same buffer as the camera addresses it
 * @size: length in bytes
 */
struct camera_pool {
	void *cpu_addr;
	dma_addr_t dma_addr;
	size_t size;
};

static int camera_pool_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct camera_pool *cp;
	int ret;

	cp = devm_kzalloc(dev, sizeof(*cp), GFP_KERNEL);
	if (!cp)
		return -ENOMEM;
	if (frames > 16)
		return dev_err_probe(dev, -ENOMEM, "no room for %u frames\n", frames);
	cp->size = (size_t)frames * SZ_1M;
	platform_set_drvdata(pdev, cp);

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(dev, ret, "no DMA to 32-bit addresses\n");

	ret = of_reserved_mem_device_init(dev);
	if (ret)
		return dev_err_probe(dev, ret, "memory-region cannot be attached\n");

	cp->cpu_addr = dma_alloc_coherent(dev, cp->size, &cp->dma_addr, GFP_KERNEL);
	if (!cp->cpu_addr)
		return dev_err_probe(dev, -ENOMEM, "no memory\n");

	dev_info(dev, "%u frames\n", frames);
	return 0;
}

static void camera_pool_remove(struct platform_device *pdev)
{
	struct camera_pool *cp = platform_get_drvdata(pdev);

	dma_free_coherent(&pdev->dev, cp->size, cp->cpu_addr, cp->dma_addr);
	of_reserved_mem_device_release(&pdev->dev);
}

static const struct of_device_id camera_pool_of_match[] = {
	{ .compatible = "contiguous,camera" },
	{ }
};
MODULE_DEVICE_TABLE(of, camera_pool_of_match);

static struct platform_driver camera_pool_driver = {
	.probe = camera_pool_probe,
	.remove_new = camera_pool_remove,
	.driver = {
		.name = "camera-pool",
		.of_match_table = camera_pool_of_match,
	},
};
module_platform_driver(camera_pool_driver);

MODULE_DESCRIPTION("Frames of a camera in a reserved DMA pool");
MODULE_LICENSE("GPL");
