// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of /dev/stream-dma0, with arguments good and bad.
 */

/* #region fuzz-stream-dma */
#include <sys/ioctl.h>

#include "fuzz.h"
#include "stream_dma.h"

#define BUFFER (512 << 10) /* what a file has, unless the module was told otherwise */

/*
 * Pieces in rising order; whole words everywhere, so that what moves stays words.
 * Most are small, so that several fit; now and then one may be as long as the buffer.
 */
static void make_pieces(struct stream_dma_map *map, uint64_t state)
{
	bool coherent = map->kind == STREAM_DMA_COHERENT;
	uint32_t at = 0, most;

	for (uint32_t i = 0; i < map->pieces && i < STREAM_DMA_PIECES; i++) {
		at += coherent ? 0 : fuzz_random(&state) % 8192 & ~63U;
		map->piece[i].offset = at;
		most = fuzz_random(&state) % 8 ? 8192 : BUFFER;
		map->piece[i].length = fuzz_number(fuzz_random(&state), most) & ~7U;
		at += (map->piece[i].length + 63) & ~63U;
	}
}

static int stream_map(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct stream_dma_map map = {
		.kind = d->detail % 32 ? d->detail / 32 % 4 : (uint32_t)d->detail,
		.direction = d->size % 16 ? d->size / 16 % 3 : (uint32_t)d->size,
		.flags = d->place % 16 ? d->place / 16 % 2 : (uint32_t)d->place,
		.pieces = 1,
	};

	if (map.kind == STREAM_DMA_SG)
		map.pieces = fuzz_number(d->place >> 8, STREAM_DMA_PIECES);
	if (map.kind == STREAM_DMA_COHERENT && d->size % 8)
		map.direction = 0;
	make_pieces(&map, d->place);

	return fuzz_command(w, d, STREAM_DMA_MAP, &map, sizeof(map));
}

static int stream_sync(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct stream_dma_sync sync = {
		.owner = d->size % 16 ? d->size / 16 % 2 : (uint32_t)d->size,
		.reserved = d->place % 32 == 17,
	};

	if (d->place % 2) {
		sync.offset = d->place >> 8 & 0x1ff8;
		sync.length = fuzz_number(d->size >> 8, 4096) & ~7U;
	}

	return fuzz_command(w, d, STREAM_DMA_SYNC, &sync, sizeof(sync));
}

/* The device takes a tenth of a second for a copy: these are few. */
static int stream_transfer(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct stream_dma_transfer t = {
		.direction = d->detail % 8 ? 1 + d->detail / 8 % 2 : (uint32_t)d->detail,
		.device_offset = d->place % 8 ? d->place & 0xff8 : (uint32_t)d->place,
		.offset = d->place >> 32 & 0x3f8,
		.length = fuzz_number(d->size, 2048) & ~7U,
	};

	return fuzz_command(w, d, STREAM_DMA_TRANSFER, &t, sizeof(t));
}

static int stream_unmap(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	return fuzz_command(w, d, STREAM_DMA_UNMAP, "", 0);
}

static int stream_info(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct stream_dma_info info = { };

	return fuzz_command(w, d, STREAM_DMA_INFO, &info, sizeof(info));
}

static const struct fuzz_kind kinds[] = {
	{ "MAP", 90, FUZZ_MUST, stream_map },
	{ "SYNC", 60, FUZZ_MUST, stream_sync },
	{ "TRANSFER", 8, FUZZ_MUST, stream_transfer },
	{ "UNMAP", 60, FUZZ_MUST, stream_unmap },
	{ "INFO", 20, FUZZ_MUST, stream_info },
	{ "mmap", 10, FUZZ_NEVER, fuzz_mmap },
};

const struct fuzz_kinds fuzz_stream_dma = { kinds, sizeof(kinds) / sizeof(*kinds) };
/* #endregion fuzz-stream-dma */
