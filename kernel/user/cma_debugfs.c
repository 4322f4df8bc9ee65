// SPDX-License-Identifier: GPL-2.0-only
/*
 * cma_debugfs AREA
 *
 * Allocates from a CMA area and gives back through /sys/kernel/debug/cma/AREA,
 * and compares each new bitmap with one that it keeps itself: first fit from bit
 * 0, newest given back first. Reports in KTAP. Exit status: 0 when no test failed,
 * 1 when one did, 2 without such an area.
 */

/* #region cma-debugfs-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"

#define DEBUGFS "/sys/kernel/debug/cma"
#define SYSFS "/sys/kernel/mm/cma"
#define MAX_BITS 65536

/**
 * struct area - what we expect of the area
 * @name: its folder
 * @count: bits, a page each
 * @taken: before we came
 * @used: a byte each bit, as it should be
 * @held: what we allocated and did not give back, newest last
 * @depth: how many of them there are
 */
struct area {
	const char *name;
	long count, taken;
	unsigned char used[MAX_BITS];
	struct piece {
		long bit, pages;
	} held[16];
	int depth;
};

static long read_file(const char *root, const struct area *a, const char *name)
{
	char path[160];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%s", root, a->name, name);
	file = fopen(path, "re");
	if (file && fscanf(file, "%ld", &value) != 1)
		value = -1;
	if (file)
		fclose(file);

	return value;
}

/* Write a number of pages to `alloc` or `free`. Return: 0 or the errno. */
static int ask(const struct area *a, const char *name, long pages)
{
	char path[160], text[24];
	int fd, length, error = 0;

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", a->name, name);
	length = snprintf(text, sizeof(text), "%ld", pages);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, length) != length)
		error = errno;
	if (fd >= 0)
		close(fd);

	return error;
}

/* The bitmap: words of 32 bits as decimal numbers. Return: false with errno. */
static bool read_bitmap(const struct area *a, unsigned char *bits)
{
	char path[160];
	unsigned long word = 0;
	FILE *file;

	snprintf(path, sizeof(path), DEBUGFS "/%s/bitmap", a->name);
	file = fopen(path, "re");
	if (!file)
		return false;
	for (long bit = 0; bit < a->count; bit++) {
		if (bit % 32 == 0 && fscanf(file, "%lu", &word) != 1)
			break;
		bits[bit] = word >> bit % 32 & 1;
		errno = bit + 1 == a->count ? 0 : EIO;
	}
	fclose(file);

	return errno == 0;
}

/* Return: the first bit of @pages free ones in a row, aligned to nothing; -1. */
static long first_fit(const struct area *a, long pages)
{
	long run = 0;

	for (long bit = 0; bit < a->count; bit++) {
		run = a->used[bit] ? 0 : run + 1;
		if (run == pages)
			return bit + 1 - pages;
	}

	return -1;
}

/* The longest row of free bits, and how many are used. */
static void measure(const struct area *a, long *longest, long *used)
{
	long run = 0;

	*longest = 0;
	*used = 0;
	for (long bit = 0; bit < a->count; bit++) {
		run = a->used[bit] ? 0 : run + 1;
		*used += a->used[bit];
		if (run > *longest)
			*longest = run;
	}
}

/* Whether bitmap, used and maxchunk are as ours. */
static enum ktap_result same(const struct area *a)
{
	static unsigned char bits[MAX_BITS];
	long longest, used;

	if (!read_bitmap(a, bits))
		return ktap_fail("bitmap: %s", strerror(errno));
	for (long bit = 0; bit < a->count; bit++) {
		if (bits[bit] != a->used[bit])
			return ktap_fail("bit %ld is %d, expected %d", bit, bits[bit],
					 a->used[bit]);
	}
	measure(a, &longest, &used);
	if (read_file(DEBUGFS, a, "used") != used || read_file(DEBUGFS, a, "maxchunk") != longest)
		return ktap_fail("used %ld, maxchunk %ld, expected %ld, %ld",
				 read_file(DEBUGFS, a, "used"), read_file(DEBUGFS, a, "maxchunk"),
				 used, longest);

	return KTAP_OK;
}

/* #endregion cma-debugfs-includes */

/* #region test-area */
/* What the area is, and that the bits taken at boot are its first ones. */
static enum ktap_result test_area(void *context)
{
	struct area *a = context;
	long base = read_file(DEBUGFS, a, "base_pfn");

	a->taken = read_file(DEBUGFS, a, "used");
	if (base <= 0 || read_file(DEBUGFS, a, "order_per_bit") != 0)
		return ktap_fail("base_pfn %ld, order_per_bit %ld", base,
				 read_file(DEBUGFS, a, "order_per_bit"));
	memset(a->used, 1, a->taken);
	ktap_note("%ld pages at %#lx, %ld taken", a->count, base, a->taken);

	return same(a);
}

