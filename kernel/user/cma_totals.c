// SPDX-License-Identifier: GPL-2.0-only
/*
 * cma_totals KIB [HELD]
 *
 * Counts the memory that CMA areas have, in five ways, and expects KIB; all of it
 * free but for HELD KiB, which a driver holds, and the little that the kernel
 * takes at boot. Reports in KTAP. Exit status: 0 when no test failed, 1 when one
 * did.
 */

/* #region cma-totals-includes */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"
/* #endregion cma-totals-includes */

/* #region cma-totals-state */
struct totals {
	long wanted;		/* KiB */
	long held;		/* KiB of them that are in use */
	long page;		/* KiB in a page */
	struct zone zones[MAX_ZONES];
	int zone_count;
};

static enum ktap_result wants(const struct totals *t, const char *what, long kib)
{
	if (kib != t->wanted)
		return ktap_fail("%s %ld KiB, expected %ld", what, kib, t->wanted);

	return KTAP_OK;
}

/* #endregion cma-totals-state */

/* #region test-cma-total */
static enum ktap_result test_cma_total(void *context)
{
	return wants(context, "CmaTotal says", read_number("/proc/meminfo", "CmaTotal:"));
}

/* The zones count the pages of the areas in them. */
static enum ktap_result test_zones(void *context)
{
	const struct totals *t = context;
	long pages = 0;

	for (int i = 0; i < t->zone_count; i++)
		pages += t->zones[i].cma;

	return wants(t, "the zones have", pages * t->page);
}

/* #endregion test-cma-total */

/* #region test-page-blocks */
/* Each page block of an area is of type CMA, and no other block is. */
static enum ktap_result test_page_blocks(void *context)
{
	const struct totals *t = context;
	long kib = 0;

	for (int i = 0; i < t->zone_count; i++) {
		struct page_types types;
		int cma;

		if (!read_page_types(t->zones[i].name, &types))
			return ktap_fail("/proc/pagetypeinfo: %s", strerror(errno));
		cma = type_of(&types, "CMA");
		if (cma < 0)
			return ktap_fail("/proc/pagetypeinfo knows no type CMA");
		kib += (types.blocks[cma] << types.block_order) * t->page;
	}

	return wants(t, "blocks of type CMA:", kib);
}

/* #endregion test-page-blocks */

/* #region cma-totals-free */
/*
 * What is in use all the same: the kernel's pools, a few pages of programs, for
 * CMA is movable memory too, and pages in lists of a CPU.
 */
static long slack(const struct totals *t)
{
	return 4096 + t->wanted / 32;
}

/* KiB that are said to be free, of an area that nobody but @held uses. */
static enum ktap_result wants_free(const struct totals *t, const char *what, long kib)
{
	if (kib > t->wanted - t->held)
		return ktap_fail("%s %ld KiB, though %ld of %ld are held", what, kib, t->held,
				 t->wanted);
	if (kib < t->wanted - t->held - slack(t))
		return ktap_fail("%s %ld KiB, so %ld are gone", what, kib,
				 t->wanted - t->held - kib);

	ktap_note("%s %ld of %ld KiB", what, kib, t->wanted);
	return KTAP_OK;
}

/* #endregion cma-totals-free */

/* #region test-cma-free */
static enum ktap_result test_cma_free(void *context)
{
	const struct totals *t = context;

	return wants_free(t, "CmaFree says", read_number("/proc/meminfo", "CmaFree:"));
}

/* Free pages of type CMA, as the lists have them. */
static enum ktap_result test_free_lists(void *context)
{
	const struct totals *t = context;
	unsigned long pages = 0;

	for (int i = 0; i < t->zone_count; i++) {
		struct page_types types;
		int cma;

		if (!read_page_types(t->zones[i].name, &types))
			return ktap_fail("/proc/pagetypeinfo: %s", strerror(errno));
		cma = type_of(&types, "CMA");
		for (int order = 0; cma >= 0 && order < types.orders; order++)
			pages += types.free[cma][order] << order;
	}

	return wants_free(t, "the free lists have", pages * t->page);
}

/* #endregion test-cma-free */

/* #region cma-totals-main */
static const struct ktap_test tests[] = {
	{ "cma-total", test_cma_total },
	{ "zones", test_zones },
	{ "page-blocks", test_page_blocks },
	{ "cma-free", test_cma_free },
	{ "free-lists", test_free_lists },
};

int main(int argc, char **argv)
{
	static struct totals t;

	if (argc != 2 && argc != 3)
		return fprintf(stderr, "usage: %s KIB [HELD]\n", argv[0]), 2;
	t.wanted = strtol(argv[1], NULL, 10);
	t.held = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	t.page = sysconf(_SC_PAGESIZE) >> 10;
	t.zone_count = read_zones(t.zones);

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &t) ? 1 : 0;
}

/* #endregion cma-totals-main */
