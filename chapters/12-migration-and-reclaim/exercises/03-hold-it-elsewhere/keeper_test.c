// SPDX-License-Identifier: GPL-2.0-only
/*
 * keeper_test BASE,SIZE: fills memory until 8 MiB of it lie in
 * the CMA area, lets /dev/keeper hold a page of that, and lets another process take
 * from the area through /dev/cma_test.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cma_slots.h"
#include "ktap.h"
#include "pagemap.h"
#include "proc_value.h"
#include "taker.h"

#define DEVICE "/dev/cma_test"
#define KEEPER "/dev/keeper"
#define STEP 256	/* pages from one place that is tried to the next */
#define WANT ((size_t)8 << 20)

struct test {
	struct asked taker;
	struct area area;
	unsigned long first, size;
	struct filled filled;
	size_t page;
	unsigned long pfn;
	int keeper;
	long long acquired, released;
};

static unsigned long pfn_now(const struct test *t)
{
	uint64_t *pfns = filled_pfns(&t->filled);
	unsigned long pfn = pfns ? pfns[t->page] : 0;

	free(pfns);
	return pfn;
}

/* The lowest of our pages that lies in the first two places that will be tried. */
static enum ktap_result test_page_in_area(void *test)
{
	struct test *t = test;
	struct cma_slots now;
	unsigned long from, to;
	uint64_t *pfns;

	if (!cma_slots_read(&now) || !filled_map(&t->filled, filled_size(WANT), 1))
		return ktap_fail("slots or memory: %s", strerror(errno));
	pfns = filled_pfns(&t->filled);
	if (!pfns)
		return ktap_fail("/proc/self/pagemap: %s", strerror(errno));
	t->first = t->area.base / t->filled.page;
	t->size = now.slot[0].size / t->filled.page;
	from = t->first + 2 * STEP;
	to = t->first + STEP + t->size;
	t->pfn = to;
	for (size_t i = 0; i < t->filled.pages; i++) {
		if (pfns[i] < from || pfns[i] >= t->pfn)
			continue;
		t->pfn = pfns[i];
		t->page = i;
	}
	free(pfns);

	return t->pfn == to ? ktap_fail("no page of ours in %#lx to %#lx", from, to - 1) : KTAP_OK;
}

static enum ktap_result test_kept(void *test)
{
	struct test *t = test;
	unsigned char *bytes = t->filled.bytes + t->page * t->filled.page;

	proc_refresh();
	t->acquired = proc_value("/proc/vmstat", "nr_foll_pin_acquired");
	t->released = proc_value("/proc/vmstat", "nr_foll_pin_released");
	t->keeper = open(KEEPER, O_RDWR | O_CLOEXEC);
	if (t->keeper < 0 || write(t->keeper, bytes, 1) != 1)
		return ktap_fail("%s: %s", KEEPER, strerror(errno));
	ktap_note("pfn %#lx, and held at %#lx", t->pfn, pfn_now(t));

	return KTAP_OK;
}

/* What the program writes from now on the device must see. */
static enum ktap_result test_same_page(void *test)
{
	struct test *t = test;
	uint64_t *word = (uint64_t *)(t->filled.bytes + t->page * t->filled.page);
	uint64_t seen = 0;

	filled_write(&t->filled, t->page, 2);
	if (read(t->keeper, &seen, sizeof(seen)) != sizeof(seen))
		return ktap_fail("%s: %s", KEEPER, strerror(errno));

	if (seen != *word)
		return ktap_fail("the program writes, and the device sees old bytes");

	return KTAP_OK;
}

static enum ktap_result test_first_place(void *test)
{
	struct test *t = test;
	int error = taker_takes(&t->taker);
	struct cma_slots now;
	unsigned long place;

	if (error || !cma_slots_read(&now))
		return ktap_fail("taking: %s", strerrorname_np(error ?: errno));
	place = now.slot[0].address / t->filled.page;
	taker_gives(&t->taker);
	if (place != t->first + STEP)
		return ktap_fail("taken from pfn %#lx, expected %#lx", place, t->first + STEP);

	return KTAP_OK;
}

static enum ktap_result test_pinned(void *test)
{
	struct test *t = test;

	proc_refresh();
	if (proc_value("/proc/vmstat", "nr_foll_pin_acquired") == t->acquired)
		return ktap_fail("no pin was taken");

	return KTAP_OK;
}

static enum ktap_result test_let_go(void *test)
{
	struct test *t = test;
	long long acquired, released;

	close(t->keeper);
	proc_refresh();
	acquired = proc_value("/proc/vmstat", "nr_foll_pin_acquired") - t->acquired;
	released = proc_value("/proc/vmstat", "nr_foll_pin_released") - t->released;
	if (acquired != released)
		return ktap_fail("%lld pins taken, %lld given back", acquired, released);

	return KTAP_OK;
}

static const struct ktap_test tests[] = {
	{ "page-in-area", test_page_in_area },
	{ "kept", test_kept },
	{ "same-page", test_same_page },
	{ "pinned", test_pinned },
	{ "first-place", test_first_place },
	{ "let-go", test_let_go },
};

int main(int argc, char **argv)
{
	static struct test t;

	if (argc != 2 || !area_parse(argv[1], &t.area)) {
		fprintf(stderr, "usage: %s BASE,SIZE\n", argv[0]);
		return 2;
	}
	if (!taker_start(&t.taker, DEVICE)) {
		fprintf(stderr, "%s: %s\n", DEVICE, strerror(errno));
		return 2;
	}
	t.keeper = -1;
	argc = ktap_run(tests, sizeof(tests) / sizeof(*tests), &t);
	asked_stop(&t.taker);

	return argc ? 1 : 0;
}
