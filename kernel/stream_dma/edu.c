// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of QEMU's edu device, and how it is made to copy.
 *
 *	0x00	identification, 0x….00ed
 *	0x04	liveness: answers with the inverse of what was written
 *	0x24	why it raised its interrupt; 0x100: a copy is done
 *	0x64	written: these reasons are seen to
 *	0x80	DMA source, 0x88 destination, 0x90 bytes, 0x98 command
 *
 * It believes every address. Those of RAM it cuts off to the address lines that
 * it has, without a word to the driver; one outside its own memory stops the
 * virtual machine. So the driver looks before the device can.
 */

/* #region edu-start */
#include <linux/bits.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include "edu.h"
#include "stream_dma.h"

#define EDU_ID			0x00
#define EDU_LIVENESS		0x04
#define EDU_IRQ_REASON		0x24
#define EDU_IRQ_SEEN		0x64
#define EDU_DMA_FROM		0x80
#define EDU_DMA_TO		0x88
#define EDU_DMA_BYTES		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_IRQ_DMA		BIT(8)
#define EDU_DMA_RUN		BIT(0)
#define EDU_DMA_INTO_RAM	BIT(1)
#define EDU_DMA_INTERRUPT	BIT(2)

#define EDU_MEMORY		0x40000	/* where its own memory begins */
#define EDU_PATIENCE_MS		1000	/* ten times what a copy takes */

/**
 * edu_start() - see whether the device is what it says, and alive
 * @edu: with @pdev and @regs set
 *
 * Return: 0, or -ENODEV for another device or one that does not answer.
 */
int edu_start(struct edu *edu)
{
	const u32 word = 0x5ca77e12;

	init_completion(&edu->done);
	if ((readl(edu->regs + EDU_ID) & 0xffff) != 0x00ed)
		return -ENODEV;
	writel(word, edu->regs + EDU_LIVENESS);

	return readl(edu->regs + EDU_LIVENESS) == ~word ? 0 : -ENODEV;
}

/* #endregion edu-start */

/* #region edu-interrupt */
/**
 * edu_interrupt() - the device has something to say
 * @irq: not used
 * @data: its struct edu
 *
 * Return: IRQ_NONE when it was not this device: a line is shared, and a device
 * that was pulled out reads as all ones.
 */
irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	u32 reason = readl(edu->regs + EDU_IRQ_REASON);

	if (!reason || PCI_POSSIBLE_ERROR(reason))
		return IRQ_NONE;
	writel(reason, edu->regs + EDU_IRQ_SEEN);
	if (reason & EDU_IRQ_DMA) {
		atomic64_inc(&edu->interrupts);
		complete(&edu->done);
	}

	return IRQ_HANDLED;
}

/* #endregion edu-interrupt */

/* #region edu-give-up */
/*
 * It may still copy, at a time of its own choosing, and the caller will give the
 * memory to somebody else. Without bus mastership it cannot.
 */
static int edu_give_up(struct edu *edu)
{
	edu->broken = true;
	pci_clear_master(edu->pdev);
	dev_err(&edu->pdev->dev, "no answer in %d ms, DMA is switched off\n", EDU_PATIENCE_MS);

	return -ETIMEDOUT;
}

/* #endregion edu-give-up */

/* #region edu-copy */
/**
 * edu_copy() - have the device copy, and wait until it has
 * @edu: the device; the caller holds its lock
 * @ram: address in RAM as the device counts
 * @inside: first byte in the device's own memory
 * @length: bytes
 * @to_ram: from the device to RAM, not the other way
 *
 * Return: 0, -EINVAL for bytes the device does not have, -ETIMEDOUT when it
 * does not answer and -EIO from then on.
 */
int edu_copy(struct edu *edu, dma_addr_t ram, u32 inside, u32 length, bool to_ram)
{
	u32 command = EDU_DMA_RUN | EDU_DMA_INTERRUPT | (to_ram ? EDU_DMA_INTO_RAM : 0);
	u64 own = EDU_MEMORY + inside;

	if (edu->broken)
		return -EIO;
	/* Had it been told of bytes that it does not have, it would be too late. */
	if (!length || inside >= STREAM_DMA_DEVICE_BYTES ||
	    length > STREAM_DMA_DEVICE_BYTES - inside)
		return -EINVAL;
	reinit_completion(&edu->done);
	edu->commands++;
	writeq(to_ram ? own : ram, edu->regs + EDU_DMA_FROM);
	writeq(to_ram ? ram : own, edu->regs + EDU_DMA_TO);
	writeq(length, edu->regs + EDU_DMA_BYTES);
	writeq(command, edu->regs + EDU_DMA_COMMAND);
	if (!wait_for_completion_timeout(&edu->done, msecs_to_jiffies(EDU_PATIENCE_MS)))
		return edu_give_up(edu);
	edu->bytes += length;

	return 0;
}

/* #endregion edu-copy */
