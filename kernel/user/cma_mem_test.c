// SPDX-License-Identifier: GPL-2.0-only
/*
 * cma_mem_test [TEST…]
 *
 * Tries /dev/cma_mem, all of it or what these tests try, and reports in KTAP. Exit
 * status: 0 when no test failed, 1 when one did, 2 when the device could not be
 * opened or there is no such test.
 *
 * The same source makes the 64-bit program and the 32-bit one, which the arm64
 * kernel serves through its compat calls: every test must hold in both.
 */

/* #region cma-mem-test-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cma_mem_bench.h"
#include "cma_mem_tests.h"
/* #endregion cma-mem-test-includes */

/* #region cma-mem-test-table */
static const struct ktap_test tests[] = {
	{ "layout", test_layout },
	{ "answers-in-bounds", test_answers_in_bounds },
	{ "unknown-command", test_unknown_command },
	{ "bad-pointers", test_bad_pointers },
	{ "answer-cannot-be-written", test_answer_cannot_be_written },
	{ "reserved-not-zero", test_reserved_not_zero },
	{ "size-refused", test_size_refused },
	{ "granted", test_granted },
	{ "second-allocate", test_second_allocate },
	{ "without-buffer", test_without_buffer },
	{ "limit-together", test_limit_together },
	{ "no-memory", test_no_memory },
	{ "flush-range", test_flush_range },
	{ "starts-zeroed", test_starts_zeroed },
	{ "whole-dma", test_whole_dma },
	{ "whole-pfn", test_whole_pfn },
	{ "coherent-buffer", test_coherent_buffer },
	{ "both-ways", test_both_ways },
	{ "kernel-reads", test_kernel_reads },
	{ "kernel-writes", test_kernel_writes },
	{ "offsets-dma", test_offsets_dma },
	{ "offsets-pfn", test_offsets_pfn },
	{ "ends", test_ends },
	{ "failed-write", test_failed_write },
	{ "bounds-dma", test_bounds_dma },
	{ "bounds-pfn", test_bounds_pfn },
	{ "private-refused", test_private },
	{ "read-only", test_read_only },
	{ "vm-flags", test_vm_flags },
	{ "memory-type", test_memory_type },
	{ "grow-refused", test_grow },
	{ "no-pages", test_no_pages },
	{ "free-while-mapped", test_free_while_mapped },
	{ "unmap", test_unmap },
	{ "how-refused", test_how_refused },
	{ "count", test_count },
	{ "count-fork", test_count_fork },
	{ "files-apart", test_files_apart },
	{ "connect", test_connect },
	{ "connect-refused", test_connect_refused },
	{ "connect-rights", test_connect_rights },
	{ "connect-outlives", test_connect_outlives },
	{ "connect-by-child", test_connect_by_child },
	{ "fork-child-ends", test_fork_child_ends },
	{ "fork-parent-ends", test_fork_parent_ends },
	{ "close-keeps", test_close_keeps },
	{ "phys-rights", test_phys_rights },
	{ "phys-in-area", test_phys_in_area },
	{ "phys-in-trace", test_phys_in_trace },
	{ "one-page", test_one_page },
	{ "nothing-leaks", test_nothing_leaks },
	{ "no-unbind", test_no_unbind },
	{ "unload-refused", test_unload_refused },
};

/* #endregion cma-mem-test-table */

/* #region cma-mem-test-choose */
#define TESTS (sizeof(tests) / sizeof(*tests))

/* The tests of these names, in the table's order; all of them for no name. */
static size_t choose(struct ktap_test *chosen, char **names, size_t count)
{
	size_t found = 0;

	for (size_t i = 0; i < TESTS; i++) {
		bool wanted = !count;

		for (size_t j = 0; j < count; j++)
			wanted |= !strcmp(names[j], tests[i].name);
		if (wanted)
			chosen[found++] = tests[i];
	}

	return found;
}

int main(int argc, char **argv)
{
	struct bench b = { .path = "/dev/cma_mem", .page = sysconf(_SC_PAGESIZE) };
	size_t named = argc - 1, wanted = named ? named : TESTS, count;
	struct ktap_test chosen[TESTS];
	int fd = open(b.path, O_RDWR), failed;

	if (fd < 0) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", b.path, strerror(errno));
		return 2;
	}
	close(fd);
	count = choose(chosen, argv + 1, named);
	if (count != wanted) {
		fprintf(stderr, "%zu tests named, %zu known of them\n", wanted, count);
		return 2;
	}
	failed = ktap_run(chosen, count, &b);
	fresh(&b);

	return failed ? 1 : 0;
}

/* #endregion cma-mem-test-choose */
