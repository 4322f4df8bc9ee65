// SPDX-License-Identifier: GPL-2.0-only
/*
 * What moved: bytes go from the file to the device and come back to another
 * place of the file, which must then hold them and nothing more.
 *
 *	file  0x1000 ──▶ device 0x000 ──▶ file 0x8000
 */

/* #region test-what-it-is */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream_dma_test.h"

#define OUT	0x1000
#define IN	0x8000
#define AROUND	0xee	/* what lies around the bytes that come in */

enum ktap_result test_what_it_is(void *lending)
{
	const struct lending *l = lending;
	uint64_t mask = l->bits == 64 ? UINT64_MAX : (1ULL << l->bits) - 1;
	struct stream_dma_info info;

	if (!look(l->fd, &info))
		return KTAP_FAIL;
	if (info.dma_mask != mask)
		return ktap_fail("DMA mask %#llx, expected %#llx",
				 (unsigned long long)info.dma_mask, (unsigned long long)mask);
	if (info.msi == l->line)
		return ktap_fail("interrupts by %s", info.msi ? "message" : "line");
	if (lseek(l->fd, 0, SEEK_END) != (off_t)info.buffer_size)
		return ktap_fail("lseek and INFO differ about the size");
	if (info.lent || info.buffer_size < 512 << 10)
		return ktap_fail("lent %u, buffer of %llu bytes", info.lent,
				 (unsigned long long)info.buffer_size);

	return KTAP_OK;
}

/*
 * The device's address for one piece. Direct: the physical one. Bounced: the
 * physical one is out of reach, the other is not. IOMMU: any in reach, but the
 * place in the page stays.
 */
static enum ktap_result check_address(const struct lending *l, uint64_t phys, uint64_t dma,
				      uint32_t length)
{
	uint64_t last = l->bits == 64 ? UINT64_MAX : (1ULL << l->bits) - 1;
	bool near = phys + length - 1 <= last;
	bool right = dma + length - 1 <= last;

	if (l->way == WAY_DIRECT)
		right = right && near && dma == phys;
	else if (l->way == WAY_BOUNCED)
		right = right && (!near || l->forced) && dma != phys;
	else
		right = right && !((dma ^ phys) & 0xfff);
	if (!right)
		return ktap_fail("%u bytes at %#llx have the device address %#llx", length,
				 (unsigned long long)phys, (unsigned long long)dma);

	return KTAP_OK;
}

enum ktap_result test_addresses(void *lending)
{
	static const uint32_t kinds[] = { STREAM_DMA_SINGLE, STREAM_DMA_PAGE, STREAM_DMA_SG };
	static const char *const names[] = { "single", "page", "list" };
	const struct lending *l = lending;

	for (int i = 0; i < 3; i++) {
		struct stream_dma_map map = piece(kinds[i], STREAM_DMA_TO_DEVICE, OUT + 0x234, 100);

		if (!lend(l->fd, &map) || !take_back(l->fd))
			return KTAP_FAIL;
		ktap_note("%s at %#llx, for the device %#llx", names[i],
			  (unsigned long long)map.piece[0].phys_addr,
			  (unsigned long long)map.segment[0].dma_addr);
		if (map.segments != 1 || map.segment[0].length != 100)
			return ktap_fail("%u segments, the first of %u bytes", map.segments,
					 map.segment[0].length);
		if (check_address(l, map.piece[0].phys_addr, map.segment[0].dma_addr, 100) !=
		    KTAP_OK)
			return KTAP_FAIL;
	}

	return KTAP_OK;
}

/* #endregion test-what-it-is */

/* #region test-lengths */
/* There and back; the byte before and the byte after stay what they were. */
static enum ktap_result there_and_back(int fd, uint32_t length)
{
	uint32_t first = length < 4096 ? length : 4095, rest = length - first;

	if (!put_pattern(fd, OUT, length, length) || !put_value(fd, IN - 1, length + 2, AROUND))
		return KTAP_FAIL;
	if (!send_bytes(fd, OUT, first) || !fetch_bytes(fd, IN, first))
		return KTAP_FAIL;
	if (rest && (!send_bytes(fd, OUT + first, rest) || !fetch_bytes(fd, IN + first, rest)))
		return KTAP_FAIL;
	if (!same_pattern(fd, IN, length, length) || !same_value(fd, IN - 1, 1, AROUND) ||
	    !same_value(fd, IN + length, 1, AROUND))
		return KTAP_FAIL;

	return KTAP_OK;
}

enum ktap_result test_length_1(void *lending)
{
	return there_and_back(((struct lending *)lending)->fd, 1);
}

enum ktap_result test_length_63(void *lending)
{
	return there_and_back(((struct lending *)lending)->fd, 63);
}

