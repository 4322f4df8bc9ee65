// SPDX-License-Identifier: GPL-2.0-only
/*
 * choosing_figures DEVICE
 *
 * Two figures from the literature, as ratios: what a taken piece of CMA costs by
 * how many pages of a program lie in it, and what it costs when these pages need
 * not be moved but can be dropped. DEVICE: /dev/cma_mem. Reports in KTAP; times are
 * notes. Exit status: 0 when no test failed, 1 when one did.
 */

/* #region figures-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cma_mem.h"
#include "ktap.h"
#include "memory_files.h"
#include "pagemap.h"
/* #endregion figures-includes */

/* #region figures-types */
#define MIB (1024 * 1024UL)
#define LENT (48 * MIB)		/* of CMA, to the pages of this program */
#define QUARTERS 4
#define ROUNDS 2
#define TEN_MIB 2560L		/* pages */
#define MOST (TEN_MIB * 9 / 10)

/**
 * struct taking - one buffer taken from the area while somebody lives there
 * @ns: nanoseconds that it took
 * @moved: pages copied elsewhere for it
 * @dropped: pages that were let go of instead
 */
struct taking {
	long long ns;
	long moved, dropped;
};

/* #endregion figures-types */

/* #region figures-take */
static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Take @size bytes, and give them back. Return: where they were; 0 with errno. */
static uint64_t take(const char *device, size_t size, struct taking *t)
{
	struct cma_mem_allocate wish = { .size = size };
	struct cma_mem_phys place = { 0 };
	int fd = open(device, O_RDWR | O_CLOEXEC);

	t->moved = -read_number("/proc/vmstat", "pgmigrate_success");
	t->dropped = -read_number("/proc/vmstat", "pglazyfreed");
	t->ns = -now_ns();
	if (fd < 0 || ioctl(fd, CMA_MEM_ALLOCATE, &wish))
		return 0;
	t->ns += now_ns();
	t->moved += read_number("/proc/vmstat", "pgmigrate_success");
	t->dropped += read_number("/proc/vmstat", "pglazyfreed");
	if (ioctl(fd, CMA_MEM_GET_PHYS, &place))
		return 0;
	close(fd);

	return place.address;
}

/* #endregion figures-take */

/* #region figures-thin-out */
/*
 * Keep @quarters of every four pages between pfns @first and @end, and give the
 * others back. Return: how many stay, -1 with errno.
 */
static long thin_out(const struct filled *f, uint64_t first, uint64_t end, unsigned int quarters)
{
	uint64_t *pfns = filled_pfns(f);
	long stay = 0;

	if (!pfns)
		return -1;
	for (size_t i = 0; i < f->pages; i++) {
		if (pfns[i] < first || pfns[i] >= end)
			continue;
		if (pfns[i] % QUARTERS < quarters)
			stay++;
		else if (madvise(f->bytes + i * f->page, f->page, MADV_DONTNEED))
			stay = -1;
		if (stay < 0)
			break;
	}
	free(pfns);

	return stay;
}

/* #endregion figures-thin-out */

/* #region figures-live-in */
/*
 * Fill memory so that @size bytes at the first place that fits are ours, but for a
 * tenth. Where a page lies is the kernel's choice: it gives out first what was
 * freed last, mostly. Return: the place, 0 with errno.
 */
static uint64_t live_in(const char *device, size_t size, struct filled *f)
{
	for (int tries = 0; tries < 10; tries++) {
		struct taking t;
		uint64_t place = take(device, size, &t), pages;
		long ours;

		if (!place || !filled_map(f, filled_size(LENT), 0))
			return 0;
		pages = size / f->page;
		ours = thin_out(f, place / f->page, place / f->page + pages, QUARTERS);
		if (ours >= (long)pages * 9 / 10)
			return place;
		munmap(f->bytes, f->pages * f->page);
	}
	errno = EAGAIN;

	return 0;
}

/* #endregion figures-live-in */

