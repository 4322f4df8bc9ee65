// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose turn it is: which bytes the CPU and the device see before and after each
 * step. Where the device has a bounce buffer for a copy, a step left out shows:
 * one side still has the bytes of before. Where it reaches the memory itself and
 * looks into the caches, as on these boards, nothing is ever old.
 */

/* #region hands-manual */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "stream_dma_test.h"

#define OUT	0x1000
#define IN	0x8000
#define OLD	0x11
#define NEW	0x22

static const char *const left_out = "as if the step had been left out";

/* A loan whose steps are ours to do. */
static bool lend_manually(int fd, uint32_t direction, uint32_t offset, uint32_t length)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, direction, offset, length);

	map.flags = STREAM_DMA_MANUAL_SYNC;
	return lend(fd, &map);
}

/* Put this value into the first bytes of the device. */
static bool give_device(int fd, uint32_t length, uint8_t value)
{
	return put_value(fd, OUT, length, value) && send_bytes(fd, OUT, length);
}

/* #endregion hands-manual */

/* #region test-sync-for-cpu */
/* The device has written; the CPU sees it when the bytes are handed over. */
enum ktap_result test_sync_for_cpu(void *lending)
{
	const struct lending *l = lending;
	uint8_t before = l->way == WAY_BOUNCED ? OLD : NEW;

	if (!give_device(l->fd, 1500, NEW) || !put_value(l->fd, IN, 1500, OLD))
		return KTAP_FAIL;
	if (!lend_manually(l->fd, STREAM_DMA_FROM_DEVICE, IN, 1500) ||
	    !copy_in(l->fd, 0, 1500, 0))
		return KTAP_FAIL;
	ktap_note("before the sync the CPU sees the %s bytes", before == OLD ? "old" : "new");
	if (!same_value(l->fd, IN, 1500, before) ||
	    !hand_over(l->fd, STREAM_DMA_FOR_CPU, 0, 0) || !same_value(l->fd, IN, 1500, NEW) ||
	    !take_back(l->fd))
		return KTAP_FAIL;

	return same_value(l->fd, IN, 1500, NEW) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-sync-for-cpu */

/* #region test-sync-in-parts */
/* Only the bytes named change hands; unmapping brings the rest. */
enum ktap_result test_sync_in_parts(void *lending)
{
	const struct lending *l = lending;
	uint8_t rest = l->way == WAY_BOUNCED ? OLD : NEW;

	if (!give_device(l->fd, 3000, NEW) || !put_value(l->fd, IN, 3000, OLD))
		return KTAP_FAIL;
	if (!lend_manually(l->fd, STREAM_DMA_FROM_DEVICE, IN, 3000) ||
	    !copy_in(l->fd, 0, 3000, 0) || !hand_over(l->fd, STREAM_DMA_FOR_CPU, 1999, 130))
		return KTAP_FAIL;
	if (!same_value(l->fd, IN, 1999, rest) || !same_value(l->fd, IN + 1999, 130, NEW) ||
	    !same_value(l->fd, IN + 2129, 3000 - 2129, rest) || !take_back(l->fd))
		return KTAP_FAIL;

	return same_value(l->fd, IN, 3000, NEW) ? KTAP_OK : KTAP_FAIL;
}

/* The CPU writes after the loan; the device sees it when the bytes are handed over. */
enum ktap_result test_sync_for_device(void *lending)
{
	const struct lending *l = lending;
	uint8_t before = l->way == WAY_BOUNCED ? OLD : NEW;
	int other = lending_open(l);
	bool fine;

	if (other < 0)
		return KTAP_FAIL;
	fine = put_value(l->fd, OUT, 900, OLD) &&
	       lend_manually(l->fd, STREAM_DMA_TO_DEVICE, OUT, 900) &&
	       put_value(l->fd, OUT, 900, NEW) && copy_out(l->fd, 0, 900, 0) &&
	       fetch_bytes(other, IN, 900) && same_value(other, IN, 900, before) &&
	       hand_over(l->fd, STREAM_DMA_FOR_DEVICE, 0, 0) && copy_out(l->fd, 0, 900, 0) &&
	       fetch_bytes(other, IN, 900) && same_value(other, IN, 900, NEW) && take_back(l->fd);
	close(other);
	ktap_note("before the sync the device sees the %s bytes", before == OLD ? "old" : "new");

