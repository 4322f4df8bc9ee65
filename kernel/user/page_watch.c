// SPDX-License-Identifier: GPL-2.0-only
/*
 * page_watch --area BASE,SIZE --want MIB [--at-least PAGES] DEVICE
 *
 * Watches its own pages move. It fills memory until about MIB of it lie in the CMA
 * area, notes the page frame number behind each page, lets another process take
 * memory out of the area through DEVICE (/dev/cma_test), and looks again: pages
 * moved away under it, and nothing that it wrote has changed. A child that shares
 * every page sees the same.
 *
 * Exit status: 0 when no test failed, 1 when one did, 2 when it could not begin.
 */

/* #region page-watch-includes */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "page_watch.h"
#include "proc_value.h"
/* #endregion page-watch-includes */

/* #region watch-fills-into-area */
static enum ktap_result test_fills_into_area(void *watch)
{
	struct watch *w = watch;
	size_t size = filled_size(w->want), inside = 0;

	if (!filled_map(&w->filled, size, 1))
		return ktap_fail("%zu MiB: %s", size >> 20, strerror(errno));
	w->before = filled_pfns(&w->filled);
	if (!w->before)
		return ktap_fail("/proc/self/pagemap: %s", strerror(errno));
	for (size_t i = 0; i < w->filled.pages; i++) {
		if (!w->before[i])
			return ktap_fail("page %zu is not there", i);
		inside += w->before[i] >= w->first && w->before[i] < w->last;
	}
	ktap_note("%zu of %zu pages lie in the area", inside, w->filled.pages);
	if (inside < w->at_least)
		return ktap_fail("expected %zu: want more", w->at_least);

	return KTAP_OK;
}

/* #endregion watch-fills-into-area */

/* #region watch-child-shares */
/* From here on two programs have each page. */
static enum ktap_result test_child_shares(void *watch)
{
	struct watch *w = watch;
	struct seen seen;

	if (!child_start(w))
		return ktap_fail("fork: %s", strerror(errno));
	if (!child_looks(w, &seen) || seen.wrong >= 0)
		return ktap_fail("the child sees another page %zd", seen.wrong);
	if (seen.digest != pfns_digest(w->before, w->filled.pages))
		return ktap_fail("the child has other pages");

	return KTAP_OK;
}

/* #endregion watch-child-shares */

/* #region watch-area-taken */
static enum ktap_result test_area_taken(void *watch)
{
	struct watch *w = watch;
	struct cma_slots now;
	int error;

	w->migrated = proc_value("/proc/vmstat", "pgmigrate_success");
	trace_log_clear();
	error = taker_takes(&w->taker);
	w->migrated = proc_value("/proc/vmstat", "pgmigrate_success") - w->migrated;
	w->after = filled_pfns(&w->filled);
	if (error || !w->after)
		return ktap_fail("process %d: %s", w->taker.pid, strerrorname_np(error ?: errno));
	if (!cma_slots_read(&now) || !now.slot[0].address ||
	    !area_holds(&w->area, &now.slot[0]))
		return ktap_fail("what it got is not in the area");
	w->start = now.slot[0].address / w->filled.page;
	w->end = w->start + now.slot[0].size / w->filled.page;
	ktap_note("process %d took pfn %#lx to %#lx", w->taker.pid, w->start, w->end - 1);

	return KTAP_OK;
}

/* #endregion watch-area-taken */

/* #region watch-pages-moved */
/* What lay in the way has another page now. The first few are shown. */
static enum ktap_result test_pages_moved(void *watch)
{
	struct watch *w = watch;

	if (!w->after)
		return ktap_fail("nothing was taken");
	for (size_t i = 0; i < w->filled.pages; i++) {
		if (w->before[i] < w->start || w->before[i] >= w->end)
			continue;
		if (!w->after[i] || w->after[i] == w->before[i])
			return ktap_fail("page %zu: pfn %#llx -> %#llx", i,
					 (unsigned long long)w->before[i],
					 (unsigned long long)w->after[i]);
		if (w->moved++ < 4)
			ktap_note("%llx -> %llx", (unsigned long long)w->before[i],
				  (unsigned long long)w->after[i]);
	}
	ktap_note("%zu pages moved", w->moved);

	return w->moved < w->at_least ? ktap_fail("expected %zu", w->at_least) : KTAP_OK;
}

/* #endregion watch-pages-moved */

/* #region watch-none-left */
static enum ktap_result test_none_left_inside(void *watch)
{
	const struct watch *w = watch;

	for (size_t i = 0; w->after && i < w->filled.pages; i++)
		if (w->after[i] >= w->start && w->after[i] < w->end)
			return ktap_fail("page %zu has pfn %#llx, inside what was taken", i,
					 (unsigned long long)w->after[i]);

	return w->after ? KTAP_OK : ktap_fail("nothing was taken");
}

