// SPDX-License-Identifier: GPL-2.0-only
/*
 * choosing_pins LOOPS DEVICE
 *
 * Takes a CMA area whole, as buffers of 1 MiB, again and again, while now and then
 * one page in it is pinned: how often does it fail? And how often when one buffer
 * less is asked for? DEVICE: /dev/cma_mem. Reports in KTAP. Exit status: 0 when no
 * test failed, 1 when one did.
 */

/* #region pins-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cma_mem.h"
#include "ktap.h"
#include "memory_files.h"
#include "pagemap.h"
/* #endregion pins-includes */

/* #region pins-types */
#define MIB (1024 * 1024UL)
#define MAX_BUFFERS 256
#define SELDOM 19		/* one loop in so many meets a pinned page */

/**
 * struct pins - the experiment
 * @device: /dev/cma_mem
 * @loops: how often the area is taken
 * @buffers: how many buffers it holds when nobody is in it
 * @first: pfn of its first buffer
 * @filled: memory that the program uses up, so that new pages come from the area
 * @pipe: where a page is pinned
 * @dice: state of the numbers drawn
 */
struct pins {
	const char *device;
	int loops, buffers;
	uint64_t first;
	struct filled filled;
	int pipe[2];
	uint32_t dice;
};

/* #endregion pins-types */

/* #region pins-take */
/* One buffer. Return: its file, or -1 with errno; @place is its address. */
static int take(const char *device, uint64_t *place)
{
	struct cma_mem_allocate wish = { .size = MIB };
	struct cma_mem_phys phys = { 0 };
	int fd = open(device, O_RDWR | O_CLOEXEC);

	if (ioctl(fd, CMA_MEM_ALLOCATE, &wish) || ioctl(fd, CMA_MEM_GET_PHYS, &phys)) {
		close(fd);
		return -1;
	}
	*place = phys.address;

	return fd;
}

/* #endregion pins-take */

/* #region pins-take-all */
/* Take @want buffers and give them back. Return: how often CMA had none. */
static long take_all(const char *device, int want, uint64_t places[MAX_BUFFERS])
{
	long failed = read_number("/proc/vmstat", "cma_alloc_fail");
	int fds[MAX_BUFFERS], count = 0;

	while (count < want) {
		fds[count] = take(device, &places[count]);
		if (fds[count] < 0)
			break;
		count++;
	}
	failed = read_number("/proc/vmstat", "cma_alloc_fail") - failed;
	for (int i = 0; i < count; i++)
		close(fds[i]);

	return failed;
}

/* #endregion pins-take-all */

/* #region pins-pin */
/*
 * Pin a fresh page of the area: what a pipe holds by vmsplice() cannot move.
 * Return: the page, NULL if no page of the area was to be had.
 */
static void *pin(const struct pins *p)
{
	uint64_t end = p->first + p->buffers * MIB / p->filled.page;

	for (int tries = 0; tries < 1000; tries++) {
		struct filled one;
		struct iovec bytes;
		uint64_t *pfn;
		bool there;

		if (!filled_map(&one, p->filled.page, 1))
			return NULL;
		pfn = filled_pfns(&one);
		there = pfn && *pfn >= p->first && *pfn < end;
		free(pfn);
		bytes = (struct iovec){ one.bytes, one.page };
		if (there && vmsplice(p->pipe[1], &bytes, 1, 0) == (ssize_t)one.page)
			return one.bytes;
		/* Keep the page that is elsewhere, so that the next is another one. */
	}

	return NULL;
}

/* #endregion pins-pin */

/* #region pins-unpin */
static void unpin(const struct pins *p, void *page)
{
	unsigned char copy[p->filled.page];

	if (read(p->pipe[0], copy, sizeof(copy)) == (ssize_t)sizeof(copy))
		munmap(page, p->filled.page);
}

/* #endregion pins-unpin */

