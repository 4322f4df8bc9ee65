// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is lent to the device: one call of the DMA API for each step.
 *
 *	CPU owns -> map -> device owns -> unmap -> CPU owns
 *	                   device owns -> for_cpu -> CPU owns -> for_device -> …
 *
 * Where the device looks into the CPU's caches and reaches the memory, nothing
 * but the address is computed. Where it does not reach it, the kernel lends it
 * a copy in low memory, and each change of hands copies: forget one, and one
 * side has the bytes of before.
 */

/* #region loan-includes */
#include <linux/mm.h>
#include <linux/sizes.h>

#include "loan.h"
/* #endregion loan-includes */

/* #region loan-check-pieces */
/*
 * Pieces lie in the buffer, in rising order and apart. A line of the cache is
 * written back as a whole: if the device may write a piece, none of its lines
 * holds bytes of another piece.
 */
static int loan_check_pieces(const struct stream_dma_map *map, size_t size)
{
	u32 apart = map->direction == STREAM_DMA_TO_DEVICE ? 1 : dma_get_cache_alignment();
	u64 free = 0;

	for (u32 i = 0; i < map->pieces; i++) {
		const struct stream_dma_piece *p = &map->piece[i];

		if (!p->length || p->offset >= size || p->length > size - p->offset)
			return -EINVAL;
		if (i && round_down(p->offset, apart) < free)
			return -EINVAL;
		free = round_up((u64)p->offset + p->length, apart);
	}

	return 0;
}

/* #endregion loan-check-pieces */

/* #region loan-check */
static int loan_check(const struct stream_dma_map *map, size_t size)
{
	bool list = map->kind == STREAM_DMA_SG;

	if (map->kind > STREAM_DMA_COHERENT || map->direction > STREAM_DMA_FROM_DEVICE ||
	    map->flags & ~STREAM_DMA_MANUAL_SYNC || map->reserved)
		return -EINVAL;
	if (!map->pieces || map->pieces > (list ? STREAM_DMA_PIECES : 1))
		return -EINVAL;
	if (map->kind != STREAM_DMA_COHERENT)
		return loan_check_pieces(map, size);

	return map->direction || map->piece[0].offset || !map->piece[0].length ||
	       map->piece[0].length > SZ_16M ? -EINVAL : 0;
}

/* #endregion loan-check */

/* #region loan-add-segment */
static void loan_add_segment(struct loan *loan, dma_addr_t addr, u32 length)
{
	loan->segments[loan->count++] = (struct stream_dma_segment) {
		.dma_addr = addr,
		.length = length,
	};
}

/* Whole pages, zeroed; the memory is the program's and the device's at once. */
static int loan_map_coherent(struct device *dev, struct loan *loan, u32 length)
{
	dma_addr_t addr;

	loan->end = PAGE_ALIGN(length);
	loan->coherent = dma_alloc_coherent(dev, loan->end, &addr, GFP_KERNEL | __GFP_NOWARN);
	if (!loan->coherent)
		return -ENOMEM;
	loan_add_segment(loan, addr, loan->end);

	return 0;
}

/* #endregion loan-add-segment */

/* #region loan-map-one */
/*
 * All ones are no address, 0 is one: ask dma_mapping_error() before the device
 * is given it. A mapping that failed is not unmapped.
 */
static int loan_map_one(struct device *dev, struct loan *loan)
{
	struct scatterlist *s = loan->sg;
	dma_addr_t addr;

	if (loan->kind == STREAM_DMA_SINGLE)
		addr = dma_map_single(dev, sg_virt(s), s->length, loan->dir);
	else
		addr = dma_map_page(dev, sg_page(s), s->offset, s->length, loan->dir);
	if (dma_mapping_error(dev, addr))
		return -ENOMEM;
	loan_add_segment(loan, addr, s->length);

	return 0;
}

/* #endregion loan-map-one */

/* #region loan-map-list */
/*
 * The device sees as many segments as dma_map_sg() says, which may be fewer than
 * the pieces that went in; unmapping and syncing want the number that went in.
 */
static int loan_map_list(struct device *dev, struct loan *loan)
{
	struct scatterlist *s;
	int count, i;

	count = dma_map_sg(dev, loan->sg, loan->pieces, loan->dir);
	if (!count)
		return -ENOMEM;
	for_each_sg(loan->sg, s, count, i)
		loan_add_segment(loan, sg_dma_address(s), sg_dma_len(s));

	return 0;
}

/* #endregion loan-map-list */

