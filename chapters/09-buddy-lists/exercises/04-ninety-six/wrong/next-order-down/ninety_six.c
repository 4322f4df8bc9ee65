// SPDX-License-Identifier: GPL-2.0-only
/*
 * ninety_six: buffers of 96 pages in a row.
 *
 * Takes them when it is loaded and gives them back when it is unloaded.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#define PAGES 96
#define ORDER 6		/* the order below, so that nothing is left over */

static unsigned int buffers = 128;
module_param(buffers, uint, 0444);
MODULE_PARM_DESC(buffers, "how many buffers of 96 pages");

static struct page **taken;

/* 96 pages in a row, or NULL. */
static struct page *take_buffer(void)
{
	struct page *first = alloc_pages(GFP_KERNEL | __GFP_NOWARN, ORDER);

	if (!first)
		return NULL;
	return first;
}

/* Undoes take_buffer(). */
static void give_buffer(struct page *first)
{
	__free_pages(first, ORDER);
}

static void give_all(void)
{
	for (unsigned int i = 0; i < buffers && taken[i]; i++)
		give_buffer(taken[i]);
	kvfree(taken);
}

static int __init ninety_six_init(void)
{
	taken = kvcalloc(buffers, sizeof(*taken), GFP_KERNEL);
	if (!taken)
		return -ENOMEM;
	for (unsigned int i = 0; i < buffers; i++) {
		taken[i] = take_buffer();
		if (!taken[i]) {
			give_all();
			return -ENOMEM;
		}
	}
	pr_info("ninety_six: %u buffers\n", buffers);

	return 0;
}
module_init(ninety_six_init);

static void __exit ninety_six_exit(void)
{
	give_all();
}
module_exit(ninety_six_exit);

MODULE_AUTHOR("Contiguous");
MODULE_DESCRIPTION("Buffers of 96 pages in a row");
MODULE_LICENSE("GPL");
