/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device: QEMU's "edu", which exists to be driven by learners. It has 4 KiB
 * of memory that the CPU cannot reach: bytes get in and out by DMA alone. Told
 * to copy, it does so a tenth of a second later and raises its interrupt.
 *
 * Protocol: edu_start(), then edu_copy() one at a time (the caller locks), and
 * edu_interrupt() at any time.
 */
/* #region edu-headers */
#ifndef STREAM_DMA_EDU_H
#define STREAM_DMA_EDU_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/pci.h>

/**
 * struct edu - the device as its driver knows it
 * @pdev: the PCI function
 * @regs: its registers, BAR 0
 * @done: completed by the interrupt that follows a copy
 * @broken: it did not answer in time; it may not touch memory any more
 * @commands: copies it was told to make
 * @interrupts: how often it said that one was done, perhaps too late; counted
 *	by edu_interrupt(), which takes no lock
 * @bytes: how many bytes those copied that were done in time
 */
struct edu {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct completion done;
	bool broken;
	u64 commands;
	atomic64_t interrupts;
	u64 bytes;
};

int edu_start(struct edu *edu);
int edu_copy(struct edu *edu, dma_addr_t ram, u32 inside, u32 length, bool to_ram);
irqreturn_t edu_interrupt(int irq, void *data);

#endif /* STREAM_DMA_EDU_H */
/* #endregion edu-headers */
