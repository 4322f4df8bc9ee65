// SPDX-License-Identifier: GPL-2.0-only
/*
 * buddy_lists --half MIB | --spared MIB
 *
 * Looks at free lists, page blocks and watermarks while memory is taken and given
 * back. Reports in KTAP. Exit status: 0 when no test failed, 1 when one did.
 *
 * MIB of this program's own memory are touched. --half: CMA is most of
 * what is free, and has to give first. --spared: CMA is less than half of what
 * stays free, and must not be touched.
 */

/* #region buddy-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"
/* #endregion buddy-includes */

/* #region buddy-types */
#define MIB (1024 * 1024UL)
#define PIPES 96
#define SYSCTL "/proc/sys/vm/"

struct lists {
	long page;			/* bytes */
	struct zone zones[MAX_ZONES];
	int zone_count;
	bool half;
	unsigned long fill;		/* MiB */
};

/* One number in a file of /proc/sys/vm. */
static bool write_sysctl(const char *name, long value)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), SYSCTL "%s", name);
	file = fopen(path, "we");
	return file && fprintf(file, "%ld", value) > 0 && !fclose(file);
}

/* #endregion buddy-types */

/* #region buddy-sysctl */
static long read_sysctl(const char *name)
{
	char path[64];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), SYSCTL "%s", name);
	file = fopen(path, "re");
	if (file && fscanf(file, "%ld", &value) != 1)
		value = -1;
	if (file)
		fclose(file);

	return value;
}

/* #endregion buddy-sysctl */

/* #region buddy-compare-lists */
/* Whether three files say the same of a zone; if not, what differs. */
static const char *compare_lists(const struct zone *zone)
{
	static char text[128];
	struct page_types types;
	unsigned long pages = 0, blocks[MAX_ORDERS];
	int orders = read_buddyinfo(zone->name, blocks);

	if (!orders || !read_page_types(zone->name, &types) || types.orders != orders)
		return "the files have different orders";
	for (int order = 0; order < orders; order++) {
		unsigned long sum = 0;

		for (int type = 0; type < types.types; type++)
			sum += types.free[type][order];
		if (sum != blocks[order]) {
			snprintf(text, sizeof(text), "order %d: %lu blocks, %lu of all types",
				 order, blocks[order], sum);
			return text;
		}
		pages += blocks[order] << order;
	}
	snprintf(text, sizeof(text), "%lu pages in the lists, %lu free", pages, zone->free);

	return pages == zone->free ? NULL : text;
}

/* #endregion buddy-compare-lists */

/* #region test-lists-agree */
/*
 * /proc/zoneinfo counts free pages, /proc/buddyinfo free blocks by order, and
 * /proc/pagetypeinfo those of each type. The files are read one after another,
 * so it may take some tries until nobody allocates in between.
 */
static enum ktap_result test_lists_agree(void *context)
{
	struct lists *l = context;
	const char *wrong = "not read";

	for (int attempt = 0; wrong && attempt < 100; attempt++) {
		usleep(attempt * 1000);
		if (!refresh_counters())
			return ktap_fail("stat_refresh: %s", strerror(errno));
		l->zone_count = read_zones(l->zones);
		wrong = l->zone_count ? NULL : "no zones";
		for (int i = 0; !wrong && i < l->zone_count; i++)
			wrong = compare_lists(&l->zones[i]);
	}

	return wrong ? ktap_fail("%s", wrong) : KTAP_OK;
}

/* #endregion test-lists-agree */

/* #region test-blocks-tile */
/* Each page block of a zone has one type. */
static enum ktap_result test_blocks_tile(void *context)
{
	const struct lists *l = context;

