// SPDX-License-Identifier: GPL-2.0-only
/*
 * busy_page --area BASE,SIZE --want MIB DEVICE
 *
 * Makes one page of a CMA area busy on demand. It fills memory until some
 * MIB of it lie in the area, puts one page of it into a pipe by vmsplice(2), and lets
 * another process take memory through DEVICE (/dev/cma_test). While the pipe
 * refers to the page, it cannot move: CMA gives up each place that has the page in
 * it and tries the next one, 256 pages on. When the pipe has been read, the same
 * request gets the first place.
 *
 * Exit status: 0 when no test failed, 1 when one did, 2 when it could not begin.
 */

/* #region busy-page-includes */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cma_slots.h"
#include "ktap.h"
#include "pagemap.h"
#include "taker.h"
#include "trace_log.h"
/* #endregion busy-page-includes */

/* #region busy-page-types */
#define STEP 256	/* pages from one place that is tried to the next */
#define MAX_EVENTS 4096

/* #endregion busy-page-types */

/* #region busy-page-struct */
/**
 * struct busy - the experiment
 * @path: /dev/cma_test
 * @area: the CMA area; @first is its first pfn
 * @want: so many bytes are to lie in the area
 * @taker: the other process
 * @filled: our pages
 * @size: pages that the other process asks for
 * @page: index of the one that is put into the pipe, and its @pfn
 * @pipe: where it is put
 * @events: trace events of the newest allocation, @count of them
 */
struct busy {
	const char *path;
	struct area area;
	unsigned long first;
	size_t want;
	struct asked taker;
	struct filled filled;
	unsigned long size;
	size_t page;
	unsigned long pfn;
	int pipe[2];
	struct trace_event events[MAX_EVENTS];
	long count;
};

/* #endregion busy-page-struct */

/* #region busy-chooses-page */
/* The lowest of our pages that lies in the first two places that will be tried. */
static enum ktap_result test_chooses_page(void *busy)
{
	struct busy *b = busy;
	struct cma_slots now;
	unsigned long from, to;
	uint64_t *pfns;

	if (!cma_slots_read(&now) || !filled_map(&b->filled, filled_size(b->want), 1))
		return ktap_fail("slots or memory: %s", strerror(errno));
	pfns = filled_pfns(&b->filled);
	if (!pfns)
		return ktap_fail("/proc/self/pagemap: %s", strerror(errno));
	b->size = now.slot[0].size / b->filled.page;
	from = b->first + 2 * STEP;
	to = b->first + STEP + b->size;
	b->pfn = to;
	for (size_t i = 0; i < b->filled.pages; i++) {
		if (pfns[i] < from || pfns[i] >= b->pfn)
			continue;
		b->pfn = pfns[i];
		b->page = i;
	}
	free(pfns);
	if (b->pfn == to)
		return ktap_fail("no page of ours in %#lx to %#lx: want more", from, to - 1);
	ktap_note("page %zu, pfn %#lx", b->page, b->pfn);

	return KTAP_OK;
}

/* #endregion busy-chooses-page */

/* #region busy-pfn-now */
/* The page frame number of our page as it is now; 0 if that cannot be told. */
static unsigned long pfn_now(const struct busy *b)
{
	uint64_t *pfns = filled_pfns(&b->filled);
	unsigned long pfn = pfns ? pfns[b->page] : 0;

	free(pfns);
	return pfn;
}

/* #endregion busy-pfn-now */

/* #region busy-takes */
/* Let the other process take; keep the trace. Return: the place it got, 0 for none. */
static unsigned long take(struct busy *b, int *error)
{
	struct cma_slots now;

	trace_log_clear();
	*error = taker_takes(&b->taker);
	b->count = trace_log_read(b->events, MAX_EVENTS);
	if (*error || !cma_slots_read(&now))
		return 0;

	return now.slot[0].address / b->filled.page;
}

/* #endregion busy-takes */

/* #region busy-page-holds */
static enum ktap_result test_pipe_holds(void *busy)
{
	struct busy *b = busy;
	unsigned char *bytes = b->filled.bytes + b->page * b->filled.page;
	const struct iovec one = { bytes, b->filled.page };
	unsigned long place, expected, pfn;
	int error;

	if (pipe2(b->pipe, O_CLOEXEC | O_NONBLOCK))
		return ktap_fail("pipe: %s", strerror(errno));
	if (vmsplice(b->pipe[1], &one, 1, 0) != (ssize_t)b->filled.page)
		return ktap_fail("vmsplice: %s", strerror(errno));
	expected = b->first + ((b->pfn - b->first) / STEP + 1) * STEP;
	place = take(b, &error);
	if (error)
		return ktap_fail("taking: %s", strerrorname_np(error));
	if (place != expected)
		return ktap_fail("taken from pfn %#lx, expected %#lx", place, expected);
	ktap_note("taken from pfn %#lx, behind the page", place);
	pfn = pfn_now(b);

	return pfn == b->pfn ? KTAP_OK : ktap_fail("the page moved to %#lx", pfn);
}

/* #endregion busy-page-holds */

/* #region busy-trace */
/*
 * Each place up to the page was tried and found busy because of this one page:
 * test_pages_isolated names it, cma_alloc_busy_retry names the place.
 */
