// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu_turns: lends one page to a PCI card, twice there and back again.
 *
 * The card is QEMU's edu. It has 4 KiB of memory of its own that only its DMA
 * engine reaches. Told an address in RAM, one of its own and a length, it copies,
 * and clears the lowest bit of its command register. On this board its bus ends
 * below the page.
 */
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define EDU_LINES	31
#define EDU_DMA_FROM	0x80
#define EDU_DMA_TO	0x88
#define EDU_DMA_BYTES	0x90
#define EDU_DMA_COMMAND	0x98
#define EDU_DMA_RUN	BIT(0)
#define EDU_DMA_INTO_RAM BIT(1)
#define EDU_MEMORY	0x40000

#define TURN_BYTES	4000
#define TURN_ROUNDS	2

/**
 * struct edu_turns - the card and the page that is lent to it
 * @pdev: the PCI function
 * @regs: its registers, BAR 0
 * @page: the page as the driver reads and writes it
 * @dma: the same page as the card addresses it
 */
struct edu_turns {
	struct pci_dev *pdev;
	void __iomem *regs;
	u8 *page;
	dma_addr_t dma;
};

static u8 pattern(int round, int i)
{
	return 0x40 + round + i * 7;
}

/* The card copies the page, and is done when the lowest bit of its command is clear. */
static int turns_copy(struct edu_turns *turns, bool into_ram)
{
	u64 ram = turns->dma, from = into_ram ? EDU_MEMORY : ram;
	struct device *dev = &turns->pdev->dev;
	u32 command;
	int ret;

	dma_sync_single_for_device(dev, turns->dma, TURN_BYTES, DMA_TO_DEVICE);
	writeq(from, turns->regs + EDU_DMA_FROM);
	writeq(into_ram ? ram : EDU_MEMORY, turns->regs + EDU_DMA_TO);
	writeq(TURN_BYTES, turns->regs + EDU_DMA_BYTES);
	writeq(EDU_DMA_RUN | (into_ram ? EDU_DMA_INTO_RAM : 0), turns->regs + EDU_DMA_COMMAND);
	ret = readl_poll_timeout(turns->regs + EDU_DMA_COMMAND, command, !(command & EDU_DMA_RUN),
				 1000, 1000000);
	dma_sync_single_for_cpu(dev, turns->dma, TURN_BYTES, DMA_TO_DEVICE);

	return ret;
}

/* There and back again: the page is wiped in between. */
static int turns_round(struct edu_turns *turns, int round)
{
	struct device *dev = &turns->pdev->dev;
	int ret;

	for (int i = 0; i < TURN_BYTES; i++)
		turns->page[i] = pattern(round, i);
	ret = turns_copy(turns, false);
	memset(turns->page, 0, TURN_BYTES);
	if (!ret)
		ret = turns_copy(turns, true);
	if (ret)
		return dev_err_probe(dev, ret, "the card does not finish\n");
	for (int i = 1; i < TURN_BYTES; i++)
		if (turns->page[i] != pattern(round, i))
			return dev_err_probe(dev, -EIO, "byte %d came back as %#x, not %#x\n", i,
					     turns->page[i], pattern(round, i));
	dev_info(dev, "round %d: %d bytes came back\n", round, TURN_BYTES);

	return 0;
}

static int turns_start(struct edu_turns *turns)
{
	struct pci_dev *pdev = turns->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(EDU_LINES));
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no DMA with %d lines\n", EDU_LINES);
	ret = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (ret)
		return ret;
	turns->regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);

	return 0;
}

/* Lent once, for all rounds. */
static int turns_run(struct edu_turns *turns)
{
	struct device *dev = &turns->pdev->dev;
	int ret = 0;

	memset(turns->page, 0xee, TURN_BYTES);
	turns->dma = dma_map_single(dev, turns->page, TURN_BYTES, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, turns->dma))
		return dev_err_probe(dev, -ENOMEM, "the page cannot be lent\n");
	for (int round = 1; !ret && round <= TURN_ROUNDS; round++)
		ret = turns_round(turns, round);
	dma_unmap_single(dev, turns->dma, TURN_BYTES, DMA_TO_DEVICE);
	dev_info(dev, "after unmapping byte 1 is %#x\n", turns->page[1]);

	return ret;
}

static int turns_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_turns turns = { .pdev = pdev };
	int ret;

	ret = turns_start(&turns);
	if (ret)
		return ret;
	turns.page = (u8 *)get_zeroed_page(GFP_KERNEL);
	if (!turns.page)
		return -ENOMEM;
	ret = turns_run(&turns);
	free_page((unsigned long)turns.page);

	return ret;
}

static const struct pci_device_id turns_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, turns_ids);

static struct pci_driver turns_driver = {
	.name = "edu-turns",
	.id_table = turns_ids,
	.probe = turns_probe,
};
module_pci_driver(turns_driver);

MODULE_DESCRIPTION("A page lent to QEMU's edu card, there and back again");
MODULE_LICENSE("GPL");
