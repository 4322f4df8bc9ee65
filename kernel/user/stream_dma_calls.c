// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream_dma_calls --seed N --calls N --copies N DEVICE
 *
 * Random calls of the DMA API by way of /dev/stream-dma0, each printed with its
 * answer, for a model to make the same calls and compare. Needs root: without
 * addresses there is little to compare. Exit status: 0, or 2 when a call failed
 * that must not.
 *
 *	write FILE OFFSET LENGTH SEED
 *	map FILE KIND DIRECTION OFFSET:LENGTH… -> PHYS DMA:LENGTH… used SLOTS
 *	map FILE KIND DIRECTION OFFSET:LENGTH… -> ENOMEM used SLOTS
 *	sync FILE OWNER OFFSET LENGTH
 *	copy FILE DIRECTION OFFSET LENGTH INSIDE
 *	unmap FILE -> used SLOTS
 *	sum FILE OFFSET LENGTH -> FNV
 *
 * FNV is the 32-bit FNV-1a hash of what the CPU sees in these bytes of the file.
 * All numbers are decimal but addresses and hashes. LENGTH 0 of a sync: all.
 */

/* #region stream-calls-state */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proc_value.h"
#include "stream_dma.h"

#define FILES	12
#define BYTES	(512u << 10)	/* of each file */
#define LOOK	8192u		/* bytes of a mapping that a sum covers, at most */

static struct {
	int fd;
	bool lent;
	struct stream_dma_map map;
	uint32_t bytes;	/* lent, over all pieces */
} files[FILES];

static uint32_t chance;	/* xorshift: never 0 */

static uint32_t below(uint32_t limit)
{
	chance ^= chance << 13;
	chance ^= chance >> 17;
	chance ^= chance << 5;
	return chance % limit;
}

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static long long used(void)
{
	return proc_value("/sys/kernel/debug/swiotlb/io_tlb_used", NULL);
}

static uint8_t bytes[BYTES];

static void write_some(int f)
{
	uint32_t offset = below(BYTES - 1), length = 1 + below(below(4) ? 300 : 9000);
	uint8_t seed = below(256);

	if (length > BYTES - offset)
		length = BYTES - offset;
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251 + seed);
	must(pwrite(files[f].fd, bytes, length, offset) == (ssize_t)length, "write");
	printf("write %d %u %u %u\n", f, offset, length, seed);
}