	return fine ? KTAP_OK : KTAP_FAIL;
}

/* A list changes hands as a whole, all its pieces. */
enum ktap_result test_sync_list(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SG, STREAM_DMA_FROM_DEVICE, IN, 65);
	const struct lending *l = lending;
	uint8_t before = l->way == WAY_BOUNCED ? OLD : NEW;

	map.flags = STREAM_DMA_MANUAL_SYNC;
	add_piece(&map, IN + 0x1f00, 300);
	if (!give_device(l->fd, 365, NEW) || !put_value(l->fd, IN, 0x3000, OLD))
		return KTAP_FAIL;
	if (!lend(l->fd, &map) || !copy_in(l->fd, 0, 365, 0) ||
	    !same_value(l->fd, IN, 65, before) || !same_value(l->fd, IN + 0x1f00, 300, before))
		return KTAP_FAIL;
	if (!hand_over(l->fd, STREAM_DMA_FOR_CPU, 0, 0) || !same_value(l->fd, IN, 65, NEW) ||
	    !same_value(l->fd, IN + 0x1f00, 300, NEW) || !take_back(l->fd))
		return KTAP_FAIL;

	return same_value(l->fd, IN + 65, 0x1f00 - 65, OLD) ? KTAP_OK : KTAP_FAIL;
}

/* One loan for both: out, changed by the CPU, out again, and in. */
enum ktap_result test_both_ways(void *lending)
{
	const struct lending *l = lending;

	if (!put_pattern(l->fd, IN, 1000, 1) ||
	    !lend_manually(l->fd, STREAM_DMA_BIDIRECTIONAL, IN, 1000) ||
	    !copy_out(l->fd, 0, 1000, 0) || !hand_over(l->fd, STREAM_DMA_FOR_CPU, 0, 0))
		return KTAP_FAIL;
	if (!same_pattern(l->fd, IN, 1000, 1) || !put_pattern(l->fd, IN, 1000, 2) ||
	    !hand_over(l->fd, STREAM_DMA_FOR_DEVICE, 0, 0) || !copy_in(l->fd, 0, 500, 0) ||
	    !hand_over(l->fd, STREAM_DMA_FOR_CPU, 0, 0))
		return KTAP_FAIL;
	if (!same_pattern(l->fd, IN, 500, 1) || !same_pattern_from(l->fd, IN + 500, 500, 2, 500))
		return KTAP_FAIL;

	return take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-sync-in-parts */

/* #region test-reading-syncs */
/*
 * Without STREAM_DMA_MANUAL_SYNC the driver does the steps: two packets come into
 * the same loan, and read(2) sees each.
 */
enum ktap_result test_reading_syncs(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_FROM_DEVICE, IN, 800);
	const struct lending *l = lending;
	int other = lending_open(l);
	bool fine;

	if (other < 0)
		return KTAP_FAIL;
	fine = put_value(l->fd, IN, 800, OLD) && lend(l->fd, &map);
	for (uint8_t packet = 1; fine && packet <= 2; packet++) {
		fine = give_device(other, 800, packet) && copy_in(l->fd, 0, 800, 0) &&
		       same_value(l->fd, IN, 800, packet);
		if (!fine)
			ktap_note("packet %u was read %s", packet, left_out);
	}
	close(other);

	return take_back(l->fd) && fine ? KTAP_OK : KTAP_FAIL;
}

/* The same the other way: write(2) into what is lent reaches the device. */
enum ktap_result test_writing_syncs(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, OUT, 700);
	const struct lending *l = lending;
	int other = lending_open(l);
	bool fine;

	if (other < 0)
		return KTAP_FAIL;
	fine = put_value(l->fd, OUT, 700, OLD) && lend(l->fd, &map) &&
	       put_value(l->fd, OUT + 100, 50, NEW) && copy_out(l->fd, 0, 700, 0) &&
	       fetch_bytes(other, IN, 700) && same_value(other, IN, 100, OLD) &&
	       same_value(other, IN + 100, 50, NEW) && same_value(other, IN + 150, 550, OLD);
	if (!fine)
		ktap_note("the packet was sent %s", left_out);
	close(other);

	return take_back(l->fd) && fine ? KTAP_OK : KTAP_FAIL;
}