/* Allocate, here and there. Return: false when the kernel answers otherwise. */
static bool take(struct area *a, long pages)
{
	long bit = first_fit(a, pages);

	if (ask(a, "alloc", pages) != (bit < 0 ? ENOMEM : 0))
		return false;
	ktap_note("%ld pages: %ld", pages, bit < 0 ? -(long)ENOMEM : bit);
	if (bit >= 0) {
		memset(a->used + bit, 1, pages);
		a->held[a->depth++] = (struct piece){ bit, pages };
	}

	return true;
}

/* Give back, the newest first; of the last one perhaps only its first pages. */
static bool give_back(struct area *a, long pages)
{
	if (ask(a, "free", pages))
		return false;
	while (pages && a->depth) {
		struct piece *newest = &a->held[a->depth - 1];
		long part = newest->pages < pages ? newest->pages : pages;

		memset(a->used + newest->bit, 0, part);
		newest->bit += part;
		newest->pages -= part;
		pages -= part;
		a->depth -= !newest->pages;
	}

	return true;
}

/* As many as fit, a request that may not, and a small one behind it. */
static const long requests[] = { 256, 512, 768, 1024, 1280, 1536, 100 };

static enum ktap_result test_allocations(void *context)
{
	struct area *a = context;
	enum ktap_result result = KTAP_OK;

	for (size_t i = 0; result == KTAP_OK && i < sizeof(requests) / sizeof(*requests); i++) {
		if (!take(a, requests[i]))
			return ktap_fail("%ld pages: not as expected", requests[i]);
		result = same(a);
	}

	return result;
}

/* The newest goes first, in part too; then all that is left. */
static enum ktap_result test_releases(void *context)
{
	struct area *a = context;
	enum ktap_result result;

	/* All of the newest, and two of the one before. */
	if (!give_back(a, a->held[a->depth - 1].pages + 2))
		return ktap_fail("free was refused");
	result = same(a);
	if (!give_back(a, a->count))
		return ktap_fail("free of all was refused");

	return result == KTAP_OK ? same(a) : result;
}

/* A hole that is large enough is used before what lies behind it. */
static enum ktap_result test_hole(void *context)
{
	struct area *a = context;
	enum ktap_result result;

	/* Of 32 pages the first 24 given back: 30 do not fit there, 20 do. */
	if (!take(a, 64) || !take(a, 32) || !give_back(a, 24) || !take(a, 30) || !take(a, 20))
		return ktap_fail("alloc or free was refused");
	if (a->held[a->depth - 1].bit != a->taken + 64)
		return ktap_fail("20 pages did not go into the hole");
	result = same(a);
	if (!give_back(a, a->count))
		return ktap_fail("free was refused");

	return result == KTAP_OK ? same(a) : result;
}

struct counters {
	long success, fail, released;
};

static struct counters counters(const struct area *a)
{
	return (struct counters){
		.success = read_file(SYSFS, a, "alloc_pages_success"),
		.fail = read_file(SYSFS, a, "alloc_pages_fail"),
		.released = read_file(SYSFS, a, "release_pages_success"),
	};
}

/* sysfs counts pages, of both outcomes; more than the area has is not counted. */
static enum ktap_result test_counters(void *context)
{
	const struct area *a = context;
	struct counters was = counters(a), now;
	long fits = a->count - a->taken;

	if (was.success < a->taken || was.fail < 0 || was.released < 0)
		return ktap_fail("%ld, %ld, %ld", was.success, was.fail, was.released);
	if (ask(a, "alloc", 100) || ask(a, "alloc", fits) != ENOMEM || ask(a, "free", 100))
		return ktap_fail("not as asked");
	now = counters(a);
	if (now.success - was.success != 100 || now.fail - was.fail != fits ||
	    now.released - was.released != 100)
		return ktap_fail("+%ld, +%ld, +%ld", now.success - was.success, now.fail - was.fail,
				 now.released - was.released);
	if (ask(a, "alloc", a->count + 1) != ENOMEM || counters(a).fail != now.fail)
		return ktap_fail("more than there is was counted");

	return KTAP_OK;
}

/* #endregion test-area */

/* #region cma-debugfs-main */
static const struct ktap_test tests[] = {
	{ "area", test_area },
	{ "allocations", test_allocations },
	{ "releases", test_releases },
	{ "hole", test_hole },
	{ "counters", test_counters },
};

int main(int argc, char **argv)
{
	static struct area a;

	if (argc != 2)
		return fprintf(stderr, "usage: %s AREA\n", argv[0]), 2;
	a.name = argv[1];
	a.count = read_file(DEBUGFS, &a, "count");
	if (a.count <= 0 || a.count > MAX_BITS)
		return fprintf(stderr, "%s/%s: no area\n", DEBUGFS, a.name), 2;

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &a) ? 1 : 0;
}

/* #endregion cma-debugfs-main */
