// SPDX-License-Identifier: MIT
//
// The page allocator of code/mm as of 6.12 in C, for speed to be measured against: the same structures (free lists by order
// and migratetype, linked through the pages), the same rules, the same sequence of requests as test/bench/buddy.ts. It prints
// the nanoseconds that the requests took and the sum of the pages that were given, which must be that of the model.
//
//     buddy MIB OPERATIONS
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_PAGE_ORDER 10
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)
#define PAGEBLOCK_ORDER 9
#define NR_ZONES 4
#define SLOTS 4096

enum migratetype { UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC, CMA, ISOLATE, MIGRATE_TYPES };
enum { PG_BUDDY = 1, PG_LRU = 2, PG_LOCKED = 4 };
enum { ALLOC_CMA = 0x80, ALLOC_RESERVES = 0x238 };

struct page {
	struct page *next, *prev;
	void *mapping;
	unsigned short flags;
	unsigned short refcount;
	unsigned short mapcount;
	unsigned short order;
};

struct free_area {
	struct page *head[MIGRATE_TYPES];
	struct page *tail[MIGRATE_TYPES];
	long nr_free[MIGRATE_TYPES];
};

struct zone {
	unsigned long start, end;
	long managed;
	long free_pages, free_cma;
	long min, low;
	long lowmem_reserve[NR_ZONES];
	long nr_reserved_highatomic;
	struct free_area area[NR_PAGE_ORDERS];
};

static struct page *mem_map;
static unsigned char *pageblock_flags;
static struct zone zones[NR_ZONES];
static unsigned long pgalloc, pgfree;

static inline unsigned long page_to_pfn(const struct page *page)
{
	return page - mem_map;
}

static void account(struct zone *zone, long nr, int type)
{
	if (type == ISOLATE)
		return;
	zone->free_pages += nr;
	if (type == CMA)
		zone->free_cma += nr;
}

static void add_to_free_list(struct page *page, struct zone *zone, int order, int type, bool tail)
{
	struct free_area *area = &zone->area[order];

	if (tail) {
		page->next = NULL;
		page->prev = area->tail[type];
		if (page->prev)
			page->prev->next = page;
		else
			area->head[type] = page;
		area->tail[type] = page;
	} else {
		page->prev = NULL;
		page->next = area->head[type];
		if (page->next)
			page->next->prev = page;
		else
			area->tail[type] = page;
		area->head[type] = page;
	}
	area->nr_free[type]++;
	page->flags = PG_BUDDY;
	page->order = order;
	page->mapcount = type;
}

static void del_page_from_free_list(struct page *page, struct zone *zone, int order)
{
	struct free_area *area = &zone->area[order];
	int type = page->mapcount;

	if (page->prev)
		page->prev->next = page->next;
	else
		area->head[type] = page->next;
	if (page->next)
		page->next->prev = page->prev;
	else
		area->tail[type] = page->prev;
	area->nr_free[type]--;
	page->flags = 0;
	page->order = 0;
	page->mapcount = 0;
}

static struct page *find_buddy(struct zone *zone, unsigned long pfn, int order)
{
	unsigned long buddy = pfn ^ (1UL << order);
	struct page *page = mem_map + buddy;

	if (buddy < zone->start || buddy >= zone->end)
		return NULL;
	return (page->flags & PG_BUDDY) && page->order == order ? page : NULL;
}

static void free_one_page(struct zone *zone, unsigned long pfn, int order, int type, bool tail)
{
	struct page *buddy;

	account(zone, 1L << order, type);
	while (order < MAX_PAGE_ORDER) {
		buddy = find_buddy(zone, pfn, order);
		if (!buddy)
			break;
		if (order >= PAGEBLOCK_ORDER) {
			unsigned long block = page_to_pfn(buddy) >> PAGEBLOCK_ORDER;
			int other = pageblock_flags[block];

			if (other != type) {
				if (other >= HIGHATOMIC || type >= HIGHATOMIC)
					break;
				pageblock_flags[block] = type;
			}
		}
		del_page_from_free_list(buddy, zone, order);
		pfn &= ~(1UL << order);
		order++;
	}
	if (!tail && order < MAX_PAGE_ORDER - 1)
		tail = find_buddy(zone, pfn & ~(1UL << order), order + 1);
	add_to_free_list(mem_map + pfn, zone, order, type, tail);
}

static struct zone *page_zone(unsigned long pfn)
{
	struct zone *zone = zones;

	while (pfn >= zone->end || pfn < zone->start)
		zone++;
	return zone;
}

static void free_pages(unsigned long pfn, int order)
{
	struct page *page = mem_map + pfn;
	int i;

	if (page->refcount == 0)
		abort();
	if (--page->refcount)
		return;
	for (i = 0; i < 1 << order; i++) {
		if (page[i].flags || page[i].mapcount)
			abort();
		page[i].mapping = NULL;
	}
	free_one_page(page_zone(pfn), pfn, order, pageblock_flags[pfn >> PAGEBLOCK_ORDER], false);
	pgfree += 1UL << order;
}