enum ktap_result test_length_64(void *lending)
{
	return there_and_back(((struct lending *)lending)->fd, 64);
}

enum ktap_result test_length_65(void *lending)
{
	return there_and_back(((struct lending *)lending)->fd, 65);
}

enum ktap_result test_length_4095(void *lending)
{
	return there_and_back(((struct lending *)lending)->fd, 4095);
}

/* One byte more than the device takes at once: two copies each way. */
enum ktap_result test_length_4096(void *lending)
{
	return there_and_back(((struct lending *)lending)->fd, 4096);
}

/* A page and an offset in it that lead beyond its end. */
enum ktap_result test_across_pages(void *lending)
{
	struct stream_dma_map out = piece(STREAM_DMA_PAGE, STREAM_DMA_TO_DEVICE, OUT + 0xf81, 301);
	struct stream_dma_map in = piece(STREAM_DMA_PAGE, STREAM_DMA_FROM_DEVICE, IN + 0xe03, 301);
	int fd = ((struct lending *)lending)->fd;
	bool moved;

	if (!put_pattern(fd, OUT + 0xf81, 301, 3) || !put_value(fd, IN + 0xe02, 303, AROUND))
		return KTAP_FAIL;
	moved = lend(fd, &out) && copy_out(fd, 0, 301, 0) && take_back(fd) && lend(fd, &in) &&
		copy_in(fd, 0, 301, 0) && take_back(fd);
	if (!moved || !same_pattern(fd, IN + 0xe03, 301, 3) ||
	    !same_value(fd, IN + 0xe02, 1, AROUND) || !same_value(fd, IN + 0xe03 + 301, 1, AROUND))
		return KTAP_FAIL;

	return KTAP_OK;
}

/* #endregion test-lengths */

/* #region test-list-pieces */
/* Four pieces at odd places and of odd lengths, 1,164 bytes in all. */
static const struct { uint32_t offset, length; } scattered[] = {
	{ 0x003, 1 }, { 0x181, 63 }, { 0xff0, 100 }, { 0x3001, 1000 },
};

#define SCATTERED_BYTES	1164

static struct stream_dma_map scattered_list(uint32_t direction, uint32_t base)
{
	struct stream_dma_map map = { .kind = STREAM_DMA_SG, .direction = direction };

	for (int i = 0; i < 4; i++)
		add_piece(&map, base + scattered[i].offset, scattered[i].length);

	return map;
}

/* Pieces go out as one run of bytes. A part of the run begins in a later piece. */
enum ktap_result test_list_gathers(void *lending)
{
	struct stream_dma_map map = scattered_list(STREAM_DMA_TO_DEVICE, OUT);
	int fd = ((struct lending *)lending)->fd;

	for (int i = 0; i < 4; i++)
		if (!put_pattern(fd, OUT + scattered[i].offset, scattered[i].length, 40 + i))
			return KTAP_FAIL;
	if (!lend(fd, &map) || !copy_out(fd, 0, SCATTERED_BYTES, 0) ||
	    !copy_out(fd, 34, 100, 2000) || !take_back(fd))
		return KTAP_FAIL;
	if (!fetch_bytes(fd, IN, 2100))
		return KTAP_FAIL;
	for (int i = 0, at = IN; i < 4; at += scattered[i++].length)
		if (!same_pattern(fd, at, scattered[i].length, 40 + i))
			return KTAP_FAIL;
	if (!same_pattern_from(fd, IN + 2000, 30, 41, 33) || !same_pattern(fd, IN + 2030, 70, 42))
		return KTAP_FAIL;

	return KTAP_OK;
}

/* One run of bytes comes into pieces; what lies between them stays. */
enum ktap_result test_list_scatters(void *lending)
{
	struct stream_dma_map map = scattered_list(STREAM_DMA_FROM_DEVICE, IN);
	int fd = ((struct lending *)lending)->fd;
	uint32_t skip = 0, end = 0;

	if (!put_pattern(fd, OUT, SCATTERED_BYTES, 77) || !put_value(fd, IN, 0x4000, AROUND))
		return KTAP_FAIL;
	if (!send_bytes(fd, OUT, SCATTERED_BYTES) || !lend(fd, &map) ||
	    !copy_in(fd, 0, SCATTERED_BYTES, 0) || !take_back(fd))
		return KTAP_FAIL;
	for (int i = 0; i < 4; i++) {
		uint32_t offset = scattered[i].offset, length = scattered[i].length;

		if (!same_value(fd, IN + end, offset - end, AROUND) ||
		    !same_pattern_from(fd, IN + offset, length, 77, skip))
			return KTAP_FAIL;
		skip += length;
		end = offset + length;
	}

	return same_value(fd, IN + end, 0x4000 - end, AROUND) ? KTAP_OK : KTAP_FAIL;
}

