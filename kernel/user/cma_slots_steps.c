// SPDX-License-Identifier: GPL-2.0-only
/*
 * One write, one read, and the tests that are sequences of them.
 */

/* #region slots-steps-includes */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cma_slots_test.h"
#include "proc_value.h"

/*
 * Whether the buddy allocator stands in when the area has no place. It has blocks
 * of 2^(columns - 1) pages at most, and on arm a DMA buffer is never one of them
 * when there is an area.
 */
static bool buddy_serves(size_t size)
{
	FILE *info = fopen("/proc/buddyinfo", "re");
	char line[256] = "", *word;
	struct utsname kernel;
	int columns = 0;

	if (!info)
		return false;
	if (!fgets(line, sizeof(line), info))
		line[0] = '\0';
	fclose(info);
	/* Node 0, zone DMA, and a count for each order. */
	for (word = strtok(line, "\t\n "); word; word = strtok(NULL, "\t\n "))
		columns++;
	if (columns < 5 || uname(&kernel) || !strncmp(kernel.machine, "armv7", 5))
		return false;

	return size <= (size_t)sysconf(_SC_PAGESIZE) << (columns - 5);
}

/* Say what differs from what was expected. Return: whether anything does. */
static bool differ(const struct cma_slots *expected, const struct cma_slots *now)
{
	bool same = now->count == expected->count;

	for (size_t i = 0; same && i < now->count; i++) {
		const struct slot *e = &expected->slot[i], *n = &now->slot[i];

		if (n->size == e->size && n->address == e->address)
			continue;
		ktap_fail("slot %zu: %zu bytes at %#llx, expected %zu at %#llx", i, n->size,
			  (unsigned long long)n->address, e->size,
			  (unsigned long long)e->address);
		same = false;
	}
	if (now->allocated == expected->allocated && now->freed == expected->freed &&
	    now->failed == expected->failed && now->held == expected->held && !now->spoiled)
		return !same;
	ktap_note("%lld allocated, %lld freed, %lld failed, %lld held, %lld spoiled",
		  now->allocated, now->freed, now->failed, now->held, now->spoiled);
	ktap_note("expected %lld allocated, %lld freed, %lld failed, %lld held, none spoiled",
		  expected->allocated, expected->freed, expected->failed, expected->held);

	return true;
}

/*
 * What a write must do to @expected, and what it must give: 0 or -errno. All ones
 * as address: some block outside the area. @filled: the one that is to be filled.
 */
static int expect_write(const struct device *d, struct cma_slots *expected, struct slot **filled,
			long *bit)
{
	int lowest = cma_slots_lowest(expected, false);
	struct slot *slot = lowest < 0 ? NULL : &expected->slot[lowest];

	*filled = slot;
	*bit = slot ? cma_first_fit(expected, &d->area, slot->size) : -1;
	if (!slot)
		return -ENOSPC;
	if (*bit < 0 && !buddy_serves(slot->size)) {
		expected->failed++;
		return -ENOMEM;
	}
	slot->address = *bit < 0 ? UINT64_MAX :
			d->area.base + (uint64_t)*bit * sysconf(_SC_PAGESIZE);
	expected->allocated++;
	expected->held += slot->size;

	return 0;
}

/* A block of the buddy allocator: outside the area, and aligned to its own size. */
static bool accept_block(const struct device *d, struct slot *expected, const struct slot *got)
{
	size_t block = sysconf(_SC_PAGESIZE);

	if (expected->address != UINT64_MAX)
		return true;
	while (block < got->size)
		block <<= 1;
	if (!got->address || got->address % block || area_holds(&d->area, got))
		return false;
	expected->address = got->address;

	return true;
}

/* #endregion slots-steps-includes */

/* #region check-write */
/* How often cma_alloc() served and refused since @served and @refused were read. */
static bool counted(long long served, long long refused, bool serves, bool refuses)
{
	served = proc_value("/proc/vmstat", "cma_alloc_success") - served;
	refused = proc_value("/proc/vmstat", "cma_alloc_fail") - refused;
	if (served == serves && refused == refuses)
		return true;
	ktap_fail("cma_alloc() served %lld times and refused %lld times", served, refused);

	return false;
}

enum ktap_result check_write(const struct device *d, int *error)
{
	long long served = proc_value("/proc/vmstat", "cma_alloc_success");
	long long refused = proc_value("/proc/vmstat", "cma_alloc_fail");
	struct cma_slots expected, now;
	struct slot *filled;
	int right, got;
	long bit;

