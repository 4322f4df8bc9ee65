/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of cma_slots_test that need more than a screen, and the two steps
 * that they are made of: one write and one read, each compared with what the
 * slots and counters said before it.
 */
/* #region slots-test-types */
#ifndef CMA_SLOTS_TEST_H
#define CMA_SLOTS_TEST_H

#include <sys/stat.h>

#include "cma_slots.h"
#include "ktap.h"

/**
 * struct device - /dev/cma_test under test
 * @path: the device
 * @fd: @path, opened for reading and writing
 * @area: where buffers should come from
 * @cma_free: CmaFree in KiB, read when only the reference buffer was there
 */
struct device {
	const char *path;
	int fd;
	struct area area;
	long long cma_free;
};

/*
 * Write once and check everything: which slot, how long, where it lies (first fit
 * in the area, else a block of the buddy allocator), errno, every counter.
 * @error: what the write gave, 0 or an errno; may be NULL.
 */
enum ktap_result check_write(const struct device *d, int *error);

/* Read once, which must free the lowest slot in use and nothing else. */
enum ktap_result check_read(const struct device *d);

enum ktap_result test_reference_buffer(void *device);
enum ktap_result test_ten_writes(void *device);
enum ktap_result test_lowest_first(void *device);
enum ktap_result test_holes_are_filled(void *device);
enum ktap_result test_frees_all(void *device);
enum ktap_result test_many_callers(void *device);
enum ktap_result test_cma_free_returns(void *device);

#endif /* CMA_SLOTS_TEST_H */
/* #endregion slots-test-types */
