// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream_dma_coherent_test --way WAY [--bits N] --area START,BYTES DEVICE
 *
 * Coherent memory with a device that uses it: who serves it, and that both sides
 * see every byte at once. --way and --bits as in stream_dma_test; --area: where
 * the default CMA area lies, which must be less than 16 MiB. Exit status: 0 when no
 * test failed, 1 when one did, 2 when the device could not be opened.
 */

/* #region coherent-dma-includes */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lending.h"
#include "proc_value.h"

#define KIB	1024
#define MIB	(1024 * KIB)
/* #endregion coherent-dma-includes */

/* #region coherent-dma-allocate */
static struct stream_dma_map coherent(uint32_t length)
{
	return piece(STREAM_DMA_COHERENT, STREAM_DMA_BIDIRECTIONAL, 0, length);
}

/* Take @length bytes of memory. Return: their DMA address, 0 after saying why. */
static uint64_t allocate(const struct lending *l, uint32_t length)
{
	struct stream_dma_map map = coherent(length);
	uint64_t addr;

	if (!lend(l->fd, &map))
		return 0;
	addr = map.segment[0].dma_addr;
	if (map.segments == 1 && map.segment[0].length == (length + 4095) / 4096 * 4096 &&
	    !(addr & 4095) && (l->bits == 64 || !((addr + map.segment[0].length - 1) >> l->bits)))
		return addr;
	ktap_fail("%u bytes: %u segments, the first of %u bytes at %#llx", length, map.segments,
		  map.segment[0].length, (unsigned long long)addr);

	return 0;
}

/* #endregion coherent-dma-allocate */

/* #region coherent-dma-cma */
static long long areas_served(void)
{
	return proc_value("/proc/vmstat", "cma_alloc_success");
}

static bool in_area(const struct lending *l, uint64_t addr)
{
	return addr - l->area_start < l->area_bytes;
}

/* #endregion coherent-dma-cma */

/* #region test-one-page */
/* One page never comes from CMA: the page allocator has it at hand. */
static enum ktap_result test_one_page(void *lending)
{
	const struct lending *l = lending;
	long long before = areas_served();
	uint64_t addr = allocate(l, 4 * KIB);

	if (!addr)
		return KTAP_FAIL;
	ktap_note("4 KiB at %#llx", (unsigned long long)addr);
	if (areas_served() != before)
		return ktap_fail("CMA served it");
	if (l->way != WAY_IOMMU && in_area(l, addr))
		return ktap_fail("%#llx lies in the CMA area", (unsigned long long)addr);

	return take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-one-page */

/* #region test-two-pages */
/*
 * Two pages or more: from the default CMA area. Behind an IOMMU any pages will
 * do, for the device sees them side by side.
 */
static enum ktap_result test_two_pages(void *lending)
{
	const struct lending *l = lending;
	long long before = areas_served(), served = l->way == WAY_IOMMU ? 0 : 1;
	uint64_t addr = allocate(l, 8 * KIB);

	if (!addr)
		return KTAP_FAIL;
	ktap_note("8 KiB at %#llx", (unsigned long long)addr);
	if (areas_served() - before != served)
		return ktap_fail("CMA served %lld requests, expected %lld", areas_served() - before,
				 served);
	if (served && !in_area(l, addr))
		return ktap_fail("%#llx lies outside the CMA area", (unsigned long long)addr);

	return take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-two-pages */

/* #region test-same-place-again */
/* First fit: freed, the same pages are the next to be given out. */
static enum ktap_result test_same_place_again(void *lending)
{
	const struct lending *l = lending;
	uint64_t first = allocate(l, 64 * KIB), second;

	if (!first || !take_back(l->fd))
		return KTAP_FAIL;
	second = allocate(l, 64 * KIB);
	if (second != first)
		return ktap_fail("%#llx, then %#llx", (unsigned long long)first,
				 (unsigned long long)second);

	return take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-same-place-again */

/* #region test-whole-area */
/*
 * More than the area has left, and more than any block of the page allocator:
 * no way but an IOMMU, which needs no pages that lie side by side.
 */
static enum ktap_result test_whole_area(void *lending)
{
	const struct lending *l = lending;
	struct stream_dma_map map = coherent(16 * MIB);

	if (l->way == WAY_IOMMU) {
		if (!lend(l->fd, &map) || !put_pattern(l->fd, 16 * MIB - 4000, 4000, 7) ||
		    !copy_out(l->fd, 16 * MIB - 4000, 4000, 0) || !copy_in(l->fd, 100, 4000, 0))
			return KTAP_FAIL;
		return same_pattern(l->fd, 100, 4000, 7) && take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
	}
	if (!ioctl(l->fd, STREAM_DMA_MAP, &map))
		return ktap_fail("16 MiB were found in an area of %llu bytes",
				 (unsigned long long)l->area_bytes);
	if (errno != ENOMEM)
		return ktap_fail("%s, expected ENOMEM", strerrorname_np(errno));

	return KTAP_OK;
}

/* #endregion test-whole-area */

/* #region test-cleared */
/* What a program left there is not told to the next. */
static enum ktap_result test_cleared(void *lending)
{
	const struct lending *l = lending;