	if (!cma_slots_read(&expected))
		return ktap_fail("%s: %s", CMA_TEST_DIR, strerror(errno));
	right = -expect_write(d, &expected, &filled, &bit);
	got = write(d->fd, "1", 1) == 1 ? 0 : errno;
	if (error)
		*error = got;
	if (got != right)
		return ktap_fail("write: %s, expected %s", strerrorname_np(got),
				 strerrorname_np(right));
	if (!cma_slots_read(&now) ||
	    (filled && !accept_block(d, filled, &now.slot[filled - expected.slot])))
		return ktap_fail("expected a block outside the area");
	if (!counted(served, refused, bit >= 0, filled && bit < 0 && d->area.size))
		return KTAP_FAIL;

	return differ(&expected, &now) ? KTAP_FAIL : KTAP_OK;
}

enum ktap_result check_read(const struct device *d)
{
	struct cma_slots expected, now;
	int lowest, got;
	char byte;

	if (!cma_slots_read(&expected))
		return ktap_fail("%s: %s", CMA_TEST_DIR, strerror(errno));
	lowest = cma_slots_lowest(&expected, true);
	if (lowest >= 0) {
		expected.slot[lowest].address = 0;
		expected.freed++;
		expected.held -= expected.slot[lowest].size;
	}
	got = read(d->fd, &byte, 1) ? errno : 0;
	if (got != (lowest < 0 ? ENOENT : 0))
		return ktap_fail("read: %s, with slot %d in use", strerrorname_np(got), lowest);

	return !cma_slots_read(&now) || differ(&expected, &now) ? KTAP_FAIL : KTAP_OK;
}

/* #endregion check-write */

/* #region test-reference-buffer */
/* How much of CMA is free beside slot 0; taking it emptied the per-CPU lists. */
static long long free_beside(const struct device *d, enum ktap_result *result)
{
	long long free;

	*result = check_write(d, NULL);
	proc_refresh();
	free = proc_value("/proc/meminfo", "CmaFree:");
	if (*result == KTAP_OK)
		*result = check_read(d);

	return free;
}

enum ktap_result test_reference_buffer(void *device)
{
	struct device *d = device;
	enum ktap_result result;

	d->cma_free = free_beside(d, &result);
	return result;
}

/*
 * A leaked buffer is 1 MiB at least. Less than that is no leak: what is freed page
 * by page passes through per-CPU lists, where a program that touches new memory
 * may find it and keep it.
 */
#define SMALLEST_LEAK_KIB 1024

enum ktap_result test_cma_free_returns(void *device)
{
	const struct device *d = device;
	enum ktap_result result;
	long long free = free_beside(d, &result);

	if (result == KTAP_OK && llabs(free - d->cma_free) >= SMALLEST_LEAK_KIB)
		return ktap_fail("CmaFree is %lld KiB beside slot 0, it was %lld", free,
				 d->cma_free);

	return result;
}

/* A line for the reader: where the buffer of the newest write lies. */
static void tell(const struct device *d, int number, int lowest, int error)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct cma_slots now;

	cma_slots_read(&now);
	if (error)
		ktap_note("write %d: %s", number, strerrorname_np(error));
	else if (area_holds(&d->area, &now.slot[lowest]))
		ktap_note("write %d: slot %d, %zu MiB at bit %llu", number, lowest,
			  now.slot[lowest].size >> 20,
			  (unsigned long long)(now.slot[lowest].address - d->area.base) / page);
	else
		ktap_note("write %d: slot %d, %zu MiB outside the area", number, lowest,
			  now.slot[lowest].size >> 20);
}

/* As many writes as there are slots, and if all of them got memory one more. */
enum ktap_result test_ten_writes(void *device)
{
	enum ktap_result result = KTAP_OK;
	struct cma_slots now;
	int error = 0;

	for (int i = 1; result == KTAP_OK && error != ENOSPC; i++) {
		int lowest;

		if (!cma_slots_read(&now))
			return ktap_fail("%s: %s", CMA_TEST_DIR, strerror(errno));
		if (i > (int)now.count && cma_slots_used(&now) < now.count)
			break;
		lowest = cma_slots_lowest(&now, false);
		result = check_write(device, &error);
		if (result == KTAP_OK)
			tell(device, i, lowest, error);
	}

	return result;
}

/* #endregion test-reference-buffer */

/* #region test-sequences */
/* r is a read, w a write; each is checked, and the first that is wrong ends it. */
static enum ktap_result run_sequence(const struct device *d, const char *steps)
{
	enum ktap_result result = KTAP_OK;

	for (const char *step = steps; *step && result == KTAP_OK; step++)
		result = *step == 'r' ? check_read(d) : check_write(d, NULL);

	return result;
}

enum ktap_result test_lowest_first(void *device)
{
	return run_sequence(device, "rrww");
}

enum ktap_result test_holes_are_filled(void *device)
{
	return run_sequence(device, "rwrrrwrwwwrrrrwwr");
}

enum ktap_result test_frees_all(void *device)
{
	return run_sequence(device, "rrrrrrrrrrr");
}

/* #endregion test-sequences */
