// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu_echo: sends a page through a PCI card and looks at what comes back.
 *
 * The card is QEMU's edu. It has 28 address lines, and 4 KiB of memory of its
 * own that only its DMA engine reaches. Told an address in RAM, one of its own
 * and a length, it copies, and clears the lowest bit of its command register.
 * On this board it sits behind an IOMMU.
 */
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#define EDU_LINES	28
#define EDU_DMA_FROM	0x80
#define EDU_DMA_TO	0x88
#define EDU_DMA_BYTES	0x90
#define EDU_DMA_COMMAND	0x98
#define EDU_DMA_RUN	BIT(0)
#define EDU_DMA_INTO_RAM BIT(1)
#define EDU_MEMORY	0x40000

#define ECHO_BYTES	4000

/**
 * struct edu_echo - the card and the page that travels
 * @pdev: the PCI function
 * @regs: its registers, BAR 0
 * @lock: guards @buf
 * @buf: the page as the driver reads and writes it; NULL when there is none
 * @dma: the same page as the card addresses it
 */
struct edu_echo {
	struct pci_dev *pdev;
	void __iomem *regs;
	spinlock_t lock;
	u8 *buf;
	dma_addr_t dma;
};

/* What the card has to be told instead of @buf. */
static u64 echo_address(const struct edu_echo *echo)
{
	return echo->dma;
}

/* The card copies the page, and is done when the lowest bit of its command is clear. */
static int echo_copy(struct edu_echo *echo, bool into_ram)
{
	u64 ram = echo_address(echo), from = into_ram ? EDU_MEMORY : ram;
	u32 command;

	writeq(from, echo->regs + EDU_DMA_FROM);
	writeq(into_ram ? ram : EDU_MEMORY, echo->regs + EDU_DMA_TO);
	writeq(ECHO_BYTES, echo->regs + EDU_DMA_BYTES);
	writeq(EDU_DMA_RUN | (into_ram ? EDU_DMA_INTO_RAM : 0), echo->regs + EDU_DMA_COMMAND);

	return readl_poll_timeout(echo->regs + EDU_DMA_COMMAND, command, !(command & EDU_DMA_RUN),
				  1000, 1000000);
}

/* There and back again: the page is wiped in between. */
static int echo_once(struct edu_echo *echo)
{
	struct device *dev = &echo->pdev->dev;
	int ret;

	for (int i = 0; i < ECHO_BYTES; i++)
		echo->buf[i] = i * 7;
	ret = echo_copy(echo, false);
	memset(echo->buf, 0, ECHO_BYTES);
	if (!ret)
		ret = echo_copy(echo, true);
	if (ret)
		return dev_err_probe(dev, ret, "the card does not finish\n");
	for (int i = 0; i < ECHO_BYTES; i++)
		if (echo->buf[i] != (u8)(i * 7))
			return dev_err_probe(dev, -EIO, "byte %d came back as %#x, not %#x\n", i,
					     echo->buf[i], (u8)(i * 7));
	dev_info(dev, "%d bytes came back through %pad\n", ECHO_BYTES, &echo->dma);

	return 0;
}

static int echo_start(struct edu_echo *echo)
{
	struct pci_dev *pdev = echo->pdev;
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
	echo->regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);

	return 0;
}

/* Nobody finds the page any more. */
static void echo_let_go(struct edu_echo *echo)
{
	unsigned long flags;

	spin_lock_irqsave(&echo->lock, flags);
	echo->buf = NULL;
	spin_unlock_irqrestore(&echo->lock, flags);
}

static int echo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_echo *echo = devm_kzalloc(&pdev->dev, sizeof(*echo), GFP_KERNEL);
	int ret;

	if (!echo)
		return -ENOMEM;
	echo->pdev = pdev;
	spin_lock_init(&echo->lock);
	pci_set_drvdata(pdev, echo);
	ret = echo_start(echo);
	if (ret)
		return ret;
	echo->buf = dma_alloc_coherent(&pdev->dev, ECHO_BYTES, &echo->dma, GFP_KERNEL);
	if (!echo->buf)
		return -ENOMEM;
	ret = echo_once(echo);
	if (ret)
		echo_let_go(echo);

	return ret;
}

static void echo_remove(struct pci_dev *pdev)
{
	echo_let_go(pci_get_drvdata(pdev));
}

static const struct pci_device_id echo_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, echo_ids);

static struct pci_driver echo_driver = {
	.name = "edu-echo",
	.id_table = echo_ids,
	.probe = echo_probe,
	.remove = echo_remove,
};
module_pci_driver(echo_driver);

MODULE_DESCRIPTION("A page there and back again through QEMU's edu card");
MODULE_LICENSE("GPL");