	for (uint32_t bytes = 4 * KIB; bytes <= 256 * KIB; bytes *= 8)
		for (int turn = 0; turn < 2; turn++)
			if (!allocate(l, bytes) || !same_value(l->fd, 0, bytes, 0) ||
			    !put_value(l->fd, 0, bytes, 0xa5) || !take_back(l->fd))
				return KTAP_FAIL;

	return KTAP_OK;
}

/* #endregion test-cleared */

/* #region test-seen-at-once */
/* The CPU writes, the device reads; the device writes, the CPU reads. No sync. */
static enum ktap_result test_seen_at_once(void *lending)
{
	const struct lending *l = lending;
	long long slots = slots_used();

	if (!allocate(l, 12 * KIB))
		return KTAP_FAIL;
	for (uint8_t turn = 1; turn <= 2; turn++)
		if (!put_pattern(l->fd, 4000, 4095, turn) || !copy_out(l->fd, 4000, 4095, 0) ||
		    !copy_in(l->fd, 8193, 4095, 0) || !same_pattern(l->fd, 8193, 4095, turn))
			return KTAP_FAIL;
	if (slots_used() != slots)
		return ktap_fail("%lld slots of the bounce buffer in use", slots_used() - slots);

	return take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-seen-at-once */

/* #region test-sync-is-nothing */
/* A sync of coherent memory is allowed and moves no byte. */
static enum ktap_result test_sync_is_nothing(void *lending)
{
	const struct lending *l = lending;

	if (!allocate(l, 4 * KIB) || !put_pattern(l->fd, 0, 4096, 1) ||
	    !hand_over(l->fd, STREAM_DMA_FOR_DEVICE, 0, 0) ||
	    !hand_over(l->fd, STREAM_DMA_FOR_CPU, 0, 0) || !same_pattern(l->fd, 0, 4096, 1))
		return KTAP_FAIL;

	return take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-sync-is-nothing */

/* #region test-whole-pages */
/* One byte asked for is a page got; the file is as long while it is there. */
static enum ktap_result test_whole_pages(void *lending)
{
	const struct lending *l = lending;
	off_t before = lseek(l->fd, 0, SEEK_END);

	if (!allocate(l, 1))
		return KTAP_FAIL;
	if (lseek(l->fd, 0, SEEK_END) != 4096)
		return ktap_fail("the file has not the length of a page");
	if (!put_value(l->fd, 4095, 1, 1) || pwrite(l->fd, "", 1, 4096) != -1 || errno != ENOSPC)
		return ktap_fail("byte 4096 could be written");
	if (!take_back(l->fd) || lseek(l->fd, 0, SEEK_END) != before)
		return ktap_fail("the file is not the buffer again");

	return KTAP_OK;
}

/* #endregion test-whole-pages */

/* #region test-coherent-refusals */
static enum ktap_result test_refusals(void *lending)
{
	struct stream_dma_map bad[6] = {
		coherent(0), coherent(16 * MIB + 1), coherent(4 * KIB), coherent(4 * KIB),
		coherent(4 * KIB), coherent(4 * KIB),
	};
	int fd = ((struct lending *)lending)->fd;

	bad[2].piece[0].offset = 4096;
	bad[3].direction = STREAM_DMA_TO_DEVICE;
	bad[4].direction = STREAM_DMA_FROM_DEVICE;
	add_piece(&bad[5], 4096, 4096);
	for (int i = 0; i < 6; i++) {
		if (!ioctl(fd, STREAM_DMA_MAP, &bad[i]))
			return ktap_fail("wrong request %d was granted", i);
		if (errno != EINVAL)
			return ktap_fail("wrong request %d: %s, expected EINVAL", i,
					 strerrorname_np(errno));
	}

	return KTAP_OK;
}

/* #endregion test-coherent-refusals */

/* #region test-closing-frees */
/* A file closed without UNMAP gives its memory back: the next one gets it. */
static enum ktap_result test_closing_frees(void *lending)
{
	struct lending other = *(struct lending *)lending;
	uint64_t first, second;

	other.fd = lending_open(&other);
	if (other.fd < 0)
		return KTAP_FAIL;
	first = allocate(&other, 128 * KIB);
	close(other.fd);
	second = allocate(lending, 128 * KIB);
	if (!first || first != second)
		return ktap_fail("%#llx, then %#llx", (unsigned long long)first,
				 (unsigned long long)second);

	return KTAP_OK;
}

/* #endregion test-closing-frees */

/* #region coherent-dma-table */
static const struct ktap_test cases[] = {
	{ "one-page", test_one_page },
	{ "two-pages", test_two_pages },
	{ "same-place-again", test_same_place_again },
	{ "whole-area", test_whole_area },
	{ "cleared", test_cleared },
	{ "seen-at-once", test_seen_at_once },
	{ "sync-is-nothing", test_sync_is_nothing },
	{ "whole-pages", test_whole_pages },
	{ "refusals", test_refusals },
	{ "closing-frees", test_closing_frees },
};

/* #endregion coherent-dma-table */

/* #region coherent-dma-main */
int main(int argc, char **argv)
{
	struct lending l;

	if (!lending_arguments(&l, argc, argv))
		return 2;

	return lending_run(&l, cases, sizeof(cases) / sizeof(*cases));
}

/* #endregion coherent-dma-main */
