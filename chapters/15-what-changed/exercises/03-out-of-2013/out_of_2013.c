// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_of_2013: a buffer for a display, as one took it on Linux 3.9.
 *
 * It compiled then, and ran on a board with one device and no questions asked.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/string.h>

#define BUFFER_SIZE SZ_1M
#define WHITE 0xff

static void *buffer;
static dma_addr_t handle;

static int __init out_of_2013_init(void)
{
	/* Mend from here ... */
	buffer = dma_alloc_writecombine(NULL, BUFFER_SIZE, &handle, GFP_KERNEL);
	if (!buffer) {
		pr_err("no memory\n");
		return -ENOMEM;
	}
	/* ... to here. */

	memset(buffer, WHITE, BUFFER_SIZE);
	pr_info("white from %pad on\n", &handle);

	return 0;
}
module_init(out_of_2013_init);

static void __exit out_of_2013_exit(void)
{
	/* Mend from here ... */
	dma_free_writecombine(NULL, BUFFER_SIZE, buffer, handle);
	/* ... to here. */
}
module_exit(out_of_2013_exit);

MODULE_DESCRIPTION("A display buffer, as of 3.9");
MODULE_LICENSE("GPL");
