// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream_dma: DMA by a real device, seen from a program.
 *
 * The device is QEMU's "edu", a PCI device. It copies between RAM and memory of
 * its own, and reaches as much of RAM as it has address lines: 28 of them, 256
 * MiB, unless QEMU was told otherwise. What lies above it can only get through
 * a bounce buffer or an IOMMU, and where there is neither the driver says so
 * and leaves the device alone.
 *
 *	probe: enable -> mask -> registers -> interrupt -> show to users
 *	remove: hide from users -> end all loans -> devm undoes the rest
 *
 * A PCI device can be taken away while files are open, by its owner's hand or
 * through sysfs: see stream_dma_remove().
 */

/* #region stream-dma-new */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "driver.h"

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "address lines of the device; 28 unless QEMU's dma_mask= says otherwise");

static DEFINE_IDA(stream_dma_ids);

static void stream_dma_free(struct kref *refs)
{
	struct stream_dma *sd = container_of(refs, struct stream_dma, refs);

	mutex_destroy(&sd->files_lock);
	mutex_destroy(&sd->lock);
	kfree(sd);
}

void stream_dma_put(struct stream_dma *sd)
{
	kref_put(&sd->refs, stream_dma_free);
}

static void stream_dma_let_go(void *sd)
{
	stream_dma_put(sd);
}

/*
 * Not devm_kzalloc(): open files need it after the device is gone. The put is
 * the first thing devm is told, so it is the last that it does.
 */
static struct stream_dma *stream_dma_new(struct pci_dev *pdev)
{
	struct stream_dma *sd = kzalloc(sizeof(*sd), GFP_KERNEL);

	if (!sd)
		return NULL;
	sd->edu.pdev = pdev;
	kref_init(&sd->refs);
	mutex_init(&sd->lock);
	mutex_init(&sd->files_lock);
	INIT_LIST_HEAD(&sd->files);
	pci_set_drvdata(pdev, sd);

	return devm_add_action_or_reset(&pdev->dev, stream_dma_let_go, sd) ? NULL : sd;
}

/* #endregion stream-dma-new */

/* #region stream-dma-mask */
/*
 * Before any other call of the DMA API: what the device reaches, and how much at
 * once. A mask of less than 32 bits has to cover ZONE_DMA to its end, or to the
 * end of RAM if that comes first; else the kernel refuses it. Were it not told,
 * it would believe in 32 bits, and the device would cut each address off to what
 * it has.
 */
static int stream_dma_set_mask(struct stream_dma *sd)
{
	struct device *dev = &sd->edu.pdev->dev;
	int ret;

	if (dma_bits < 12 || dma_bits > 64)
		return dev_err_probe(dev, -EINVAL, "dma_bits %u, expected 12 to 64\n", dma_bits);
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return dev_err_probe(dev, ret, "no DMA with %u address lines here\n", dma_bits);
	/* Any length: edu_copy() goes through a segment bit by bit. PCI would say 64 KiB. */
	dma_set_max_seg_size(dev, UINT_MAX);

	return 0;
}

/* #endregion stream-dma-mask */

/* #region stream-dma-registers */
static int stream_dma_map_registers(struct stream_dma *sd)
{
	struct pci_dev *pdev = sd->edu.pdev;
	int ret;

	ret = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no registers in BAR 0\n");
	sd->edu.regs = pcim_iomap_table(pdev)[0];
	ret = edu_start(&sd->edu);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "does not answer as an edu device does\n");

	/* Only a bus master may do DMA, and send its interrupt as a message. */
	pci_set_master(pdev);

	return 0;
}

/* A message if there can be one, else a line, which others may share. */
static int stream_dma_get_interrupt(struct stream_dma *sd)
{
	struct pci_dev *pdev = sd->edu.pdev;
	int ret;

	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return dev_err_probe(&pdev->dev, ret, "no interrupt\n");
	ret = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), edu_interrupt,
			       pdev->msi_enabled ? 0 : IRQF_SHARED, KBUILD_MODNAME, &sd->edu);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no handler for the interrupt\n");

	return 0;
}

static void stream_dma_free_id(void *sd)
{
	ida_free(&stream_dma_ids, ((struct stream_dma *)sd)->id);
}

/* Last of all: a program may open the device before this returns. */
static int stream_dma_show(struct stream_dma *sd)
{
	struct device *dev = &sd->edu.pdev->dev;
	int ret;

	sd->id = ida_alloc(&stream_dma_ids, GFP_KERNEL);
	if (sd->id < 0)
		return sd->id;
	ret = devm_add_action_or_reset(dev, stream_dma_free_id, sd);
	if (ret)
		return ret;
	sd->misc.minor = MISC_DYNAMIC_MINOR;
	sd->misc.name = devm_kasprintf(dev, GFP_KERNEL, "stream-dma%d", sd->id);
	sd->misc.fops = &stream_dma_fops;
	sd->misc.parent = dev;
	sd->misc.mode = 0600;
	if (!sd->misc.name)
		return -ENOMEM;

	return misc_register(&sd->misc);
}

static int stream_dma_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct stream_dma *sd = stream_dma_new(pdev);
	int ret;

	if (!sd)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (!ret)
		ret = stream_dma_set_mask(sd);
	if (!ret)
		ret = stream_dma_map_registers(sd);
	if (!ret)
		ret = stream_dma_get_interrupt(sd);
	if (!ret)
		ret = stream_dma_show(sd);
	if (ret)
		return ret;

	dev_info(&pdev->dev, "/dev/%s: %u address lines, interrupt by %s\n", sd->misc.name,
		 dma_bits, pdev->msi_enabled ? "message" : "line");
	return 0;
}

/* #endregion stream-dma-registers */

/* #region stream-dma-remove */
/*
 * Files may be open, and stay open when the device is gone. No new ones from
 * here on; what the old ones have lent is taken back while the DMA API still
 * knows the device; and from then on they get -ENODEV. The lock waits for a copy
 * that is under way.
 */
static void stream_dma_remove(struct pci_dev *pdev)
{
	struct stream_dma *sd = pci_get_drvdata(pdev);
	struct stream_dma_file *f;

	misc_deregister(&sd->misc);
	mutex_lock(&sd->lock);
	mutex_lock(&sd->files_lock);
	list_for_each_entry(f, &sd->files, node)
		loan_unmap(&pdev->dev, &f->loan);
	mutex_unlock(&sd->files_lock);
	sd->gone = true;
	mutex_unlock(&sd->lock);
}

/* #endregion stream-dma-remove */

/* #region stream-dma-driver */
static const struct pci_device_id stream_dma_ids_table[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, stream_dma_ids_table);

static struct pci_driver stream_dma_driver = {
	.name = "stream-dma",
	.id_table = stream_dma_ids_table,
	.probe = stream_dma_probe,
	.remove = stream_dma_remove,
};
module_pci_driver(stream_dma_driver);

MODULE_DESCRIPTION("DMA by QEMU's edu device: streaming, coherent, bounced, and what moved");
MODULE_LICENSE("GPL");
/* #endregion stream-dma-driver */
