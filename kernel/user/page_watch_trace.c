// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the trace of one allocation must say. The order is the same on every
 * kernel:
 *
 *	cma_alloc_start		count and align as the DMA API asks for them
 *	mm_migrate_pages …	up to 32 pages each, until the range is empty
 *	test_pages_isolated	one for each place that was tried
 *	cma_alloc_busy_retry	after each that failed
 *	cma_alloc_finish	with the place that was got
 */

/* #region watch-trace-includes */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "page_watch.h"
/* #endregion watch-trace-includes */

/* #region watch-trace-totals */
#define MAX_EVENTS 8192
#define BATCH 32

/**
 * struct totals - what the events of one allocation add up to
 * @starts: cma_alloc_start
 * @finishes: cma_alloc_finish
 * @tested: places that turned out free
 * @failed: places that did not
 * @retries: cma_alloc_busy_retry
 * @batches: mm_migrate_pages on behalf of CMA with at least one page
 * @pages: pages in them
 * @largest: most pages in one
 */
struct totals {
	size_t starts, finishes, tested, failed, retries, batches, pages, largest;
};

static bool is(const struct trace_event *event, const char *name)
{
	return !strcmp(event->name, name);
}

/* #endregion watch-trace-totals */

/* #region watch-trace-count */
/* Count one event. Return: false if it must not come here. */
static bool count(struct totals *t, const struct trace_event *event)
{
	size_t pages = trace_field(event, "nr_succeeded", 0);

	if (is(event, "cma_alloc_start"))
		return !t->starts++;
	if (is(event, "mm_migrate_pages") && strstr(event->fields, "reason=contig_range")) {
		t->batches += pages > 0;
		t->pages += pages;
		t->largest = pages > t->largest ? pages : t->largest;
		return t->starts && !t->finishes;
	}
	if (is(event, "test_pages_isolated")) {
		if (strstr(event->fields, "ret=success"))
			t->tested++;
		else
			t->failed++;
		return t->starts && !t->finishes && t->tested < 2;
	}
	if (is(event, "cma_alloc_busy_retry"))
		return ++t->retries == t->failed && !t->tested;
	if (is(event, "cma_alloc_finish"))
		return t->tested == 1 && !t->finishes++;

	return true;
}

/* #endregion watch-trace-count */

/* #region watch-trace-judge */
static enum ktap_result judge(const struct watch *w, const struct totals *t)
{
	ktap_note("%zu pages in %zu batches, %zu retries", t->pages, t->batches, t->retries);
	if (t->starts != 1 || t->finishes != 1)
		return ktap_fail("%zu starts, %zu finishes", t->starts, t->finishes);
	if (t->largest > BATCH || t->pages < w->moved || t->batches * BATCH < w->moved)
		return ktap_fail("%zu pages moved, the largest batch had %zu", w->moved,
				 t->largest);

	return KTAP_OK;
}

/* #endregion watch-trace-judge */

/* #region test-trace-in-order */
enum ktap_result test_trace_in_order(void *watch)
{
	struct trace_event *events = calloc(MAX_EVENTS, sizeof(*events));
	const struct watch *w = watch;
	enum ktap_result result = KTAP_OK;
	struct totals totals = { 0 };
	long found = events ? trace_log_read(events, MAX_EVENTS) : -1;

	if (found < 0)
		result = ktap_fail("the trace: %s", strerror(errno));
	for (long i = 0; result == KTAP_OK && i < found; i++) {
		const struct trace_event *event = &events[i];

		if (!count(&totals, event))
			result = ktap_fail("event %ld out of order: %s: %s", i, event->name,
					   event->fields);
		if (is(event, "cma_alloc_start") &&
		    trace_field(event, "count", 0) != w->end - w->start)
			result = ktap_fail("%s: %s", event->name, event->fields);
		if (is(event, "cma_alloc_finish") && trace_field(event, "pfn", 0) != w->start)
			result = ktap_fail("%s: %s", event->name, event->fields);
	}
	free(events);

	return result == KTAP_OK ? judge(w, &totals) : result;
}

/* #endregion test-trace-in-order */