/* #region loan-fill */
/* The pieces as a scatterlist, and their physical addresses for the program. */
static void loan_fill(struct loan *loan, void *buffer, struct stream_dma_map *map)
{
	const struct stream_dma_piece *last = &map->piece[map->pieces - 1];

	*loan = (struct loan) {
		.kind = map->kind,
		.manual = map->flags & STREAM_DMA_MANUAL_SYNC,
		.dir = (enum dma_data_direction)map->direction,
		.offset = map->piece[0].offset,
		.end = last->offset + last->length,
		.pieces = map->pieces,
	};
	if (loan->kind == STREAM_DMA_COHERENT)
		return;
	sg_init_table(loan->sg, loan->pieces);
	for (int i = 0; i < loan->pieces; i++) {
		struct stream_dma_piece *p = &map->piece[i];

		sg_set_buf(&loan->sg[i], buffer + p->offset, p->length);
		p->phys_addr = sg_phys(&loan->sg[i]);
	}
}

/* #endregion loan-fill */

/* #region loan-map */
/**
 * loan_map() - lend pieces of a buffer, or coherent memory
 * @dev: who borrows
 * @loan: becomes what is lent
 * @buffer: contiguous memory of the linear map
 * @size: its bytes
 * @map: what the program asks for; answered on success
 *
 * Return: 0, -EBUSY when something is lent, -EINVAL, or -ENOMEM when the DMA API
 * finds no way to the memory.
 */
int loan_map(struct device *dev, struct loan *loan, void *buffer, size_t size,
	     struct stream_dma_map *map)
{
	int ret;

	if (loan->count)
		return -EBUSY;
	ret = loan_check(map, size);
	if (ret)
		return ret;
	loan_fill(loan, buffer, map);
	if (loan->kind == STREAM_DMA_COHERENT)
		ret = loan_map_coherent(dev, loan, map->piece[0].length);
	else if (loan->kind == STREAM_DMA_SG)
		ret = loan_map_list(dev, loan);
	else
		ret = loan_map_one(dev, loan);
	if (ret)
		return ret;

	map->segments = loan->count;
	memcpy(map->segment, loan->segments, sizeof(map->segment));
	return 0;
}

/* #endregion loan-map */

/* #region loan-unmap */
/**
 * loan_unmap() - take back what is lent; does nothing when nothing is
 * @dev: who borrowed it
 * @loan: the loan, over afterwards
 *
 * The device's last bytes reach the buffer here, if no sync brought them before.
 */
void loan_unmap(struct device *dev, struct loan *loan)
{
	dma_addr_t addr = loan->segments[0].dma_addr;

	if (!loan->count)
		return;
	loan->count = 0;
	if (loan->kind == STREAM_DMA_COHERENT)
		dma_free_coherent(dev, loan->end, loan->coherent, addr);
	else if (loan->kind == STREAM_DMA_SG)
		dma_unmap_sg(dev, loan->sg, loan->pieces, loan->dir);
	else if (loan->kind == STREAM_DMA_PAGE)
		dma_unmap_page(dev, addr, loan->sg->length, loan->dir);
	else
		dma_unmap_single(dev, addr, loan->sg->length, loan->dir);
}

/* #endregion loan-unmap */

/* #region loan-for-cpu */
/**
 * loan_for_cpu() - the CPU has these bytes next
 * @dev: who has them now
 * @loan: what is lent
 * @offset: first byte, counted from the first one lent
 * @length: bytes; a scatterlist changes hands as a whole
 */
void loan_for_cpu(struct device *dev, struct loan *loan, u32 offset, u32 length)
{
	dma_addr_t addr = loan->segments[0].dma_addr;

	if (loan->kind == STREAM_DMA_COHERENT)
		return;
	if (loan->kind == STREAM_DMA_SG)
		dma_sync_sg_for_cpu(dev, loan->sg, loan->pieces, loan->dir);
	else
		dma_sync_single_range_for_cpu(dev, addr, offset, length, loan->dir);
}

/* #endregion loan-for-cpu */

/* #region loan-for-device */
/**
 * loan_for_device() - the device has these bytes again
 * @dev: the device
 * @loan: what is lent
 * @offset: first byte, counted from the first one lent
 * @length: bytes; a scatterlist changes hands as a whole
 */
void loan_for_device(struct device *dev, struct loan *loan, u32 offset, u32 length)
{
	dma_addr_t addr = loan->segments[0].dma_addr;

	if (loan->kind == STREAM_DMA_COHERENT)
		return;
	if (loan->kind == STREAM_DMA_SG)
		dma_sync_sg_for_device(dev, loan->sg, loan->pieces, loan->dir);
	else
		dma_sync_single_range_for_device(dev, addr, offset, length, loan->dir);
}

/* #endregion loan-for-device */
