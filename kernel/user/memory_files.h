/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel tells of its memory in text files, read into numbers:
 *
 *	/proc/iomem		who owns which physical addresses
 *	/proc/zoneinfo		zones, their watermarks, their CMA pages
 *	/proc/buddyinfo		free blocks by order
 *	/proc/pagetypeinfo	the same by migratetype, and page blocks by type
 *	/proc/meminfo, vmstat	one number a line
 *
 * A function that cannot read its file returns 0 or a negative number and
 * leaves errno; addresses are bytes, everything else is pages or blocks.
 */
/* #region memory-files-limits */
#ifndef MEMORY_FILES_H
#define MEMORY_FILES_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_ZONES 8
#define MAX_ORDERS 16	/* 64 KiB pages have 14 */
#define MAX_TYPES 8
#define MAX_IOMEM 256

/* #endregion memory-files-limits */

/* #region memory-files-zone */
/**
 * struct zone - a zone that has pages
 * @name: as the kernel spells it: DMA, Normal, HighMem
 * @start_pfn: its first page frame
 * @spanned: page frames from its first to its last
 * @present: those of them that are RAM
 * @managed: those that the page allocator has
 * @cma: those that belong to a CMA area
 * @free: free now, without those in per-CPU lists
 * @free_cma: those of them that are of type CMA
 * @min: watermark; also @low, @high
 */
struct zone {
	char name[16];
	unsigned long start_pfn;
	unsigned long spanned, present, managed, cma;
	unsigned long free, free_cma;
	unsigned long min, low, high;
};

/* #endregion memory-files-zone */

/* #region memory-files-types */
/**
 * struct page_types - the free lists of one zone, and its page blocks
 * @orders: how many orders there are
 * @types: how many migratetypes
 * @block_order: a page block is so many pages, as a power of two
 * @name: of each type
 * @free: free blocks of each type, by order; cut off at 100001 by the kernel
 * @blocks: page blocks of each type
 */
struct page_types {
	int orders, types, block_order;
	char name[MAX_TYPES][16];
	unsigned long free[MAX_TYPES][MAX_ORDERS];
	unsigned long blocks[MAX_TYPES];
};

/* #endregion memory-files-types */

/* #region memory-files-iomem */
/**
 * struct iomem - a line of /proc/iomem
 * @depth: 0 at the top; deeper ones lie inside the last one that is less deep
 * @start: first byte
 * @end: last byte
 * @name: of the owner
 */
struct iomem {
	int depth;
	uint64_t start, end;
	char name[64];
};

/* #endregion memory-files-iomem */

/* #region memory-files-functions */
/* Return: how many zones with pages there are, lowest address first. */
int read_zones(struct zone zones[MAX_ZONES]);

/* Free blocks of a zone by order. Return: how many orders, 0 without the zone. */
int read_buddyinfo(const char *zone, unsigned long free[MAX_ORDERS]);

/* The free lists and page blocks of a zone. Needs root. */
bool read_page_types(const char *zone, struct page_types *types);

/* Return: the number of the type of this name, -1 without it. */
int type_of(const struct page_types *types, const char *name);

/* Return: how many lines. Without CAP_SYS_ADMIN every address reads as 0. */
int read_iomem(struct iomem lines[MAX_IOMEM]);

/* The number behind @key (`MemFree:`, `nr_free_cma`) in @file; -1 without it. */
long read_number(const char *file, const char *key);

/* Bring the counters that each CPU keeps for itself into the common ones. */
bool refresh_counters(void);

#endif /* MEMORY_FILES_H */
/* #endregion memory-files-functions */