/* #region test-quiet */
/* Nobody pins: the area can be taken whole each time. */
static enum ktap_result test_quiet(void *context)
{
	struct pins *p = context;
	uint64_t places[MAX_BUFFERS];

	if (take_all(p->device, 1, places))
		return ktap_fail("there is no area");
	p->first = places[0] / sysconf(_SC_PAGESIZE);
	p->buffers = read_number("/proc/meminfo", "CmaTotal:") / 1024 - 1;
	if (p->buffers > MAX_BUFFERS)
		return ktap_fail("the area has %d MiB, more than %d", p->buffers, MAX_BUFFERS);
	if (!filled_map(&p->filled, filled_size(8 * MIB), 0))
		return ktap_fail("filling memory: %s", strerror(errno));
	for (int i = 0; i < p->loops / 4; i++) {
		if (take_all(p->device, p->buffers, places))
			return ktap_fail("loop %d failed, and nobody pinned a page", i);
	}
	ktap_note("%d loops of %d buffers, none failed", p->loops / 4, p->buffers);

	return KTAP_OK;
}

/* #endregion test-quiet */

/* #region pins-drawn */
/* One loop in SELDOM by lot; the third always, so that there is one. */
static bool drawn(struct pins *p, int loop)
{
	p->dice = p->dice * 1664525 + 1013904223;
	return loop == 2 || (p->dice >> 8) % SELDOM == 0;
}

/* #endregion pins-drawn */

/* #region pins-loops */
/* Loops of @want buffers. Return: how many failed, -1 after ktap_fail(). */
static int loops(struct pins *p, int want, int *pinned)
{
	int failed = 0;

	*pinned = 0;
	for (int i = 0; i < p->loops; i++) {
		void *page = drawn(p, i) ? pin(p) : NULL;
		uint64_t places[MAX_BUFFERS];
		bool fails = take_all(p->device, want, places);

		if (fails && !page) {
			ktap_fail("loop %d failed, and nobody pinned a page", i);
			return -1;
		}
		*pinned += page ? 1 : 0;
		failed += fails;
		if (page)
			unpin(p, page);
	}

	return failed;
}

/* #endregion pins-loops */

/* #region test-pinned */
/* All of it, or nothing: one page is one buffer less, and one loop that fails. */
static enum ktap_result test_pinned(void *context)
{
	struct pins *p = context;
	int pinned, failed = loops(p, p->buffers, &pinned);

	if (failed < 0)
		return KTAP_FAIL;
	ktap_note("%d of %d loops failed: %.1f %%", failed, p->loops, 100.0 * failed / p->loops);

	return pinned && failed == pinned ? KTAP_OK :
	       ktap_fail("a page was pinned in %d loops", pinned);
}

/* The same with one buffer to spare. */
static enum ktap_result test_spare(void *context)
{
	struct pins *p = context;
	int pinned, failed = loops(p, p->buffers - 1, &pinned);

	if (failed < 0)
		return KTAP_FAIL;
	ktap_note("a page was pinned in %d of %d loops, %d failed", pinned, p->loops, failed);

	return pinned && !failed ? KTAP_OK : ktap_fail("with a buffer to spare");
}

/* #endregion test-pinned */

/* #region pins-main */
static const struct ktap_test tests[] = {
	{ "quiet", test_quiet },
	{ "pinned", test_pinned },
	{ "spare", test_spare },
};

int main(int argc, char **argv)
{
	static struct pins p = { .dice = 1 };

	if (argc == 3)
		p.loops = atoi(argv[1]);
	if (p.loops < 4) {
		fprintf(stderr, "usage: %s LOOPS DEVICE, at least 4 loops\n", argv[0]);
		return 2;
	}
	p.device = argv[2];
	if (pipe2(p.pipe, O_CLOEXEC | O_NONBLOCK)) {
		fprintf(stderr, "pipe: %s\n", strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &p) ? 1 : 0;
}

/* #endregion pins-main */