/* #region figures-occupied-once */
/* 16 MiB of which @quarters fourths are ours. Return: NULL, or what went wrong. */
static const char *occupied_once(const char *device, unsigned int quarters, struct taking *t)
{
	struct filled f;
	uint64_t place = live_in(device, 16 * MIB, &f), first;
	long stay;

	if (!place)
		return strerror(errno);
	first = place / f.page;
	stay = thin_out(&f, first, first + 16 * MIB / f.page, quarters);
	if (stay < 0)
		return strerror(errno);
	if (take(device, 16 * MIB, t) != place)
		return "it came from another place";
	munmap(f.bytes, f.pages * f.page);

	return t->moved < stay ? "not every page of ours moved" : NULL;
}

/* #endregion figures-occupied-once */

/* #region test-occupied */
/* The price against the occupancy: it grows with the pages that are in the way. */
static enum ktap_result test_occupied(void *device)
{
	long long empty = 0, last = 0;

	for (unsigned int quarters = 0; quarters <= QUARTERS; quarters++) {
		struct taking best = { 0 };

		for (int round = 0; round < ROUNDS; round++) {
			struct taking t;
			const char *wrong = occupied_once(device, quarters, &t);

			if (wrong)
				return ktap_fail("%u/4 occupied: %s", quarters, wrong);
			if (!round || t.ns < best.ns)
				best = t;
		}
		empty = quarters ? empty : best.ns;
		last = best.ns;
		ktap_note("%u/4 occupied: %ld pages moved, %.1f times as long as empty",
			  quarters, best.moved, (double)best.ns / empty);
	}

	return last > empty ? KTAP_OK : ktap_fail("a full place cost less than an empty one");
}

/* #endregion test-occupied */

/* #region figures-given-up */
/*
 * 10 MiB full of our pages; with @given_up they are pages that we no longer want,
 * which the kernel keeps with the clean ones of files until it needs the memory.
 */
static const char *taken_from_us(const char *device, bool given_up, struct taking *t)
{
	struct filled f;
	uint64_t place = live_in(device, 10 * MIB, &f);

	if (!place || (given_up && madvise(f.bytes, f.pages * f.page, MADV_FREE)))
		return strerror(errno);
	if (take(device, 10 * MIB, t) != place)
		return "it came from another place";
	munmap(f.bytes, f.pages * f.page);

	return NULL;
}

/* #endregion figures-given-up */

/* #region test-dropped */
/* What can be dropped is not copied. */
static enum ktap_result test_dropped(void *device)
{
	struct taking best[3];		/* empty, moved, dropped */

	for (int round = 0; round < ROUNDS; round++) {
		struct taking t[3];
		const char *wrong = take(device, 10 * MIB, &t[0]) ? NULL : strerror(errno);

		for (int given_up = 0; given_up < 2 && !wrong; given_up++)
			wrong = taken_from_us(device, given_up, &t[1 + given_up]);
		if (wrong)
			return ktap_fail("%s", wrong);
		for (int i = 0; i < 3; i++)
			best[i] = !round || t[i].ns < best[i].ns ? t[i] : best[i];
	}
	ktap_note("10 MiB: %ld pages moved, %.1f times as long as empty", best[1].moved,
		  (double)best[1].ns / best[0].ns);
	ktap_note("10 MiB: %ld pages dropped and %ld moved, %.1f times as long", best[2].dropped,
		  best[2].moved, (double)best[2].ns / best[0].ns);
	if (best[1].moved < MOST || best[1].dropped)
		return ktap_fail("%ld pages were dropped", best[1].dropped);

	return best[2].dropped >= MOST ? KTAP_OK : ktap_fail("few pages were dropped");
}

/* #endregion test-dropped */

/* #region figures-main */
static const struct ktap_test tests[] = {
	{ "occupied", test_occupied },
	{ "dropped", test_dropped },
};

int main(int argc, char **argv)
{
	if (argc == 2)
		return ktap_run(tests, sizeof(tests) / sizeof(*tests), argv[1]) ? 1 : 0;

	fprintf(stderr, "usage: %s DEVICE\n", argv[0]);
	return 2;
}

/* #endregion figures-main */
