// SPDX-License-Identifier: GPL-2.0-only
/*
 * choosing_costs --buddy | --cma DEVICE
 * choosing_costs --pool DRIVER DEVICE
 *
 * What a buffer costs, by where it comes from: the time to get it, to map and
 * touch it, and to give it back. Times are notes; what a test asserts is what
 * must hold on any machine. Reports in KTAP. Exit status: 0 when no test failed, 1
 * when one did.
 *
 * DEVICE: /dev/cma_mem, on a board without CMA (--buddy) or with (--cma). --pool: a
 * platform device whose driver allocates all it has when it is bound.
 */

/* #region choosing-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cma_mem.h"
#include "ktap.h"
#include "memory_files.h"
#include "pagemap.h"
/* #endregion choosing-includes */

/* #region choosing-types */
#define MIB (1024 * 1024UL)
#define ROUNDS 5

struct costs {
	const char *device;
	const char *driver;
};

/* Nanoseconds. */
struct cost {
	long long get, map, put;
};

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* #endregion choosing-types */

/* #region choosing-measure */
/* One buffer of @size: 0 or an errno, and what it cost. */
static int measure_once(const char *device, unsigned long size, struct cost *cost)
{
	struct cma_mem_allocate wish = { .size = size };
	int fd = open(device, O_RDWR | O_CLOEXEC), error = 0;
	long long start = now_ns(), mapped;
	unsigned char *bytes = MAP_FAILED;

	if (fd < 0)
		return errno;
	if (ioctl(fd, CMA_MEM_ALLOCATE, &wish))
		error = errno;
	cost->get = now_ns() - start;
	if (!error)
		bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (unsigned long at = 0; bytes != MAP_FAILED && at < size; at += 4096)
		bytes[at] = 1;
	mapped = now_ns();
	cost->map = mapped - start - cost->get;
	if (bytes != MAP_FAILED)
		munmap(bytes, size);
	else if (!error)
		error = errno;
	close(fd);
	cost->put = now_ns() - mapped;

	return error;
}

/* #endregion choosing-measure */

/* #region choosing-best */
/* The fastest of some rounds: what it costs when nobody disturbs. */
static int measure(const char *device, unsigned long size, struct cost *best)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct cost cost;
		int error = measure_once(device, size, &cost);

		if (error)
			return error;
		if (!round || cost.get + cost.map + cost.put < best->get + best->map + best->put)
			*best = cost;
	}

	return 0;
}

static void note(const char *what, unsigned long size, const struct cost *cost)
{
	ktap_note("%s, %lu MiB: %lld us to get, %lld to map and touch, %lld to give back", what,
		  size / MIB, cost->get / 1000, cost->map / 1000, cost->put / 1000);
}

/* #endregion choosing-best */

/* #region test-buddy */
/* The page allocator: blocks up to 4 MiB, and nothing larger, ever. */
static enum ktap_result test_buddy(void *context)
{
	const struct costs *c = context;
	struct cost cost;
	int error = measure(c->device, MIB, &cost);

	if (error)
		return ktap_fail("1 MiB: %s", strerror(error));
	note("page allocator", MIB, &cost);
	error = measure_once(c->device, 16 * MIB, &cost);
	if (error != ENOMEM)
		return ktap_fail("16 MiB: %s, expected ENOMEM", strerror(error));

	return KTAP_OK;
}

/* #endregion test-buddy */

/* #region test-empty */
static struct cost empty_large;		/* 16 MiB while nobody uses the area */

/* A CMA area in which nobody has a page: nothing moves. */
static enum ktap_result test_empty(void *context)
{
	long moved = read_number("/proc/vmstat", "pgmigrate_success");
	const struct costs *c = context;
	struct cost small;
	int error = measure(c->device, MIB, &small);

	if (!error)
		error = measure(c->device, 16 * MIB, &empty_large);
	if (error)
		return ktap_fail("%s", strerror(error));
	note("CMA, empty", MIB, &small);
	note("CMA, empty", 16 * MIB, &empty_large);
	moved = read_number("/proc/vmstat", "pgmigrate_success") - moved;
	if (moved > 64)
		return ktap_fail("%ld pages moved, though it was empty", moved);