	for (int i = 0; i < l->zone_count; i++) {
		const struct zone *zone = &l->zones[i];
		unsigned long size, sum = 0;
		struct page_types types;

		if (!read_page_types(zone->name, &types))
			return ktap_fail("/proc/pagetypeinfo: %s", strerror(errno));
		size = 1UL << types.block_order;
		for (int type = 0; type < types.types; type++)
			sum += types.blocks[type];
		if (sum != (zone->spanned + size - 1) / size)
			return ktap_fail("zone %s: %lu blocks of %lu in %lu pages", zone->name,
					 sum, size, zone->spanned);
		if (types.blocks[type_of(&types, "CMA")] * size != zone->cma)
			return ktap_fail("zone %s: its blocks of type CMA are not its CMA pages",
					 zone->name);
		ktap_note("zone %s: %lu blocks of %lu pages", zone->name, sum, size);
	}

	return KTAP_OK;
}

/* #endregion test-blocks-tile */

/* #region buddy-watermarks */
static bool is_highmem(const struct zone *zone)
{
	return !strcmp(zone->name, "HighMem") || !strcmp(zone->name, "Movable");
}

/* The watermarks that follow from min_free_kbytes, as mm/page_alloc.c has it. */
static void expect_watermarks(const struct lists *l, const struct zone *zone,
			      struct zone *expect)
{
	unsigned long long lowmem = 0, share, delta;
	unsigned long pages_min = read_sysctl("min_free_kbytes") / (l->page >> 10);

	for (int i = 0; i < l->zone_count; i++)
		lowmem += is_highmem(&l->zones[i]) ? 0 : l->zones[i].managed;
	share = (unsigned long long)pages_min * zone->managed / lowmem;
	delta = (unsigned long long)zone->managed * read_sysctl("watermark_scale_factor") / 10000;
	if (delta < share / 4)
		delta = share / 4;
	expect->min = share;
	if (is_highmem(zone)) {
		expect->min = zone->managed / 1024;
		expect->min = expect->min < 32 ? 32 : expect->min > 128 ? 128 : expect->min;
	}
	expect->low = expect->min + delta;
	expect->high = expect->low + delta;
}

/* #endregion buddy-watermarks */

/* #region buddy-check-watermarks */
static enum ktap_result check_watermarks(struct lists *l)
{
	long kbytes = read_sysctl("min_free_kbytes");

	l->zone_count = read_zones(l->zones);
	for (int i = 0; i < l->zone_count; i++) {
		const struct zone *zone = &l->zones[i];
		struct zone expect;

		expect_watermarks(l, zone, &expect);
		if (zone->min != expect.min || zone->low != expect.low || zone->high != expect.high)
			return ktap_fail("zone %s: %lu %lu %lu, expected %lu %lu %lu (%ld kB)",
					 zone->name, zone->min, zone->low, zone->high, expect.min,
					 expect.low, expect.high, kbytes);
		ktap_note("%ld kB: zone %s %lu %lu %lu of %lu", kbytes, zone->name, zone->min,
			  zone->low, zone->high, zone->managed);
	}

	return KTAP_OK;
}

/* #endregion buddy-check-watermarks */

/* #region test-watermarks */
/* As they are, where a quarter of a share decides, and where the scale factor does. */
static enum ktap_result test_watermarks(void *context)
{
	long before = read_sysctl("min_free_kbytes");
	enum ktap_result result = check_watermarks(context);

	for (long kbytes = 1024; result == KTAP_OK && kbytes <= 16384; kbytes *= 4) {
		if (!write_sysctl("min_free_kbytes", kbytes))
			return ktap_fail("min_free_kbytes: %s", strerror(errno));
		result = check_watermarks(context);
	}
	if (!write_sysctl("min_free_kbytes", before))
		return ktap_fail("min_free_kbytes: %s", strerror(errno));

	return result;
}

/* #endregion test-watermarks */

/* #region buddy-pipes */
/* Pages in pipes cannot be moved: @count pipes of 1 MiB, filled. */
static bool fill_pipes(int (*pipes)[2], int count)
{
	static char data[65536];

	for (int i = 0; i < count; i++) {
		if (pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK) ||
		    fcntl(pipes[i][1], F_SETPIPE_SZ, MIB) < (int)MIB)
			return false;
		for (size_t done = 0; done < MIB; done += sizeof(data)) {
			if (write(pipes[i][1], data, sizeof(data)) != sizeof(data))
				return false;
		}
	}

	return true;
}

