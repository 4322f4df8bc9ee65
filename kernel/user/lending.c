// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs that try stream_dma do with the device: see lending.h.
 */

/* #region lending-open */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lending.h"
#include "proc_value.h"

int lending_open(const struct lending *l)
{
	int fd = open(l->path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_fail("open %s: %s", l->path, strerror(errno));
	return fd;
}

bool look(int fd, struct stream_dma_info *info)
{
	if (!ioctl(fd, STREAM_DMA_INFO, info))
		return true;
	ktap_fail("INFO: %s", strerror(errno));
	return false;
}

long long slots_used(void)
{
	return proc_value("/sys/kernel/debug/swiotlb/io_tlb_used", NULL);
}

struct stream_dma_map piece(uint32_t kind, uint32_t direction, uint32_t offset, uint32_t length)
{
	return (struct stream_dma_map) {
		.kind = kind,
		.direction = direction,
		.pieces = 1,
		.piece = { { .offset = offset, .length = length } },
	};
}

void add_piece(struct stream_dma_map *map, uint32_t offset, uint32_t length)
{
	map->piece[map->pieces++] = (struct stream_dma_piece) {
		.offset = offset,
		.length = length,
	};
}

bool lend(int fd, struct stream_dma_map *map)
{
	if (!ioctl(fd, STREAM_DMA_MAP, map))
		return true;
	ktap_fail("MAP of %u pieces, the first of %u bytes at %#x: %s", map->pieces,
		  map->piece[0].length, map->piece[0].offset, strerror(errno));
	return false;
}

bool take_back(int fd)
{
	if (!ioctl(fd, STREAM_DMA_UNMAP))
		return true;
	ktap_fail("UNMAP: %s", strerror(errno));
	return false;
}

bool hand_over(int fd, uint32_t owner, uint32_t offset, uint32_t length)
{
	struct stream_dma_sync sync = { .owner = owner, .offset = offset, .length = length };

	if (!ioctl(fd, STREAM_DMA_SYNC, &sync))
		return true;
	ktap_fail("SYNC of %u bytes at %#x for the %s: %s", length, offset,
		  owner == STREAM_DMA_FOR_CPU ? "CPU" : "device", strerror(errno));
	return false;
}

static bool transfer(int fd, struct stream_dma_transfer t)
{
	if (!ioctl(fd, STREAM_DMA_TRANSFER, &t))
		return true;
	ktap_fail("TRANSFER of %u bytes at %#x %s the device: %s", t.length, t.offset,
		  t.direction == STREAM_DMA_TO_DEVICE ? "to" : "from", strerror(errno));
	return false;
}

bool copy_out(int fd, uint32_t offset, uint32_t length, uint32_t inside)
{
	return transfer(fd, (struct stream_dma_transfer) {
			STREAM_DMA_TO_DEVICE, inside, offset, length });
}

bool copy_in(int fd, uint32_t offset, uint32_t length, uint32_t inside)
{
	return transfer(fd, (struct stream_dma_transfer) {
			STREAM_DMA_FROM_DEVICE, inside, offset, length });
}

static bool by_a_loan(int fd, uint32_t direction, uint32_t offset, uint32_t length)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, direction, offset, length);
	bool done;

	if (!lend(fd, &map))
		return false;
	if (direction == STREAM_DMA_TO_DEVICE)
		done = copy_out(fd, 0, length, 0);
	else
		done = copy_in(fd, 0, length, 0);
	return take_back(fd) && done;
}

bool send_bytes(int fd, uint32_t offset, uint32_t length)
{
	return by_a_loan(fd, STREAM_DMA_TO_DEVICE, offset, length);
}

bool fetch_bytes(int fd, uint32_t offset, uint32_t length)
{
	return by_a_loan(fd, STREAM_DMA_FROM_DEVICE, offset, length);
}

/* #endregion lending-open */
