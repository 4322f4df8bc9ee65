/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of /dev/cma_mem, by the file that has them. Each takes a struct bench.
 */
/* #region cma-mem-tests-commands */
#ifndef CMA_MEM_TESTS_H
#define CMA_MEM_TESTS_H

#include "ktap.h"

/* cma_mem_commands.c: sizes, numbers, pointers, and every refusal of a command. */
enum ktap_result test_layout(void *bench);
enum ktap_result test_answers_in_bounds(void *bench);
enum ktap_result test_unknown_command(void *bench);
enum ktap_result test_bad_pointers(void *bench);
enum ktap_result test_answer_cannot_be_written(void *bench);
enum ktap_result test_reserved_not_zero(void *bench);
enum ktap_result test_size_refused(void *bench);
enum ktap_result test_granted(void *bench);
enum ktap_result test_second_allocate(void *bench);
enum ktap_result test_without_buffer(void *bench);
enum ktap_result test_limit_together(void *bench);
enum ktap_result test_no_memory(void *bench);
enum ktap_result test_flush_range(void *bench);

/* cma_mem_memory.c: the same bytes through every view. */
enum ktap_result test_starts_zeroed(void *bench);
enum ktap_result test_whole_dma(void *bench);
enum ktap_result test_whole_pfn(void *bench);
enum ktap_result test_both_ways(void *bench);
enum ktap_result test_kernel_reads(void *bench);
enum ktap_result test_kernel_writes(void *bench);
enum ktap_result test_offsets_dma(void *bench);
enum ktap_result test_offsets_pfn(void *bench);
enum ktap_result test_ends(void *bench);
enum ktap_result test_failed_write(void *bench);
enum ktap_result test_coherent_buffer(void *bench);

/* cma_mem_mappings.c: what a mapping is, what is refused, and how many there are. */
enum ktap_result test_bounds_dma(void *bench);
enum ktap_result test_bounds_pfn(void *bench);
enum ktap_result test_private(void *bench);
enum ktap_result test_read_only(void *bench);
enum ktap_result test_vm_flags(void *bench);
enum ktap_result test_memory_type(void *bench);
enum ktap_result test_grow(void *bench);
enum ktap_result test_no_pages(void *bench);
enum ktap_result test_free_while_mapped(void *bench);
enum ktap_result test_unmap(void *bench);
enum ktap_result test_how_refused(void *bench);
enum ktap_result test_count(void *bench);
enum ktap_result test_count_fork(void *bench);

/* cma_mem_sharing.c: whose buffer it is, and for how long. */
enum ktap_result test_files_apart(void *bench);
enum ktap_result test_connect(void *bench);
enum ktap_result test_connect_refused(void *bench);
enum ktap_result test_connect_rights(void *bench);
enum ktap_result test_connect_outlives(void *bench);
enum ktap_result test_connect_by_child(void *bench);
enum ktap_result test_fork_child_ends(void *bench);
enum ktap_result test_fork_parent_ends(void *bench);
enum ktap_result test_close_keeps(void *bench);

/* cma_mem_places.c: where the memory is, and that it comes back. */
enum ktap_result test_phys_rights(void *bench);
enum ktap_result test_phys_in_area(void *bench);
enum ktap_result test_phys_in_trace(void *bench);
enum ktap_result test_one_page(void *bench);
enum ktap_result test_nothing_leaks(void *bench);
enum ktap_result test_unload_refused(void *bench);
enum ktap_result test_no_unbind(void *bench);

#endif /* CMA_MEM_TESTS_H */
/* #endregion cma-mem-tests-commands */
