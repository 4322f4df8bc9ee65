// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_memremap_test [--kept] [--size BYTES] DEVICE
 *
 * Tries /dev/reserved-memremap and reports in KTAP. Exit status: 0 when no test
 * failed, 1 when one did, 2 when the device could not be opened.
 *
 * --kept: this program has run on the region since the board was switched on,
 * so its pattern must still be there, though the module was unloaded meanwhile.
 * --size: how many bytes the region should have, if not what the tree says.
 */

/* #region memremap-test-own */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer_tests.h"
#include "memory_type.h"

/* Nobody clears the region: the pattern of the run before is still in it. */
static enum ktap_result test_kept_over_reload(void *buffer)
{
	const struct buffer *b = buffer;

	if (!b->first)
		return ktap_skip("without --kept");

	return test_contents_persist(buffer);
}

/* /proc/iomem must name the device as the owner of exactly the region. */
static enum ktap_result test_iomem_owner(void *buffer)
{
	char path[256], device[256], wanted[512], line[512];
	const struct buffer *b = buffer;
	struct region region;
	bool found = false;
	ssize_t length;
	FILE *iomem;

	snprintf(path, sizeof(path), "/sys/class/misc/%s/device", buffer_name(b));
	length = readlink(path, device, sizeof(device) - 1);
	iomem = fopen("/proc/iomem", "re");
	if (length < 0 || !iomem || !region_of(b, &region))
		return ktap_fail("no device link, no /proc/iomem or no region");
	device[length] = '\0';
	snprintf(wanted, sizeof(wanted), "%08llx-%08llx : %s\n",
		 (unsigned long long)region.start,
		 (unsigned long long)(region.start + region.size - 1), strrchr(device, '/') + 1);
	while (!found && fgets(line, sizeof(line), iomem))
		found = !strcmp(line + strspn(line, " "), wanted);
	fclose(iomem);

	return found ? KTAP_OK : ktap_fail("no line %.*s", (int)strlen(wanted) - 1, wanted);
}

/* The kernel's view is cached (MEMREMAP_WB), and so must the program's be. */
static enum ktap_result test_memory_type(void *buffer)
{
	const struct buffer *b = buffer;
	void *map;
	int type;

	if (!memory_type_open())
		return ktap_skip("no probe on remap_pfn_range here (CONFIG_KPROBE_EVENTS)");
	map = buffer_map(b, b->page, 0);
	type = memory_type_last();
	memory_type_close();
	if (map == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	munmap(map, b->page);
	if (type != MEMORY_CACHED)
		return ktap_fail("memory type %d, expected %d, cached", type, MEMORY_CACHED);
	ktap_note("memory type %d", type);

	return KTAP_OK;
}

/* #endregion memremap-test-own */

/* #region memremap-test-table */
static const struct ktap_test tests[] = {
	{ "region-address", test_region_address },
	{ "region-size", test_region_size },
	{ "iomem-owner", test_iomem_owner },
	{ "kept-over-reload", test_kept_over_reload },
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
	{ "memory-type", test_memory_type },
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
	struct buffer b = { .module = "reserved_memremap", .range_errno = EINVAL };

	if (!buffer_arguments(&b, argc, argv, "--kept"))
		return 2;
	if (!buffer_open(&b)) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", b.path, strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &b) ? 1 : 0;
}

/* #endregion memremap-test-table */
