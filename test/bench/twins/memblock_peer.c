// SPDX-License-Identifier: MIT
//
// Linux's own mm/memblock.c, built for user space as tools/testing/memblock shows, doing the work that
// test/bench/memblock.ts does with the model: the same ranges in the same order. It prints the nanoseconds it took and a sum
// over the lists, by which the two are seen to have done the same.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/memblock.h>

/* What memblock.c asks of the rest of a kernel, which is not here yet. */
bool movable_node_enabled;
void *kmalloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return malloc(size);
}
void kfree(void *p)
{
	free(p);
}
bool slab_is_available(void)
{
	return false;
}
struct pglist_data *first_online_pgdat(void)
{
	return NULL;
}
struct pglist_data *next_online_pgdat(struct pglist_data *pgdat)
{
	return pgdat;
}
void reserve_bootmem_region(phys_addr_t start, phys_addr_t end, int nid)
{
	(void)start;
	(void)end;
	(void)nid;
}

static unsigned int state;

static unsigned int next(unsigned int below)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

static void forget(struct memblock_type *type)
{
	memset(type->regions, 0, type->cnt * sizeof(*type->regions));
	type->cnt = 0;
	type->total_size = 0;
}

static unsigned long long one_round(void)
{
	unsigned long long base, sum = 0;
	struct memblock_region *region;
	unsigned long i;

	forget(&memblock.memory);
	forget(&memblock.reserved);
	memblock_add(0x40000000ULL, 0xc0000000ULL);
	for (i = 0; i < 90; i++) {
		base = 0x40000000ULL + next(0x8000) * 0x10000ULL;
		memblock_reserve(base, 0x1000ULL * (1 + next(12)));
	}
	for (i = 0; i < 8; i++)
		memblock_mark_nomap(0xc0000000ULL + next(64) * 0x1000000ULL, 0x200000);
	for (i = 0; i < 60; i++)
		sum += memblock_phys_alloc_range(0x1000ULL * (1 + next(40)), 0x1000, 0x40000000ULL, 0x100000000ULL);
	for (i = 0; i < 40; i++)
		memblock_phys_free(0x40000000ULL + next(0x8000) * 0x10000ULL, 0x100000);
	for_each_mem_region(region)
		sum += region->base + region->size + region->flags;
	for_each_reserved_mem_region(region)
		sum += region->base + region->size;
	return sum;
}

int main(int argc, char **argv)
{
	unsigned long rounds = strtoul(argv[1], NULL, 10);
	unsigned long long sum = 0;
	struct timespec from, to;

	(void)argc;
	state = 1;
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (rounds--)
		sum = (sum + one_round()) % 1000000007ULL;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%lld %llu\n", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec, sum);
	return 0;
}