static void close_pipes(int (*pipes)[2], int count)
{
	for (int i = 0; i < count; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

/* #endregion buddy-pipes */

/* #region buddy-count-blocks */
struct counts {
	long cma_free;		/* KiB */
	long unmovable, movable, cma;	/* page blocks */
	long block_kib;
};

/* Page blocks of three types, in all zones. */
static bool count_blocks(const struct lists *l, struct counts *c)
{
	memset(c, 0, sizeof(*c));
	c->cma_free = read_number("/proc/meminfo", "CmaFree:");
	for (int i = 0; i < l->zone_count; i++) {
		struct page_types types;

		if (!read_page_types(l->zones[i].name, &types))
			return false;
		c->unmovable += types.blocks[type_of(&types, "Unmovable")];
		c->movable += types.blocks[type_of(&types, "Movable")];
		c->cma += types.blocks[type_of(&types, "CMA")];
		c->block_kib = (l->page >> 10) << types.block_order;
	}

	return c->cma_free >= 0;
}

/* #endregion buddy-count-blocks */

/* #region test-unmovable-stays-out */
/*
 * Memory that cannot move turns blocks of movable memory into its own, and never
 * one of CMA. When it is given back the blocks keep their new type.
 */
static enum ktap_result test_unmovable_stays_out(void *context)
{
	static int pipes[PIPES][2];
	struct counts before, full, after;
	const struct lists *l = context;
	long blocks;

	if (!count_blocks(l, &before) || !fill_pipes(pipes, PIPES) || !count_blocks(l, &full))
		return ktap_fail("%d pipes of 1 MiB: %s", PIPES, strerror(errno));
	close_pipes(pipes, PIPES);
	if (!count_blocks(l, &after))
		return ktap_fail("/proc/pagetypeinfo: %s", strerror(errno));
	/* Some of it fits where unmovable memory was before: half of it must be new. */
	blocks = PIPES * 1024 / before.block_kib / 2;
	ktap_note("unmovable blocks: %ld, then %ld, then %ld", before.unmovable, full.unmovable,
		  after.unmovable);
	if (full.unmovable < before.unmovable + blocks || full.movable > before.movable - blocks)
		return ktap_fail("%ld movable blocks before, %ld after", before.movable,
				 full.movable);
	if (full.cma != before.cma || after.cma != before.cma)
		return ktap_fail("blocks of type CMA: %ld, then %ld", before.cma, full.cma);
	if (full.cma_free < before.cma_free - 1024)
		return ktap_fail("CmaFree fell from %ld to %ld kB", before.cma_free,
				 full.cma_free);

	return after.unmovable == full.unmovable ? KTAP_OK : ktap_fail("blocks changed back");
}

/* #endregion test-unmovable-stays-out */

/* #region buddy-fill */
/* Memory of this program, in small pages; NULL with errno. */
static char *map_small_pages(size_t size)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	/* A kernel without huge pages has no such advice. */
	if (madvise(memory, size, MADV_NOHUGEPAGE) && errno != EINVAL)
		return NULL;

	return memory;
}

static void touch(const struct lists *l, char *memory, size_t size)
{
	for (size_t at = 0; at < size; at += l->page)
		memory[at] = 1;
}

/* #endregion buddy-fill */

/* #region buddy-free-now */
struct free_now {
	long all, cma;		/* KiB */
};

static struct free_now free_now(void)
{
	return (struct free_now){
		.all = read_number("/proc/meminfo", "MemFree:"),
		.cma = read_number("/proc/meminfo", "CmaFree:"),
	};
}

/* #endregion buddy-free-now */

/* #region buddy-check-half-step */
/* Free pages that a list of a CPU holds are in no count: so far may numbers differ. */
#define SLACK_KIB 5120

/* Since @before; @was: a step ago. */
static enum ktap_result check_half(struct free_now before, struct free_now was,
				   struct free_now now)
{
	long taken = before.all - now.all, given = before.cma - now.cma;

	if (was.cma > was.all / 2 + SLACK_KIB && given < taken - SLACK_KIB)
		return ktap_fail("%ld kB taken, %ld of CMA, though it is most", taken, given);
	if (now.cma < now.all / 2 - SLACK_KIB)
		return ktap_fail("%ld kB free, %ld in CMA: it gave more than its half", now.all,
				 now.cma);

	return KTAP_OK;
}

/* #endregion buddy-check-half-step */

/* #region test-half-rule */
/*
 * Step by step: while CMA is more than half of what is free, memory comes out of
 * CMA; from then on CMA stays half.
 */
static enum ktap_result test_half_rule(void *context)
{
	const struct lists *l = context;
	size_t step = 4 * MIB, size = l->fill * MIB;
	enum ktap_result result = KTAP_OK;
	char *memory = map_small_pages(size);
	struct free_now before = free_now(), was = before, now = before;

	if (!l->half)
		return ktap_skip("without --half");
	if (!memory)
		return ktap_fail("mmap of %lu MiB: %s", l->fill, strerror(errno));
	if (before.cma < before.all / 2 + 4 * SLACK_KIB)
		return ktap_fail("%ld kB free, %ld in CMA: no half", before.all, before.cma);
	for (size_t at = 0; result == KTAP_OK && at < size; at += step, was = now) {
		touch(l, memory + at, step);
		now = free_now();
		result = check_half(before, was, now);
	}
	ktap_note("%ld of %ld kB, then %ld of %ld", before.cma, before.all, now.cma, now.all);
	munmap(memory, size);
	if (result == KTAP_OK && labs(now.cma - now.all / 2) > SLACK_KIB)
		return ktap_fail("CMA is not half");

	return result;
}

/* #endregion test-half-rule */

/* #region test-spared */
/* Less than half of what is free: ordinary memory is taken first. */
static enum ktap_result test_spared(void *context)
{
	const struct lists *l = context;
	size_t size = l->fill * MIB;
	char *memory = map_small_pages(size);
	struct free_now before = free_now(), now;

	if (l->half)
		return ktap_skip("without --spared");
	if (!memory)
		return ktap_fail("mmap of %lu MiB: %s", l->fill, strerror(errno));
	touch(l, memory, size);
	now = free_now();
	ktap_note("%ld of %ld kB, then %ld of %ld", before.cma, before.all, now.cma, now.all);
	munmap(memory, size);
	if (before.all - now.all < (long)(l->fill * 1024) * 9 / 10)
		return ktap_fail("%lu MiB were touched, and %ld kB taken", l->fill,
				 before.all - now.all);

	return before.cma - now.cma < 1024 ? KTAP_OK : ktap_fail("CMA gave memory");
}

/* #endregion test-spared */

/* #region buddy-main */
static const struct ktap_test tests[] = {
	{ "lists-agree", test_lists_agree },
	{ "blocks-tile", test_blocks_tile },
	{ "watermarks", test_watermarks },
	{ "half-rule", test_half_rule },
	{ "spared", test_spared },
	/* Last: with fewer movable blocks CMA would have to give earlier. */
	{ "unmovable-stays-out", test_unmovable_stays_out },
};

int main(int argc, char **argv)
{
	static struct lists l;

	if (argc != 3 || (strcmp(argv[1], "--half") && strcmp(argv[1], "--spared")))
		return fprintf(stderr, "usage: %s --half MIB | --spared MIB\n", argv[0]), 2;
	l.half = !strcmp(argv[1], "--half");
	l.fill = strtoul(argv[2], NULL, 10);
	l.page = sysconf(_SC_PAGESIZE);

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &l) ? 1 : 0;
}

/* #endregion buddy-main */
