/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of stream_dma_test, by file. Each is given the struct lending.
 */
/* #region stream-tests-copies */
#ifndef STREAM_DMA_TEST_H
#define STREAM_DMA_TEST_H

#include "lending.h"

/* stream_dma_copies.c: where the bytes are, and that all of them arrive. */
enum ktap_result test_what_it_is(void *lending);
enum ktap_result test_addresses(void *lending);
enum ktap_result test_length_1(void *lending);
enum ktap_result test_length_63(void *lending);
enum ktap_result test_length_64(void *lending);
enum ktap_result test_length_65(void *lending);
enum ktap_result test_length_4095(void *lending);
enum ktap_result test_length_4096(void *lending);
enum ktap_result test_across_pages(void *lending);
enum ktap_result test_list_gathers(void *lending);
enum ktap_result test_list_scatters(void *lending);
enum ktap_result test_list_joined(void *lending);
enum ktap_result test_list_large(void *lending);
enum ktap_result test_counters(void *lending);
enum ktap_result test_two_programs(void *lending);

/* stream_dma_hands.c: which bytes each side sees before and after a step. */
enum ktap_result test_sync_for_cpu(void *lending);
enum ktap_result test_sync_in_parts(void *lending);
enum ktap_result test_sync_for_device(void *lending);
enum ktap_result test_sync_list(void *lending);
enum ktap_result test_both_ways(void *lending);
enum ktap_result test_reading_syncs(void *lending);
enum ktap_result test_writing_syncs(void *lending);
enum ktap_result test_untouched_bytes(void *lending);
enum ktap_result test_slots(void *lending);
enum ktap_result test_largest(void *lending);
enum ktap_result test_close_takes_back(void *lending);

/* stream_dma_refusals.c: what must not be done. */
enum ktap_result refused(int fd, unsigned long command, void *argument, int expected,
			 const char *what);
enum ktap_result test_wrong_way(void *lending);
enum ktap_result test_nothing_lent(void *lending);
enum ktap_result test_lent_already(void *lending);
enum ktap_result test_bad_pieces(void *lending);
enum ktap_result test_bad_ranges(void *lending);
enum ktap_result test_bad_calls(void *lending);
enum ktap_result test_addresses_are_private(void *lending);

/* And on a board where the device reaches no buffer, and nobody copies. */
enum ktap_result test_maps_refused(void *lending);
enum ktap_result test_coherent_in_reach(void *lending);

/* stream_dma_buffer.c: the buffer as memory that others had, and that is slow to come. */
enum ktap_result test_starts_zeroed(void *lending);
enum ktap_result test_failed_write(void *lending);
enum ktap_result test_slow_program(void *lending);

/* stream_dma_away.c: a device that goes silent, or goes. */
enum ktap_result test_open_holds_module(void *lending);
enum ktap_result test_silent_device(void *lending);
enum ktap_result test_taken_away(void *lending);
enum ktap_result test_taken_away_busy(void *lending);

#endif /* STREAM_DMA_TEST_H */
/* #endregion stream-tests-copies */
