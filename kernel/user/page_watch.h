/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What page_watch knows while it watches, the child that watches with it, and
 * what the trace must say.
 */
/* #region page-watch-types */
#ifndef PAGE_WATCH_H
#define PAGE_WATCH_H

#include "cma_slots.h"
#include "ktap.h"
#include "pagemap.h"
#include "taker.h"
#include "trace_log.h"

/* #endregion page-watch-types */

/* #region page-watch-struct */
/**
 * struct watch - the whole experiment
 * @path: /dev/cma_test
 * @area: the CMA area, pfn @first up to, not including, @last
 * @want: so many bytes are to lie in the area
 * @at_least: so many pages must lie there, and so many must move
 * @taker: the other process
 * @child: shares all of @filled
 * @before: page frame numbers before the area was taken
 * @after: and behind the same pages afterwards
 * @start: what was taken, up to, not including, @end
 * @moved: pages that had lain there
 * @migrated: by how much pgmigrate_success grew
 */
struct watch {
	const char *path;
	struct area area;
	unsigned long first, last;
	size_t want, at_least;
	struct asked taker, child;
	struct filled filled;
	uint64_t *before, *after;
	unsigned long start, end;
	size_t moved;
	long long migrated;
};

/* #endregion page-watch-struct */

/* #region page-watch-child */
/**
 * struct seen - what the child sees
 * @wrong: a page that does not hold the first pattern, -1 for none
 * @digest: of its page frame numbers
 */
struct seen {
	ssize_t wrong;
	uint64_t digest;
};

uint64_t pfns_digest(const uint64_t *pfns, size_t count);

/* Return: false with errno. */
bool child_start(struct watch *w);

/* Let it look at every page. Return: false if it is gone. */
bool child_looks(const struct watch *w, struct seen *seen);

/* #endregion page-watch-child */

/* #region page-watch-trace */
enum ktap_result test_trace_in_order(void *watch);
#endif /* PAGE_WATCH_H */
/* #endregion page-watch-trace */
