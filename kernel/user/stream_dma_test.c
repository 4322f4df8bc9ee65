// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream_dma_test --way WAY [--bits N] [--line] DEVICE
 *
 * Tries /dev/stream-dma0 and reports in KTAP. Exit status: 0 when no test
 * failed, 1 when one did, 2 when the device could not be opened.
 *
 * --way: how the device gets to memory on this board. direct: it reaches all of
 * it; bounced: none of it, the kernel copies; forced: the kernel copies though
 * it would not have to; iommu: through one; none: not at all. --bits: its address lines, 28 when
 * unsaid. --line: it interrupts by a line.
 */

/* #region stream-test-table */
#include "stream_dma_test.h"

static const struct ktap_test cases[] = {
	{ "what-it-is", test_what_it_is },
	{ "addresses", test_addresses },
	{ "length-1", test_length_1 },
	{ "length-63", test_length_63 },
	{ "length-64", test_length_64 },
	{ "length-65", test_length_65 },
	{ "length-4095", test_length_4095 },
	{ "length-4096", test_length_4096 },
	{ "across-pages", test_across_pages },
	{ "list-gathers", test_list_gathers },
	{ "list-scatters", test_list_scatters },
	{ "list-joined", test_list_joined },
	{ "list-large", test_list_large },
	{ "counters", test_counters },
	{ "two-programs", test_two_programs },
	{ "sync-for-cpu", test_sync_for_cpu },
	{ "sync-in-parts", test_sync_in_parts },
	{ "sync-for-device", test_sync_for_device },
	{ "sync-list", test_sync_list },
	{ "both-ways", test_both_ways },
	{ "reading-syncs", test_reading_syncs },
	{ "writing-syncs", test_writing_syncs },
	{ "untouched-bytes", test_untouched_bytes },
	{ "slots", test_slots },
	{ "largest", test_largest },
	{ "close-takes-back", test_close_takes_back },
	{ "wrong-way", test_wrong_way },
	{ "nothing-lent", test_nothing_lent },
	{ "lent-already", test_lent_already },
	{ "bad-pieces", test_bad_pieces },
	{ "bad-ranges", test_bad_ranges },
	{ "bad-calls", test_bad_calls },
	{ "addresses-are-private", test_addresses_are_private },
	{ "starts-zeroed", test_starts_zeroed },
	{ "failed-write", test_failed_write },
	{ "slow-program", test_slow_program },
	{ "unload-refused", test_open_holds_module },
	{ "silent-device", test_silent_device },
	{ "taken-away", test_taken_away },
	{ "taken-away-busy", test_taken_away_busy },
};

static const struct ktap_test no_way[] = {
	{ "what-it-is", test_what_it_is },
	{ "maps-refused", test_maps_refused },
	{ "coherent-in-reach", test_coherent_in_reach },
};

int main(int argc, char **argv)
{
	struct lending l;

	if (!lending_arguments(&l, argc, argv))
		return 2;
	if (l.way == WAY_NONE)
		return lending_run(&l, no_way, sizeof(no_way) / sizeof(*no_way));

	return lending_run(&l, cases, sizeof(cases) / sizeof(*cases));
}

/* #endregion stream-test-table */
