/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests that hold for both drivers. Each takes a struct buffer and leaves
 * the whole buffer filled with the pattern, from test_whole_buffer() on.
 */
#ifndef BUFFER_TESTS_H
#define BUFFER_TESTS_H

/* #region buffer-tests-list */
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

/* #endregion buffer-tests-list */

/* #region buffer-tests-refusals */
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
enum ktap_result test_no_unbind(void *buffer);
enum ktap_result test_unload_refused(void *buffer);

/* #endregion buffer-tests-refusals */

#endif /* BUFFER_TESTS_H */
