// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_of_2013: a buffer for a display, as one took it on Linux 3.9.
 *
 * It compiled then, and ran on a board with one device and no questions asked.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

#define BUFFER_SIZE SZ_1M
#define WHITE 0xff

static void *buffer;
static dma_addr_t handle;

static const struct file_operations display_fops = {
	.owner = THIS_MODULE,
};

static struct miscdevice display = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &display_fops,
};

static int __init out_of_2013_init(void)
{
	/* Mend from here ... */
	if (misc_register(&display))
		return -EBUSY;

	buffer = dma_alloc_wc(display.this_device, BUFFER_SIZE, &handle, GFP_KERNEL);
	if (!buffer) {
		pr_err("no memory\n");
		misc_deregister(&display);
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
	dma_free_wc(display.this_device, BUFFER_SIZE, buffer, handle);
	misc_deregister(&display);
	/* ... to here. */
}
module_exit(out_of_2013_exit);

MODULE_DESCRIPTION("A display buffer, as of 3.9");
MODULE_LICENSE("GPL");
