// SPDX-License-Identifier: GPL-2.0-only
/*
 * within_reach: a buffer for a camera that has thirty-two address wires.
 *
 * There is no camera on this board; camera_shoot() is what one would do: it
 * takes the number in its register for an address and writes a picture there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

#define PICTURE_SIZE SZ_64K
#define PICTURE_BYTE 0x5a

static struct page *buffer;

/* The camera: it sees the register and nothing else. */
static void camera_shoot(u32 reg)
{
	pr_info("camera writes to 0x%08x\n", reg);
	if (pfn_valid(PHYS_PFN(reg)))
		memset(phys_to_virt(reg), PICTURE_BYTE, PICTURE_SIZE);
	else
		pr_info("nobody answers there\n");
}

static int __init within_reach_init(void)
{
	/* Mend from here ... */
	buffer = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(PICTURE_SIZE));
	if (!buffer) {
		pr_err("no pages\n");
		return -ENOMEM;
	}

	if (page_to_phys(buffer) + PICTURE_SIZE > SZ_4G) {
		__free_pages(buffer, get_order(PICTURE_SIZE));
		return -EIO;
	}
	camera_shoot(page_to_phys(buffer));
	/* ... to here. */

	if (memchr_inv(page_address(buffer), PICTURE_BYTE, PICTURE_SIZE))
		pr_err("the picture did not arrive\n");
	else
		pr_info("the picture arrived\n");

	return 0;
}
module_init(within_reach_init);

static void __exit within_reach_exit(void)
{
	__free_pages(buffer, get_order(PICTURE_SIZE));
}
module_exit(within_reach_exit);

MODULE_DESCRIPTION("A buffer that thirty-two address wires reach");
MODULE_LICENSE("GPL");
