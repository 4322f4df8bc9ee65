/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests that hold for both drivers. Each takes a struct buffer and leaves
 * the whole buffer filled with the pattern, from test_whole_buffer() on.
 */
/* #region buffer-tests-list */
#ifndef BUFFER_TESTS_H
#define BUFFER_TESTS_H

#include "buffer.h"
#include "ktap.h"

/* Where it lies, and who may ask. */
enum ktap_result test_region_address(void *buffer);
enum ktap_result test_region_size(void *buffer);
enum ktap_result test_ioctl_errors(void *buffer);

/* One memory: through every mapping, and through the kernel's. */
enum ktap_result test_whole_buffer(void *buffer);
enum ktap_result test_kernel_reads_same(void *buffer);
enum ktap_result test_contents_persist(void *buffer);
enum ktap_result test_kernel_writes_same(void *buffer);
enum ktap_result test_offset_page(void *buffer);
enum ktap_result test_last_page(void *buffer);
enum ktap_result test_fork_shares(void *buffer);

/* What must be refused. */
enum ktap_result test_past_end(void *buffer);
enum ktap_result test_across_end(void *buffer);
enum ktap_result test_offset_at_end(void *buffer);
enum ktap_result test_offset_huge(void *buffer);
enum ktap_result test_private_refused(void *buffer);
enum ktap_result test_read_only_file(void *buffer);
enum ktap_result test_vm_flags(void *buffer);
enum ktap_result test_grow_refused(void *buffer);
enum ktap_result test_read_write_ends(void *buffer);
enum ktap_result test_unload_refused(void *buffer);

/* Mappings in pieces (buffer_mappings.c), and the buffer as a file (buffer_files.c). */
enum ktap_result test_two_positions(void *buffer);
enum ktap_result test_opens_share(void *buffer);
enum ktap_result test_hole(void *buffer);
enum ktap_result test_hole_filled(void *buffer);
enum ktap_result test_moved(void *buffer);
enum ktap_result test_protected(void *buffer);
enum ktap_result test_every_offset(void *buffer);
enum ktap_result test_fork_child_ends(void *buffer);
enum ktap_result test_fork_parent_ends(void *buffer);
enum ktap_result test_not_for_children(void *buffer);
enum ktap_result test_advice(void *buffer);
enum ktap_result test_odd_pieces(void *buffer);
enum ktap_result test_positions(void *buffer);
enum ktap_result test_far_offsets(void *buffer);
enum ktap_result test_bad_pointers(void *buffer);
enum ktap_result test_own_mapping(void *buffer);
enum ktap_result test_mmap_arguments(void *buffer);

#endif /* BUFFER_TESTS_H */
/* #endregion buffer-tests-list */