/*
 * Two whole pages and a bit, apart in RAM. An IOMMU makes one stretch of them,
 * and a copy goes across the joint as if it were not there.
 */
enum ktap_result test_list_joined(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SG, STREAM_DMA_TO_DEVICE, OUT, 4096);
	const struct lending *l = lending;
	uint32_t expected = l->way == WAY_IOMMU ? 1 : 3, bytes = 0;

	add_piece(&map, OUT + 0x2000, 4096);
	add_piece(&map, OUT + 0x5000, 100);
	for (int i = 0; i < 3; i++)
		if (!put_pattern(l->fd, map.piece[i].offset, map.piece[i].length, 9 * i))
			return KTAP_FAIL;
	if (!lend(l->fd, &map) || !copy_out(l->fd, 4000, 200, 0) || !take_back(l->fd) ||
	    !fetch_bytes(l->fd, IN, 200))
		return KTAP_FAIL;
	for (uint32_t i = 0; i < map.segments; i++)
		bytes += map.segment[i].length;
	if (map.segments != expected || bytes != 8292)
		return ktap_fail("%u segments of %u bytes in all, expected %u of 8292",
				 map.segments, bytes, expected);
	if (!same_pattern_from(l->fd, IN, 96, 0, 4000) || !same_pattern(l->fd, IN + 96, 104, 9))
		return KTAP_FAIL;

	return KTAP_OK;
}

/*
 * Pieces of 64 and 128 KiB: together, and the second by itself, more than the 64
 * KiB that PCI would have said for the device. An IOMMU makes one stretch of them.
 */
enum ktap_result test_list_large(void *lending)
{
	const uint32_t first = 64 << 10, second = 128 << 10, at = 256 << 10;
	struct stream_dma_map map = piece(STREAM_DMA_SG, STREAM_DMA_TO_DEVICE, 0, first);
	const struct lending *l = lending;
	uint32_t expected = l->way == WAY_IOMMU ? 1 : 2, missing = first + second;

	add_piece(&map, at, second);
	if (!put_pattern(l->fd, 0, first, 3) || !put_pattern(l->fd, at, second, 4) ||
	    !lend(l->fd, &map) || !copy_out(l->fd, first - 2000, 4000, 0) ||
	    !take_back(l->fd) || !fetch_bytes(l->fd, IN, 4000))
		return KTAP_FAIL;
	for (uint32_t i = 0; i < map.segments; i++)
		missing -= map.segment[i].length;
	if (map.segments != expected || missing)
		return ktap_fail("%u segments, expected %u; %d bytes too few", map.segments,
				 expected, (int)missing);

	return same_pattern_from(l->fd, IN, 2000, 3, first - 2000) &&
	       same_pattern(l->fd, IN + 2000, 2000, 4) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-list-pieces */

/* #region test-counters */
/* One copy of 77 bytes: one command, one interrupt, 77 bytes. */
enum ktap_result test_counters(void *lending)
{
	int fd = ((struct lending *)lending)->fd;
	struct stream_dma_info before, after;

	if (!look(fd, &before) || !send_bytes(fd, OUT, 77) || !look(fd, &after))
		return KTAP_FAIL;
	if (after.commands != before.commands + 1 || after.interrupts != before.interrupts + 1 ||
	    after.bytes != before.bytes + 77)
		return ktap_fail("%lld commands, %lld interrupts, %lld bytes more",
				 (long long)(after.commands - before.commands),
				 (long long)(after.interrupts - before.interrupts),
				 (long long)(after.bytes - before.bytes));

	return KTAP_OK;
}

/* Out and in again twice, with a half of the device for each program. */
static bool use_half(const struct lending *l, uint32_t inside, uint8_t seed)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_BIDIRECTIONAL, OUT, 2000);
	int fd = lending_open(l);
	bool fine = fd >= 0 && lend(fd, &map);

	for (int i = 0; fine && i < 2; i++)
		fine = put_pattern(fd, OUT, 2000, seed + i) && copy_out(fd, 0, 2000, inside) &&
		       put_value(fd, OUT, 2000, AROUND) && copy_in(fd, 0, 2000, inside) &&
		       same_pattern(fd, OUT, 2000, seed + i);
	if (fd >= 0)
		close(fd);

	return fine;
}

/* Both lend and copy at the same time, and each finds its own bytes. */
enum ktap_result test_two_programs(void *lending)
{
	const struct lending *l = lending;
	pid_t child = fork();
	bool fine;
	int status;

	if (child < 0)
		return ktap_fail("fork: %s", strerror(errno));
	if (child == 0)
		_exit(use_half(l, 2048, 50) ? 0 : 1);
	fine = use_half(l, 0, 90);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		return ktap_fail("the other program found something else");

	return fine ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-counters */