	return empty_large.get > small.get ? KTAP_OK : ktap_fail("16 MiB cost less than 1");
}

/* #endregion test-empty */

/* #region test-lent */
/* The same area lent out: every page of a program in the way is moved first. */
static enum ktap_result test_lent(void *context)
{
	long moved = read_number("/proc/vmstat", "pgmigrate_success");
	const struct costs *c = context;
	struct filled filled;
	struct cost cost;
	int error;

	if (!filled_map(&filled, filled_size(64 * MIB), 0))
		return ktap_fail("filling memory: %s", strerror(errno));
	error = measure_once(c->device, 16 * MIB, &cost);
	if (error)
		return ktap_fail("16 MiB: %s", strerror(error));
	note("CMA, lent", 16 * MIB, &cost);
	moved = read_number("/proc/vmstat", "pgmigrate_success") - moved;
	ktap_note("%ld pages moved; %.1f times as long as in an empty area", moved,
		  (double)cost.get / empty_large.get);
	if (filled_differs(&filled, 0) >= 0)
		return ktap_fail("a page that moved lost its contents");
	/* Pages of the area that waited in lists of a CPU are lent by chance: a few. */
	if (moved < (long)(16 * MIB / filled.page) * 9 / 10)
		return ktap_fail("only %ld pages moved", moved);

	return cost.get > empty_large.get ? KTAP_OK : ktap_fail("it cost less than empty");
}

/* #endregion test-lent */

/* #region choosing-bind */
static bool write_name(const char *driver, const char *file, const char *name)
{
	char path[160];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s", driver, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, name, strlen(name)) == (ssize_t)strlen(name);
	if (fd >= 0)
		close(fd);

	return done;
}

/* #endregion choosing-bind */

/* #region test-pool */
/* A pool of its own: no search, nothing moves, but the memory is cleared. */
static enum ktap_result test_pool(void *context)
{
	long moved = read_number("/proc/vmstat", "pgmigrate_success");
	long taken = read_number("/proc/vmstat", "cma_alloc_success");
	const struct costs *c = context;
	long long best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		long long start;

		if (!write_name(c->driver, "unbind", c->device))
			return ktap_fail("unbind: %s", strerror(errno));
		start = now_ns();
		if (!write_name(c->driver, "bind", c->device))
			return ktap_fail("bind: %s", strerror(errno));
		start = now_ns() - start;
		best = !round || start < best ? start : best;
	}
	ktap_note("device pool: %lld us to bind the driver and get it", best / 1000);
	if (read_number("/proc/vmstat", "pgmigrate_success") != moved ||
	    read_number("/proc/vmstat", "cma_alloc_success") != taken)
		return ktap_fail("it took from CMA, or pages moved");

	return KTAP_OK;
}

/* #endregion test-pool */

/* #region choosing-main */
static const struct ktap_test of_buddy[] = { { "buddy", test_buddy } };
static const struct ktap_test of_cma[] = { { "empty", test_empty }, { "lent", test_lent } };
static const struct ktap_test of_pool[] = { { "pool", test_pool } };

int main(int argc, char **argv)
{
	struct costs c = { .device = argc > 2 ? argv[argc - 1] : NULL };

	if (argc == 3 && !strcmp(argv[1], "--buddy"))
		return ktap_run(of_buddy, 1, &c) ? 1 : 0;
	if (argc == 3 && !strcmp(argv[1], "--cma"))
		return ktap_run(of_cma, 2, &c) ? 1 : 0;
	if (argc == 4 && !strcmp(argv[1], "--pool")) {
		c.driver = argv[2];
		return ktap_run(of_pool, 1, &c) ? 1 : 0;
	}

	fprintf(stderr, "usage: %s --buddy | --cma DEVICE, or --pool DRIVER DEVICE\n", argv[0]);
	return 2;
}

/* #endregion choosing-main */