/* #endregion watch-none-left */

/* #region watch-contents-stay */
static enum ktap_result test_contents_stay(void *watch)
{
	struct watch *w = watch;
	ssize_t wrong = filled_differs(&w->filled, 1);

	if (wrong >= 0)
		return ktap_fail("page %zd does not hold what was written", wrong);

	return KTAP_OK;
}

/* The child's page table was changed as ours was. */
static enum ktap_result test_child_follows(void *watch)
{
	struct watch *w = watch;
	struct seen seen;

	if (!w->after || !child_looks(w, &seen))
		return ktap_fail("nothing was taken, or the child is gone");
	if (seen.wrong >= 0)
		return ktap_fail("the child's page %zd changed", seen.wrong);
	if (seen.digest != pfns_digest(w->after, w->filled.pages))
		return ktap_fail("the child has other pages than we");

	return KTAP_OK;
}

/* #endregion watch-contents-stay */

/* #region watch-migrate-counter */
static enum ktap_result test_migrate_counter(void *watch)
{
	const struct watch *w = watch;

	ktap_note("pgmigrate_success +%lld", w->migrated);
	if (!w->moved || w->migrated < (long long)w->moved)
		return ktap_fail("%zu pages moved", w->moved);

	return KTAP_OK;
}

/* #endregion watch-migrate-counter */

/* #region watch-writes-stay-apart */
#define REWRITTEN 64

/*
 * Write to pages that moved. The child shares them, so each write copies one first,
 * and must leave the child the old one. The driver must find its marks when it frees
 * the other process's buffer.
 */
static enum ktap_result test_writes_stay_apart(void *watch)
{
	struct watch *w = watch;
	size_t written = 0;
	struct seen seen;
	int error;

	for (size_t i = 0; w->after && i < w->filled.pages && written < REWRITTEN; i++) {
		if (w->after[i] == w->before[i])
			continue;
		filled_write(&w->filled, i, 2);
		written++;
	}
	if (!written || !child_looks(w, &seen) || seen.wrong >= 0)
		return ktap_fail("after %zu writes the child is gone or sees them", written);
	error = taker_gives(&w->taker);
	if (error)
		return ktap_fail("giving the buffer back: %s", strerrorname_np(error));

	return KTAP_OK;
}

/* #endregion watch-writes-stay-apart */

/* #region page-watch-table */
static const struct ktap_test tests[] = {
	{ "fills-into-area", test_fills_into_area },
	{ "child-shares", test_child_shares },
	{ "area-taken", test_area_taken },
	{ "pages-moved", test_pages_moved },
	{ "none-left-inside", test_none_left_inside },
	{ "contents-stay", test_contents_stay },
	{ "child-follows", test_child_follows },
	{ "migrate-counter", test_migrate_counter },
	{ "trace-in-order", test_trace_in_order },
	{ "writes-stay-apart", test_writes_stay_apart },
};

/* #endregion page-watch-table */

/* #region page-watch-arguments */
static bool arguments(struct watch *w, int argc, char **argv)
{
	static const struct option options[] = {
		{ "area", required_argument, NULL, 'a' },
		{ "want", required_argument, NULL, 'w' },
		{ "at-least", required_argument, NULL, 'n' },
		{ 0 }
	};
	int option;

	w->at_least = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a' && !area_parse(optarg, &w->area))
			return false;
		if (option == 'w')
			w->want = strtoul(optarg, NULL, 0) << 20;
		if (option == 'n')
			w->at_least = strtoul(optarg, NULL, 0);
		if (option == '?')
			return false;
	}
	w->path = argv[optind];

	return w->area.size && w->want && w->at_least && optind == argc - 1;
}

/* #endregion page-watch-arguments */

/* #region page-watch-main */
int main(int argc, char **argv)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct watch w = { 0 };
	int failed;

	if (!arguments(&w, argc, argv)) {
		fprintf(stderr, "usage: %s --area BASE,SIZE --want MIB [--at-least PAGES] DEVICE\n",
			argv[0]);
		return 2;
	}
	w.first = w.area.base / page;
	w.last = w.first + w.area.size / page;
	if (access(w.path, R_OK | W_OK) || !taker_start(&w.taker, w.path)) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", w.path, strerror(errno));
		return 2;
	}
	if (!trace_log_open() || !trace_log_enable("cma") ||
	    !trace_log_enable("migrate/mm_migrate_pages") ||
	    !trace_log_enable("page_isolation/test_pages_isolated")) {
		fprintf(stderr, "tracing: %s; is tracefs mounted?\n", strerror(errno));
		return 2;
	}
	failed = ktap_run(tests, sizeof(tests) / sizeof(*tests), &w);
	asked_stop(&w.child);
	asked_stop(&w.taker);
	trace_log_close();

	return failed ? 1 : 0;
}

/* #endregion page-watch-main */
