// SPDX-License-Identifier: GPL-2.0-only
/*
 * cma_test: takes contiguous memory and gives it back, on demand.
 *
 * A handful of slots, each with a size of its own: 1, 2, 3 … 10 MiB unless the
 * parameter sizes says otherwise. A shell is enough to work them:
 *
 *	echo > /dev/cma_test	allocates for the lowest empty slot
 *	cat /dev/cma_test	frees the lowest slot in use
 *
 * A failed write leaves its slot empty, so the next one tries the same size.
 * What is written does not matter; a write or read of no bytes does nothing.
 *
 *	write	count, -ENOMEM: no memory, -ENOSPC: every slot is in use
 *	read	0 (end of file, so one cat frees one slot), -ENOENT: no slot is in
 *		use, -EIO: freed, but somebody else had written into the buffer
 *	both	-ERESTARTSYS: a signal came while another caller was at work; the
 *		call is made again after its handler, or says EINTR (SA_RESTART)
 *
 * Each page of a buffer is marked when it is got and looked at before it is
 * freed, so memory that is handed out twice is noticed. One mutex makes slots
 * and counters change together, and holds over the allocation: two writers never
 * choose the same slot. In debugfs, for root:
 *
 *	cma_test/slots		index, size in bytes, DMA address or - if empty
 *	cma_test/allocated	since the module came: writes that got memory
 *	cma_test/freed		reads that gave some back
 *	cma_test/failed		writes that got none (-ENOSPC did not ask)
 *	cma_test/spoiled	buffers that did not hold their marks any more
 *	cma_test/held		bytes in all slots together
 */

/* #region cma-test-includes */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>

#define SLOTS 10
#define MAX_MIB 1024

static unsigned int sizes[SLOTS] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
static unsigned int nr_slots = SLOTS;
module_param_array(sizes, uint, &nr_slots, 0444);
MODULE_PARM_DESC(sizes, "MiB of each slot, up to ten numbers from 1 to 1024 (default 1,2,…,10)");

static unsigned int dma_bits = 32;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "address bits that the device has, 1 to 64 (default 32)");
/* #endregion cma-test-includes */

/* #region cma-test-state */
/**
 * struct cma_test_slot - one buffer, or the place for it
 * @size: length in bytes, whole pages; the same value allocates and frees
 * @cpu_addr: the buffer as the kernel reads and writes it, NULL if there is none
 * @dma_addr: the same buffer as the device addresses it
 */
struct cma_test_slot {
	size_t size;
	void *cpu_addr;
	dma_addr_t dma_addr;
};

/* #endregion cma-test-state */

/* #region cma-test-device */
/**
 * struct cma_test - the device
 * @dev: the platform device, with the mask that allocations keep to
 * @misc: what user space opens
 * @lock: guards everything below
 * @slots: the first nr_slots are in use
 * @allocated: buffers got since probe
 * @freed: buffers given back since probe
 * @failed: allocations that failed since probe
 * @spoiled: buffers whose marks were gone when they were freed
 * @held: bytes in all slots together
 */
struct cma_test {
	struct device *dev;
	struct miscdevice misc;
	struct mutex lock; /* guards what follows */
	struct cma_test_slot slots[SLOTS];
	unsigned long allocated;
	unsigned long freed;
	unsigned long failed;
	unsigned long spoiled;
	size_t held;
};

/* #endregion cma-test-device */

/* #region cma-test-marks */
/* First and last word of a page: the page's own DMA address, and its opposite. */
#define LAST_WORD (PAGE_SIZE / sizeof(u64) - 1)

static void cma_test_mark(const struct cma_test_slot *slot)
{
	for (size_t offset = 0; offset < slot->size; offset += PAGE_SIZE) {
		u64 *words = slot->cpu_addr + offset;

		words[0] = slot->dma_addr + offset;
		words[LAST_WORD] = ~words[0];
	}
}

/* #endregion cma-test-marks */

/* #region cma-test-unmarked */
/* Return: offset of the first page that lost its marks, or the size for none. */
static size_t cma_test_unmarked(const struct cma_test_slot *slot)
{
	size_t offset;

	for (offset = 0; offset < slot->size; offset += PAGE_SIZE) {
		const u64 *words = slot->cpu_addr + offset;
		u64 mark = slot->dma_addr + offset;

		if (words[0] != mark || words[LAST_WORD] != ~mark)
			break;
	}

	return offset;
}

/* #endregion cma-test-unmarked */

