/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A loan: memory that the device may use for a while.
 *
 * Protocol: loan_map() lends, loan_unmap() takes back; in between the memory is
 * the device's, save what loan_for_cpu() hands over until loan_for_device()
 * hands it back. The caller holds the device's lock in each of them.
 */
/* #region loan-struct */
#ifndef STREAM_DMA_LOAN_H
#define STREAM_DMA_LOAN_H

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>

#include "stream_dma.h"

/**
 * struct loan - what one open file has lent
 * @kind: of STREAM_DMA_SINGLE, _PAGE, _SG, _COHERENT
 * @manual: the program says when bytes change hands
 * @dir: which way they go
 * @offset: of the first piece in the buffer, in bytes
 * @end: behind the last piece
 * @sg: the pieces, the one and only also where no scatterlist is mapped
 * @pieces: how many
 * @segments: addresses for the device, in as many pieces as it sees
 * @count: how many segments; 0 when nothing is lent
 * @coherent: instead of all pieces, memory that both sides always see alike
 */
struct loan {
	u32 kind;
	bool manual;
	enum dma_data_direction dir;
	u32 offset, end;
	struct scatterlist sg[STREAM_DMA_PIECES];
	int pieces;
	struct stream_dma_segment segments[STREAM_DMA_PIECES];
	int count;
	void *coherent;
};

int loan_map(struct device *dev, struct loan *loan, void *buffer, size_t size,
	     struct stream_dma_map *map);
void loan_unmap(struct device *dev, struct loan *loan);
void loan_for_cpu(struct device *dev, struct loan *loan, u32 offset, u32 length);
void loan_for_device(struct device *dev, struct loan *loan, u32 offset, u32 length);

#endif /* STREAM_DMA_LOAN_H */
/* #endregion loan-struct */