static struct page *rmqueue_smallest(struct zone *zone, int order, int type)
{
	struct page *page;
	int current;

	for (current = order; current < NR_PAGE_ORDERS; current++) {
		page = zone->area[current].head[type];
		if (!page)
			continue;
		del_page_from_free_list(page, zone, current);
		while (current > order) {
			current--;
			add_to_free_list(page + (1UL << current), zone, current, type, false);
		}
		account(zone, -(1L << order), type);
		return page;
	}
	return NULL;
}

static struct page *rmqueue(struct zone *zone, int order, int type, int flags)
{
	struct page *page;

	if ((flags & ALLOC_CMA) && zone->free_cma > zone->free_pages / 2) {
		page = rmqueue_smallest(zone, order, CMA);
		if (page)
			return page;
	}
	page = rmqueue_smallest(zone, order, type);
	if (!page && (flags & ALLOC_CMA))
		page = rmqueue_smallest(zone, order, CMA);
	/* The requests here never get so far that they need to fall back. */
	if (!page && type != UNMOVABLE)
		abort();
	return page;
}

static bool watermark_ok(struct zone *zone, int order, long mark, int highest, int flags)
{
	long usable = zone->free_pages - ((1L << order) - 1);
	int current, type;

	if (!(flags & ALLOC_RESERVES))
		usable -= zone->nr_reserved_highatomic;
	if (!(flags & ALLOC_CMA))
		usable -= zone->free_cma;
	if (usable <= mark + zone->lowmem_reserve[highest])
		return false;
	if (!order)
		return true;
	for (current = order; current < NR_PAGE_ORDERS; current++) {
		for (type = 0; type < HIGHATOMIC; type++)
			if (zone->area[current].nr_free[type])
				return true;
		if ((flags & ALLOC_CMA) && zone->area[current].nr_free[CMA])
			return true;
	}
	return false;
}

static struct page *alloc_pages(bool movable, int order)
{
	int type = movable ? MOVABLE : UNMOVABLE;
	int flags = movable ? ALLOC_CMA : 0;
	int highest = movable ? 3 : 2;
	struct page *page;
	int i;

	for (i = highest; i >= 0; i--) {
		if (!zones[i].managed)
			continue;
		if (!watermark_ok(&zones[i], order, zones[i].low, highest, flags))
			continue;
		page = rmqueue(&zones[i], order, type, flags);
		if (!page)
			continue;
		page->refcount = 1;
		pgalloc += 1UL << order;
		return page;
	}
	abort();
}

static void boot(unsigned long mib)
{
	unsigned long pages = mib << 8, pfn, dma = pages < 0xc0000 ? pages : 0xc0000;

	mem_map = calloc(pages, sizeof(*mem_map));
	pageblock_flags = calloc(pages >> PAGEBLOCK_ORDER, 1);
	zones[0] = (struct zone){ .start = 0, .end = dma, .managed = dma };
	zones[2] = (struct zone){ .start = dma, .end = pages, .managed = pages - dma };
	for (pfn = 0; pfn < pages >> PAGEBLOCK_ORDER; pfn++) {
		pageblock_flags[pfn] = pfn % 8 < 4 ? MOVABLE : UNMOVABLE;
		if (pfn < 32)
			pageblock_flags[pfn] = CMA;
	}
	for (pfn = 0; pfn < pages; pfn += 1UL << MAX_PAGE_ORDER)
		free_one_page(page_zone(pfn), pfn, MAX_PAGE_ORDER, pageblock_flags[pfn >> PAGEBLOCK_ORDER], true);
}

static unsigned int state = 1;

static unsigned int next(unsigned int below)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

int main(int argc, char **argv)
{
	static struct page *held[SLOTS];
	static unsigned char orders[SLOTS];
	unsigned long operations, i, sum = 0;
	unsigned short *script;
	struct timespec from, to;

	if (argc != 3) {
		fprintf(stderr, "usage: buddy MIB OPERATIONS\n");
		return 2;
	}
	boot(strtoul(argv[1], NULL, 10));
	operations = strtoul(argv[2], NULL, 10);
	script = malloc(operations * sizeof(*script));
	for (i = 0; i < operations; i++)
		script[i] = next(SLOTS) | (next(4) ? 0 : next(4)) << 12 | next(2) << 14;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (i = 0; i < operations; i++) {
		unsigned int slot = script[i] & (SLOTS - 1);

		if (held[slot]) {
			free_pages(page_to_pfn(held[slot]), orders[slot]);
			held[slot] = NULL;
		} else {
			orders[slot] = script[i] >> 12 & 3;
			held[slot] = alloc_pages(script[i] >> 14, orders[slot]);
			sum = (sum ^ page_to_pfn(held[slot])) + (sum << 1 & 0xffffff);
			sum &= 0xffffff;
		}
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	printf("%lld %lu\n", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec, sum);
	return 0;
}