static void look_at(int f, uint32_t offset, uint32_t length)
{
	uint32_t hash = 2166136261u;

	if (length > LOOK)
		length = LOOK;
	must(pread(files[f].fd, bytes, length, offset) == (ssize_t)length, "read");
	for (uint32_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	printf("sum %d %u %u -> %08x\n", f, offset, length, hash);
}

static void look_at_pieces(int f)
{
	for (uint32_t i = 0; i < files[f].map.pieces; i++)
		look_at(f, files[f].map.piece[i].offset, files[f].map.piece[i].length);
}

/* Mostly small, sometimes the most that can bounce and a little more. */
static uint32_t some_length(void)
{
	static const uint32_t edges[] = {
		1, 2047, 2048, 2049, 4095, 4096, 4097, 6144, 262144, 262145, 300000,
	};

	return below(3) ? 1 + below(6000) : edges[below(11)];
}

static void some_pieces(struct stream_dma_map *map)
{
	uint32_t next = below(4096), wanted = 1;

	map->kind = below(3);
	map->direction = below(3);
	map->flags = STREAM_DMA_MANUAL_SYNC;
	if (map->kind == STREAM_DMA_SG)
		wanted += below(STREAM_DMA_PIECES);
	while (map->pieces < wanted) {
		uint32_t length = some_length();

		if (length > BYTES - next)
			break;
		map->piece[map->pieces].offset = next;
		map->piece[map->pieces++].length = length;
		/* Apart by a cache line, and at any offset in the next one. */
		next = (next + length + 255) / 128 * 128 + below(2) * below(3000);
		if (next >= BYTES)
			break;
	}
}

static void map_some(int f, struct stream_dma_map map)
{
	bool done;

	printf("map %d %u %u", f, map.kind, map.direction);
	for (uint32_t i = 0; i < map.pieces; i++)
		printf(" %u:%u", map.piece[i].offset, map.piece[i].length);
	done = !ioctl(files[f].fd, STREAM_DMA_MAP, &map);
	must(done || errno == ENOMEM, "MAP");
	if (done) {
		printf(" -> %llx", (unsigned long long)map.piece[0].phys_addr);
		files[f].bytes = 0;
		for (uint32_t i = 0; i < map.segments; i++) {
			printf(" %llx:%u", (unsigned long long)map.segment[i].dma_addr,
			       map.segment[i].length);
			files[f].bytes += map.segment[i].length;
		}
	} else {
		printf(" -> ENOMEM");
	}
	printf(" used %lld\n", used());
	files[f].lent = done;
	files[f].map = map;
}

static void take_back(int f)
{
	must(!ioctl(files[f].fd, STREAM_DMA_UNMAP), "UNMAP");
	printf("unmap %d -> used %lld\n", f, used());
	files[f].lent = false;
	look_at_pieces(f);
}

/* #endregion stream-calls-state */

/* #region stream-calls-sync */
static void sync_some(int f)
{
	struct stream_dma_sync sync = { .owner = below(2) };

	if (files[f].map.kind != STREAM_DMA_SG && below(3)) {
		sync.offset = below(files[f].bytes);
		sync.length = 1 + below(files[f].bytes - sync.offset);
	}
	must(!ioctl(files[f].fd, STREAM_DMA_SYNC, &sync), "SYNC");
	printf("sync %d %u %u %u\n", f, sync.owner, sync.offset, sync.length);
	look_at_pieces(f);
}

static void copy_some(int f)
{
	struct stream_dma_transfer t = { .direction = files[f].map.direction };
	uint32_t most;

	if (t.direction == STREAM_DMA_BIDIRECTIONAL)
		t.direction = 1 + below(2);
	t.device_offset = below(3000);
	t.offset = below(files[f].bytes);
	most = files[f].bytes - t.offset;
	if (most > STREAM_DMA_DEVICE_BYTES - t.device_offset)
		most = STREAM_DMA_DEVICE_BYTES - t.device_offset;
	t.length = 1 + below(most);
	must(!ioctl(files[f].fd, STREAM_DMA_TRANSFER, &t), "TRANSFER");
	printf("copy %d %u %u %u %u\n", f, t.direction, t.offset, t.length, t.device_offset);
	look_at_pieces(f);
}

/* Lend a byte of each file, which tells where it lies. */
static void open_files(const char *path)
{
	struct stream_dma_map first = {
		.direction = STREAM_DMA_TO_DEVICE,
		.flags = STREAM_DMA_MANUAL_SYNC,
		.pieces = 1,
		.piece = { { .length = 1 } },
	};

	for (int f = 0; f < FILES; f++) {
		files[f].fd = open(path, O_RDWR | O_CLOEXEC);
		must(files[f].fd >= 0, path);
		map_some(f, first);
		take_back(f);
	}
}

static void one_call(int f, unsigned long *copies)
{
	uint32_t what = below(10);

	if (what < 3) {
		write_some(f);
	} else if (!files[f].lent) {
		struct stream_dma_map map = { 0 };

		some_pieces(&map);
		map_some(f, map);
		if (files[f].lent)
			look_at_pieces(f);
	} else if (what < 5) {
		take_back(f);
	} else if (what == 5 && *copies) {
		--*copies;
		copy_some(f);
	} else {
		sync_some(f);
	}
}

int main(int argc, char **argv)
{
	unsigned long calls = 1000, copies = 20;
	const char *path = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--seed") && argv[i + 1])
			chance = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--calls") && argv[i + 1])
			calls = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--copies") && argv[i + 1])
			copies = strtoul(argv[++i], NULL, 10);
		else
			path = argv[i];
	}
	must(path && chance, "expected --seed N (not 0), --calls N, --copies N and a device");
	open_files(path);
	while (calls--)
		one_call(below(FILES), &copies);
	for (int f = 0; f < FILES; f++)
		if (files[f].lent)
			take_back(f);

	return 0;
}

/* #endregion stream-calls-sync */