static enum ktap_result test_trace_names_it(void *busy)
{
	struct busy *b = busy;
	unsigned long place = b->first + STEP, tries = (b->pfn - b->first) / STEP;
	unsigned long failed = 0, retries = 0;

	for (long i = 0; i < b->count; i++) {
		const struct trace_event *event = &b->events[i];

		if (!strcmp(event->name, "test_pages_isolated") &&
		    strstr(event->fields, "ret=fail")) {
			if (trace_field(event, "fin_pfn", 0) != b->pfn)
				return ktap_fail("%s: %s", event->name, event->fields);
			failed++;
		}
		if (strcmp(event->name, "cma_alloc_busy_retry"))
			continue;
		if (trace_field(event, "pfn", 0) != place + retries * STEP)
			return ktap_fail("retry %lu: %s", retries, event->fields);
		if (++retries != failed)
			return ktap_fail("a retry without its test_pages_isolated");
	}
	ktap_note("%lu places were busy, each with fin_pfn=%#lx", retries, b->pfn);
	if (b->count < 0 || retries != tries || failed != tries)
		return ktap_fail("expected %lu", tries);

	return KTAP_OK;
}

/* #endregion busy-trace */

/* #region busy-drained */
/* What the pipe holds is the page itself, so it must hold what we wrote. */
static enum ktap_result test_pipe_gives(void *busy)
{
	struct busy *b = busy;
	const unsigned char *bytes = b->filled.bytes + b->page * b->filled.page;
	unsigned char copy[b->filled.page];
	int error = taker_gives(&b->taker);

	if (error)
		return ktap_fail("giving back: %s", strerrorname_np(error));
	if (read(b->pipe[0], copy, sizeof(copy)) != (ssize_t)sizeof(copy))
		return ktap_fail("the pipe: %s", strerror(errno));
	if (memcmp(copy, bytes, sizeof(copy)))
		return ktap_fail("the pipe had another page");

	return KTAP_OK;
}

/* #endregion busy-drained */

/* #region busy-first-place */
static enum ktap_result test_first_place(void *busy)
{
	struct busy *b = busy;
	unsigned long place, pfn;
	int error;

	place = take(b, &error);
	if (error)
		return ktap_fail("taking: %s", strerrorname_np(error));
	if (place != b->first + STEP)
		return ktap_fail("taken from pfn %#lx, expected %#lx", place, b->first + STEP);
	for (long i = 0; i < b->count; i++)
		if (!strcmp(b->events[i].name, "cma_alloc_busy_retry"))
			return ktap_fail("still busy: %s", b->events[i].fields);
	pfn = pfn_now(b);
	ktap_note("%#lx -> %#lx", b->pfn, pfn);
	if (pfn >= place && pfn < place + b->size)
		return ktap_fail("the page is inside what was taken");

	return KTAP_OK;
}

/* #endregion busy-first-place */

/* #region busy-contents */
static enum ktap_result test_contents_stay(void *busy)
{
	struct busy *b = busy;
	ssize_t wrong = filled_differs(&b->filled, 1);
	int error = taker_gives(&b->taker);

	if (wrong >= 0)
		return ktap_fail("page %zd does not hold what was written", wrong);

	return error ? ktap_fail("giving back: %s", strerrorname_np(error)) : KTAP_OK;
}

/* #endregion busy-contents */

/* #region busy-page-table */
static const struct ktap_test tests[] = {
	{ "chooses-page", test_chooses_page },
	{ "pipe-holds", test_pipe_holds },
	{ "trace-names-it", test_trace_names_it },
	{ "pipe-gives", test_pipe_gives },
	{ "first-place", test_first_place },
	{ "contents-stay", test_contents_stay },
};

/* #endregion busy-page-table */

/* #region busy-page-arguments */
static bool arguments(struct busy *b, int argc, char **argv)
{
	static const struct option options[] = {
		{ "area", required_argument, NULL, 'a' },
		{ "want", required_argument, NULL, 'w' },
		{ 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?' || (option == 'a' && !area_parse(optarg, &b->area)))
			return false;
		if (option == 'w')
			b->want = strtoul(optarg, NULL, 0) << 20;
	}
	b->path = argv[optind];
	b->first = b->area.base / sysconf(_SC_PAGESIZE);

	return b->area.size && b->want && optind == argc - 1;
}

/* #endregion busy-page-arguments */

/* #region busy-page-main */
int main(int argc, char **argv)
{
	static struct busy b;
	int failed;

	if (!arguments(&b, argc, argv)) {
		fprintf(stderr, "usage: %s --area BASE,SIZE --want MIB DEVICE\n", argv[0]);
		return 2;
	}
	if (access(b.path, R_OK | W_OK) || !taker_start(&b.taker, b.path)) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", b.path, strerror(errno));
		return 2;
	}
	if (!trace_log_open() || !trace_log_enable("cma") ||
	    !trace_log_enable("page_isolation/test_pages_isolated")) {
		fprintf(stderr, "tracing: %s; is tracefs mounted?\n", strerror(errno));
		return 2;
	}
	failed = ktap_run(tests, sizeof(tests) / sizeof(*tests), &b);
	asked_stop(&b.taker);
	trace_log_close();

	return failed ? 1 : 0;
}

/* #endregion busy-page-main */