/* #region cma-test-find */
/* The lowest slot that is in use, or the lowest that is not; NULL for none. */
static struct cma_test_slot *cma_test_find(struct cma_test *ct, bool in_use)
{
	lockdep_assert_held(&ct->lock);
	for (unsigned int i = 0; i < nr_slots; i++)
		if (!!ct->slots[i].cpu_addr == in_use)
			return &ct->slots[i];

	return NULL;
}

/* #endregion cma-test-find */

/* #region cma-test-fill */
/*
 * GFP_KERNEL may wait, which CMA needs: to empty a range it moves pages and
 * waits for whoever uses them. On arm64, as wherever dma-direct allocates, more
 * than a page comes from the device's CMA area or the default one; what does not
 * fit there is asked of the buddy allocator. 32-bit ARM has a way of its own for
 * devices that do not snoop: CMA for every size, and for what does not fit, nothing.
 */
static int cma_test_fill(struct cma_test *ct)
{
	struct cma_test_slot *slot = cma_test_find(ct, false);

	if (!slot)
		return -ENOSPC;

	slot->cpu_addr = dma_alloc_coherent(ct->dev, slot->size, &slot->dma_addr, GFP_KERNEL);
	if (!slot->cpu_addr) {
		ct->failed++;
		dev_err_ratelimited(ct->dev, "no memory for %zu KiB\n", slot->size >> 10);
		return -ENOMEM;
	}

	cma_test_mark(slot);
	ct->allocated++;
	ct->held += slot->size;
	dev_dbg(ct->dev, "slot %td: allocated %zu KiB at %pad\n", slot - ct->slots,
		slot->size >> 10, &slot->dma_addr);
	return 0;
}

/* #endregion cma-test-fill */

/* #region cma-test-empty */
static int cma_test_empty(struct cma_test *ct)
{
	struct cma_test_slot *slot = cma_test_find(ct, true);
	size_t unmarked;

	if (!slot)
		return -ENOENT;

	unmarked = cma_test_unmarked(slot);
	dma_free_coherent(ct->dev, slot->size, slot->cpu_addr, slot->dma_addr);
	slot->cpu_addr = NULL;
	ct->freed++;
	ct->held -= slot->size;
	dev_dbg(ct->dev, "slot %td: freed %zu KiB\n", slot - ct->slots, slot->size >> 10);
	if (unmarked < slot->size) {
		ct->spoiled++;
		dev_err(ct->dev, "slot %td: somebody wrote at offset %#zx\n", slot - ct->slots,
			unmarked);
		return -EIO;
	}

	return 0;
}

/* #endregion cma-test-empty */

/* #region cma-test-fops */
/* misc_open() left a pointer to our miscdevice in the file. */
static struct cma_test *from_file(struct file *file)
{
	return container_of(file->private_data, struct cma_test, misc);
}

static ssize_t cma_test_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct cma_test *ct = from_file(file);
	int ret;

	if (!count)
		return 0;
	if (mutex_lock_interruptible(&ct->lock))
		return -ERESTARTSYS;
	ret = cma_test_empty(ct);
	mutex_unlock(&ct->lock);

	return ret;
}

static ssize_t cma_test_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	struct cma_test *ct = from_file(file);
	int ret;

	if (!count)
		return 0;
	if (mutex_lock_interruptible(&ct->lock))
		return -ERESTARTSYS;
	ret = cma_test_fill(ct);
	mutex_unlock(&ct->lock);

	return ret ?: count;
}

static const struct file_operations cma_test_fops = {
	.owner = THIS_MODULE,
	.read = cma_test_read,
	.write = cma_test_write,
	.llseek = noop_llseek,
};

/* #endregion cma-test-fops */

