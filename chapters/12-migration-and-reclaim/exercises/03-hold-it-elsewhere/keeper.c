// SPDX-License-Identifier: GPL-2.0-only
/*
 * keeper: holds one page of a program for as long as its file is open, as an
 * encoder does with the frames that a program hands it.
 *
 *	write	the page in which the buffer lies is held from now on; -EBUSY if
 *		there is one already, -EFAULT if there is no such page
 *	read	the first eight bytes of it, as the device would see them; -ENODATA
 *		if there is none
 *	close	lets go
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

/* Mend from here ... */

/* Return: 1, or why the page at @start cannot be held. */
static int keeper_take(unsigned long start, struct page **page)
{
	return pin_user_pages_fast(start, 1, FOLL_WRITE, page);
}

static void keeper_let_go(struct page *page)
{
	unpin_user_page(page);
}

/* ... to here. */

static ssize_t keeper_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct page *page;
	int got;

	if (file->private_data)
		return -EBUSY;
	got = keeper_take((unsigned long)buf & PAGE_MASK, &page);
	if (got != 1)
		return got < 0 ? got : -EFAULT;
	file->private_data = page;

	return count;
}

static ssize_t keeper_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	u64 word;

	if (!file->private_data)
		return -ENODATA;
	if (count < sizeof(word))
		return -EINVAL;
	memcpy_from_page((char *)&word, file->private_data, 0, sizeof(word));

	return copy_to_user(buf, &word, sizeof(word)) ? -EFAULT : sizeof(word);
}

static int keeper_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		keeper_let_go(file->private_data);

	return 0;
}

/* The core of misc devices sets private_data; ours is the page. */
static int keeper_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;
	return 0;
}

static const struct file_operations keeper_fops = {
	.owner = THIS_MODULE,
	.open = keeper_open,
	.write = keeper_write,
	.read = keeper_read,
	.release = keeper_release,
};

static struct miscdevice keeper_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "keeper",
	.fops = &keeper_fops,
};
module_misc_device(keeper_misc);

MODULE_DESCRIPTION("Holds a page of a program while its file is open");
MODULE_LICENSE("GPL");
