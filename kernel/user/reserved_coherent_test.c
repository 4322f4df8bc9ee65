// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_coherent_test [--zeroed] [--size BYTES] DEVICE
 *
 * Tries /dev/reserved-coherent and reports in KTAP. Exit status: 0 when no test
 * failed, 1 when one did, 2 when the device could not be opened.
 *
 * --zeroed: nobody wrote since the module was loaded, so the buffer must hold
 * zeros. --size: the buffer_size the module was given, in whole pages.
 */

/* #region test-starts-zeroed */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "buffer_tests.h"

/* dma_alloc_coherent() hands out cleared memory, also when it was used before. */
static enum ktap_result test_starts_zeroed(void *buffer)
{
	const struct buffer *b = buffer;
	enum ktap_result result = KTAP_OK;
	uint64_t *words;

	if (!b->first)
		return ktap_skip("without --zeroed");
	words = buffer_map(b, b->size, 0);
	if (words == MAP_FAILED)
		return ktap_fail("mmap of %zu bytes: %s", b->size, strerror(errno));
	for (size_t i = 0; result == KTAP_OK && i < b->size / sizeof(*words); i++)
		if (words[i])
			result = ktap_fail("byte %#zx holds %#018llx, expected 0",
					   i * sizeof(*words), (unsigned long long)words[i]);
	munmap(words, b->size);

	return result;
}

/* #endregion test-starts-zeroed */

/* #region coherent-test-table */
static const struct ktap_test tests[] = {
	{ "region-address", test_region_address },
	{ "region-size", test_region_size },
	{ "starts-zeroed", test_starts_zeroed },
	{ "ioctl-errors", test_ioctl_errors },
	{ "whole-buffer", test_whole_buffer },
	{ "kernel-reads-same", test_kernel_reads_same },
	{ "contents-persist", test_contents_persist },
	{ "kernel-writes-same", test_kernel_writes_same },
	{ "offset-page", test_offset_page },
	{ "last-page", test_last_page },
	{ "fork-shares", test_fork_shares },

	{ "two-positions", test_two_positions },
	{ "opens-share", test_opens_share },
	{ "hole", test_hole },
	{ "hole-filled", test_hole_filled },
	{ "moved", test_moved },
	{ "protected", test_protected },
	{ "every-offset", test_every_offset },
	{ "fork-child-ends", test_fork_child_ends },
	{ "fork-parent-ends", test_fork_parent_ends },
	{ "not-for-children", test_not_for_children },

	{ "past-end", test_past_end },
	{ "across-end", test_across_end },
	{ "offset-at-end", test_offset_at_end },
	{ "offset-huge", test_offset_huge },
	{ "private-refused", test_private_refused },
	{ "read-only-file", test_read_only_file },
	{ "vm-flags", test_vm_flags },
	{ "grow-refused", test_grow_refused },
	{ "read-write-ends", test_read_write_ends },
	{ "advice", test_advice },
	{ "odd-pieces", test_odd_pieces },
	{ "positions", test_positions },
	{ "far-offsets", test_far_offsets },
	{ "bad-pointers", test_bad_pointers },
	{ "own-mapping", test_own_mapping },
	{ "mmap-arguments", test_mmap_arguments },
	{ "unload-refused", test_unload_refused },
};

int main(int argc, char **argv)
{
	struct buffer b = { .module = "reserved_coherent", .range_errno = ENXIO };

	if (!buffer_arguments(&b, argc, argv, "--zeroed"))
		return 2;
	if (!buffer_open(&b)) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", b.path, strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &b) ? 1 : 0;
}

/* #endregion coherent-test-table */