/* #region cma-test-slots */
/* debugfs takes the module's owner from these operations: an open file holds it. */
static int slots_show(struct seq_file *seq, void *unused)
{
	struct cma_test *ct = seq->private;

	if (mutex_lock_interruptible(&ct->lock))
		return -ERESTARTSYS;
	for (unsigned int i = 0; i < nr_slots; i++) {
		const struct cma_test_slot *slot = &ct->slots[i];

		seq_printf(seq, "%u %zu ", i, slot->size);
		if (slot->cpu_addr)
			seq_printf(seq, "%pad\n", &slot->dma_addr);
		else
			seq_puts(seq, "-\n");
	}
	mutex_unlock(&ct->lock);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(slots);

/* #endregion cma-test-slots */

/* #region cma-test-undo */
/* By now nobody has the device open: each slot that is still in use is freed. */
static void cma_test_empty_all(void *data)
{
	struct cma_test *ct = data;

	mutex_lock(&ct->lock);
	while (cma_test_find(ct, true))
		cma_test_empty(ct);
	mutex_unlock(&ct->lock);
}

static void cma_test_unlist(void *dir)
{
	debugfs_remove(dir);
}

static void cma_test_hide(void *misc)
{
	misc_deregister(misc);
}

/* A kernel without debugfs takes these calls and does nothing. */
static int cma_test_list(struct cma_test *ct)
{
	struct dentry *dir = debugfs_create_dir(KBUILD_MODNAME, NULL);

	debugfs_create_file("slots", 0400, dir, ct, &slots_fops);
	debugfs_create_ulong("allocated", 0400, dir, &ct->allocated);
	debugfs_create_ulong("freed", 0400, dir, &ct->freed);
	debugfs_create_ulong("failed", 0400, dir, &ct->failed);
	debugfs_create_ulong("spoiled", 0400, dir, &ct->spoiled);
	debugfs_create_size_t("held", 0400, dir, &ct->held);

	return devm_add_action_or_reset(ct->dev, cma_test_unlist, dir);
}

/* Last of all, for a program may open the device before this returns. */
static int cma_test_show(struct cma_test *ct)
{
	int ret;

	ct->misc.minor = MISC_DYNAMIC_MINOR;
	ct->misc.name = KBUILD_MODNAME;
	ct->misc.fops = &cma_test_fops;
	ct->misc.parent = ct->dev;
	ct->misc.mode = 0600;

	ret = misc_register(&ct->misc);
	if (ret)
		return dev_err_probe(ct->dev, ret, "/dev/%s cannot be made\n", ct->misc.name);

	return devm_add_action_or_reset(ct->dev, cma_test_hide, &ct->misc);
}

/* #endregion cma-test-undo */

/* #region cma-test-probe */
static int cma_test_probe(struct platform_device *pdev)
{
	struct cma_test *ct;
	int ret;

	ct = devm_kzalloc(&pdev->dev, sizeof(*ct), GFP_KERNEL);
	if (!ct)
		return -ENOMEM;
	ct->dev = &pdev->dev;
	mutex_init(&ct->lock);
	for (unsigned int i = 0; i < nr_slots; i++)
		ct->slots[i].size = (size_t)sizes[i] * SZ_1M;

	ret = dma_set_mask_and_coherent(ct->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return dev_err_probe(ct->dev, ret, "no DMA with %u address bits\n", dma_bits);

	/* devm undoes from the last to the first: hide, unlist, then free. */
	ret = devm_add_action_or_reset(ct->dev, cma_test_empty_all, ct);
	if (!ret)
		ret = cma_test_list(ct);
	if (!ret)
		ret = cma_test_show(ct);

	return ret;
}

/* #endregion cma-test-probe */

/* #region cma-test-check */
static int __init cma_test_check(void)
{
	if (dma_bits < 1 || dma_bits > 64) {
		pr_err("dma_bits=%u, expected 1 to 64\n", dma_bits);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < nr_slots; i++) {
		if (sizes[i] < 1 || sizes[i] > MAX_MIB) {
			pr_err("sizes: %u MiB, expected 1 to %u\n", sizes[i], MAX_MIB);
			return -EINVAL;
		}
	}

	return 0;
}

/*
 * With a device of our own the DMA API works as for hardware. The driver of such a
 * bundle has no bind and unbind files: the device stays until the module goes, and
 * that waits for every open file.
 */
static struct platform_device *cma_test_device;
static struct platform_driver cma_test_driver = {
	.driver = { .name = KBUILD_MODNAME },
};

static int __init cma_test_init(void)
{
	struct platform_driver *driver = &cma_test_driver;
	int ret = cma_test_check();

	if (ret)
		return ret;
	cma_test_device = platform_create_bundle(driver, cma_test_probe, NULL, 0, NULL, 0);

	return PTR_ERR_OR_ZERO(cma_test_device);
}
module_init(cma_test_init);

static void __exit cma_test_exit(void)
{
	platform_device_unregister(cma_test_device);
	platform_driver_unregister(&cma_test_driver);
}
module_exit(cma_test_exit);

MODULE_DESCRIPTION("Takes contiguous memory and gives it back, on demand");
MODULE_LICENSE("GPL");
/* #endregion cma-test-check */