/* Bytes that are lent but that the device does not write come back as they were. */
enum ktap_result test_untouched_bytes(void *lending)
{
	const struct lending *l = lending;

	if (!give_device(l->fd, 64, NEW) || !put_pattern(l->fd, IN, 4096, 5) ||
	    !lend_manually(l->fd, STREAM_DMA_FROM_DEVICE, IN, 4096) ||
	    !copy_in(l->fd, 1000, 64, 0) || !take_back(l->fd))
		return KTAP_FAIL;
	if (!same_pattern(l->fd, IN, 1000, 5) || !same_value(l->fd, IN + 1000, 64, NEW) ||
	    !same_pattern_from(l->fd, IN + 1064, 4096 - 1064, 5, 1064))
		return KTAP_FAIL;

	return KTAP_OK;
}

/* #endregion test-reading-syncs */

/* #region test-slots */
/* The bounce buffer is handed out in slots of 2 KiB, and comes back whole. */
enum ktap_result test_slots(void *lending)
{
	static const uint32_t lengths[] = { 1, 2048, 2049, 4096, 4097, 262144 };
	const struct lending *l = lending;
	long long before = slots_used();

	if (before < 0)
		return l->way == WAY_BOUNCED ? ktap_fail("no io_tlb_used in debugfs") :
		       ktap_skip("no bounce buffer on this kernel");
	for (int i = 0; i < 6; i++) {
		struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, OUT,
						  lengths[i]);
		long long expected = l->way == WAY_BOUNCED ? (lengths[i] + 2047) / 2048 : 0, used;

		if (!lend(l->fd, &map))
			return KTAP_FAIL;
		used = slots_used() - before;
		if (!take_back(l->fd) || slots_used() != before)
			return ktap_fail("%lld slots used, %lld before", slots_used(), before);
		if (used != expected)
			return ktap_fail("%u bytes took %lld slots, expected %lld", lengths[i],
					 used, expected);
	}

	return KTAP_OK;
}

/* A mapping may be as large as the DMA API says, which is 256 KiB when bounced. */
enum ktap_result test_largest(void *lending)
{
	struct stream_dma_map whole, more;
	const struct lending *l = lending;
	struct stream_dma_info info;

	if (!look(l->fd, &info))
		return KTAP_FAIL;
	if (l->way != WAY_BOUNCED) {
		whole = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, 0, info.buffer_size);
		return lend(l->fd, &whole) && take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
	}
	if (info.max_mapping != 262144)
		return ktap_fail("at most %llu bytes, expected 262144",
				 (unsigned long long)info.max_mapping);
	whole = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, 0, 262144);
	more = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, 0, 262145);
	if (!lend(l->fd, &whole) || !take_back(l->fd))
		return KTAP_FAIL;

	return refused(l->fd, STREAM_DMA_MAP, &more, ENOMEM, "262145 bytes");
}

/* A program that ends without UNMAP leaves nothing behind. */
enum ktap_result test_close_takes_back(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SG, STREAM_DMA_BIDIRECTIONAL, OUT, 5000);
	const struct lending *l = lending;
	long long before = slots_used();
	int other = lending_open(l);

	if (other < 0)
		return KTAP_FAIL;
	add_piece(&map, IN, 5000);
	if (!lend(other, &map)) {
		close(other);
		return KTAP_FAIL;
	}
	if (l->way == WAY_BOUNCED && slots_used() != before + 6) {
		close(other);
		return ktap_fail("two pieces of 5000 bytes took %lld slots", slots_used() - before);
	}
	close(other);
	if (slots_used() != before)
		return ktap_fail("%lld slots used after close, %lld before", slots_used(), before);

	return KTAP_OK;
}

/* #endregion test-slots */
