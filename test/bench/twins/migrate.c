// SPDX-License-Identifier: MIT
//
// The twin of a CMA allocation that has to move every page of its range, as C does it: the same steps as code/mm/, by the
// same structures (a buddy allocator, LRU lists, page tables of four levels in RAM, reverse maps), in one process.
//
//     migrate PAGES        prints the nanoseconds that it took and the sum of what the program finds in its memory then
//
// The steps: make the pageblocks isolated, take 32 pages off the LRU, and for each of them take a target, put a migration
// entry into its page table, copy it, map the target, free it; at last take the range out of the free lists.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096u
#define NIL 0xffffffffu
#define ORDERS 11
#define BLOCK_ORDER 9
#define BATCH 32

enum { MOVABLE, CMA, ISOLATE, TYPES };
enum { LOCKED = 1, LRU = 2, BUDDY = 4, ANON = 8, UPTODATE = 16, DIRTY = 32, SWAPBACKED = 64, ACTIVE = 128 };

struct page {
	uint16_t flags, refcount, mapcount;
	uint32_t next, prev;
	uint32_t mapping, index;
};

struct list {
	uint32_t head, tail, count;
};

struct vma {
	uint64_t start, end, pgoff, prot;
};

static struct page *pages;
static uint8_t *ram, *block_type;
static uint32_t nr_pages, root, free_pages;
static struct list free_list[ORDERS][TYPES], lru;
static struct vma vma;

static void add(struct list *list, uint32_t pfn)
{
	pages[pfn].next = list->head;
	pages[pfn].prev = NIL;
	if (list->head != NIL)
		pages[list->head].prev = pfn;
	else
		list->tail = pfn;
	list->head = pfn;
	list->count++;
}

static void del(struct list *list, uint32_t pfn)
{
	uint32_t next = pages[pfn].next, prev = pages[pfn].prev;

	if (prev != NIL)
		pages[prev].next = next;
	else
		list->head = next;
	if (next != NIL)
		pages[next].prev = prev;
	else
		list->tail = prev;
	list->count--;
}

static int type_of(uint32_t pfn)
{
	return block_type[pfn >> BLOCK_ORDER];
}

static void put_free(uint32_t pfn, unsigned int order, int type)
{
	pages[pfn].flags = BUDDY;
	pages[pfn].index = order;
	add(&free_list[order][type], pfn);
}

static void take_free(uint32_t pfn, int type)
{
	del(&free_list[pages[pfn].index][type], pfn);
	pages[pfn].flags = 0;
}

static void free_one(uint32_t pfn)
{
	unsigned int order = 0;
	int type = type_of(pfn);

	free_pages += type != ISOLATE;
	for (; order < ORDERS - 1; order++) {
		uint32_t buddy = pfn ^ (1u << order);

		if (buddy >= nr_pages || !(pages[buddy].flags & BUDDY) || pages[buddy].index != order)
			break;
		if (order >= BLOCK_ORDER && type_of(buddy) != type)
			break;
		take_free(buddy, type_of(buddy));
		pfn &= buddy;
	}
	put_free(pfn, order, type);
}

static uint32_t alloc_one(int type)
{
	for (unsigned int order = 0; order < ORDERS; order++) {
		uint32_t pfn = free_list[order][type].head;

		if (pfn == NIL)
			continue;
		take_free(pfn, type);
		while (order--)
			put_free(pfn + (1u << order), order, type);
		pages[pfn] = (struct page){ .refcount = 1 };
		free_pages--;
		return pfn;
	}
	return NIL;
}

static void put(uint32_t pfn)
{
	if (--pages[pfn].refcount == 0) {
		pages[pfn].flags = 0;
		free_one(pfn);
	}
}

static uint64_t *table(uint32_t pfn)
{
	return (uint64_t *)(ram + (uint64_t)pfn * PAGE);
}

// The entry of an address, four levels down; with `make`, tables that are missing are made.
static uint64_t *walk(uint64_t va, int make)
{
	uint32_t at = root;

	for (int shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = table(at) + (va >> shift & 511);

		if (!*entry) {
			if (!make)
				return NULL;
			uint32_t new = alloc_one(MOVABLE);
			memset(table(new), 0, PAGE);
			*entry = (uint64_t)new * PAGE | 3;
		}
		at = (*entry & 0xfffffffff000ull) / PAGE;
	}
	return table(at) + (va >> 12 & 511);
}

static uint64_t address_of(uint32_t pfn)
{
	return vma.start + (pages[pfn].index - vma.pgoff) * PAGE;
}

static void unmap(uint32_t pfn)
{
	uint64_t *pte = walk(address_of(pfn), 0);

	if (!pte || !(*pte & 1) || (*pte & 0xfffffffff000ull) / PAGE != pfn)
		return;
	*pte = (uint64_t)pfn << 12 | 30 << 6;
	pages[pfn].flags |= DIRTY;
	pages[pfn].mapcount--;
	pages[pfn].refcount--;
}

static void map(uint32_t src, uint32_t dst)
{
	uint64_t *pte = walk(address_of(dst), 0);

	if (!pte || *pte != ((uint64_t)src << 12 | 30 << 6))
		return;
	*pte = (uint64_t)dst * PAGE | vma.prot;
	pages[dst].mapcount++;
	pages[dst].refcount++;
}

static int move(uint32_t src, uint32_t dst)
{
	if (pages[src].refcount != 1 + pages[src].mapcount || pages[src].mapcount)
		return -1;
	pages[dst].mapping = pages[src].mapping;
	pages[dst].index = pages[src].index;
	memcpy(ram + (uint64_t)dst * PAGE, ram + (uint64_t)src * PAGE, PAGE);
	pages[dst].flags |= pages[src].flags & (ANON | UPTODATE | DIRTY | SWAPBACKED | ACTIVE);
	pages[src].mapping = pages[src].index = 0;
	return 0;
}

// Unmaps all of the list, then moves all of it, as 6.12 does.
static uint32_t migrate(struct list *from)
{
	struct list dsts = { NIL, NIL, 0 };
	uint32_t moved = 0;

	for (uint32_t src = from->head; src != NIL; src = pages[src].next) {
		uint32_t dst = alloc_one(MOVABLE);

		if (dst == NIL)
			return moved;
		pages[src].flags |= LOCKED;
		unmap(src);
		pages[dst].flags |= LOCKED;
		add(&dsts, dst);
	}
	for (uint32_t src = from->head, dst = dsts.tail, next, prev; src != NIL; src = next, dst = prev) {
		next = pages[src].next;
		prev = pages[dst].prev;
		if (move(src, dst))
			continue;
		del(&dsts, dst);
		pages[dst].flags |= LRU;
		add(&lru, dst);
		map(src, dst);
		pages[dst].flags &= ~LOCKED;
		put(dst);
		del(from, src);
		pages[src].flags &= ~LOCKED;
		put(src);
		moved++;
	}
	return moved;
}

static void set_type(uint32_t start, uint32_t end, int type)
{
	for (uint32_t block = start >> BLOCK_ORDER; block < end >> BLOCK_ORDER; block++) {
		int old = block_type[block];

		block_type[block] = type;
		for (uint32_t pfn = block << BLOCK_ORDER; pfn < (block + 1) << BLOCK_ORDER;) {
			if (!(pages[pfn].flags & BUDDY)) {
				pfn++;
				continue;
			}
			del(&free_list[pages[pfn].index][old], pfn);
			add(&free_list[pages[pfn].index][type], pfn);
			free_pages += ((old == ISOLATE) - (type == ISOLATE)) * (1 << pages[pfn].index);
			pfn += 1u << pages[pfn].index;
		}
	}
}

static int take_range(uint32_t start, uint32_t end)
{
	struct list batch = { NIL, NIL, 0 };

	set_type(start, end, ISOLATE);
	for (uint32_t pfn = start; pfn < end;) {
		for (; pfn < end && batch.count < BATCH; pfn++) {
			if (pages[pfn].flags & BUDDY) {
				pfn += (1u << pages[pfn].index) - 1;
				continue;
			}
			if (!(pages[pfn].flags & LRU) || pages[pfn].refcount > pages[pfn].mapcount)
				continue;
			del(&lru, pfn);
			pages[pfn].flags &= ~LRU;
			pages[pfn].refcount++;
			add(&batch, pfn);
		}
		if (migrate(&batch), batch.count)
			return -1;
	}
	for (uint32_t pfn = start; pfn < end; pfn += 1u << pages[pfn].index)
		if (!(pages[pfn].flags & BUDDY))
			return -1;
	for (uint32_t pfn = start; pfn < end;) {
		uint32_t size = 1u << pages[pfn].index;

		take_free(pfn, ISOLATE);
		for (uint32_t i = 0; i < size; i++)
			pages[pfn + i].refcount = 1;
		pfn += size;
	}
	set_type(start, end, CMA);
	return 0;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

// Boots, has a program fill the area with pages that say who they are, takes the area, and looks what the program has.
static int one_round(uint32_t count, uint64_t *ns, uint64_t *sum)
{
	uint32_t start = 4 * count, end = start + count;
	uint64_t began;

	*sum = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t *pte = walk(vma.start + (uint64_t)i * PAGE, 1);
		uint32_t pfn = alloc_one(CMA);

		pages[pfn] = (struct page){ .flags = ANON | UPTODATE | SWAPBACKED | LRU,
					    .refcount = 1, .mapcount = 1, .mapping = 1, .index = i };
		for (uint32_t word = 0; word < PAGE / 4; word++)
			((uint32_t *)table(pfn))[word] = i * 1024 + word;
		*pte = (uint64_t)pfn * PAGE | vma.prot;
		add(&lru, pfn);
	}
	began = now();
	if (take_range(start, end))
		return -1;
	*ns = now() - began;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t *pte = walk(vma.start + (uint64_t)i * PAGE, 0);
		uint32_t pfn = (*pte & 0xfffffffff000ull) / PAGE;

		if (pfn >= start)
			return -1;
		for (uint32_t word = 0; word < PAGE / 4; word++)
			*sum += ((uint32_t *)table(pfn))[word];
		del(&lru, pfn);
		pages[pfn].mapcount = 0;
		*pte = 0;
		put(pfn);
	}
	for (uint32_t pfn = start; pfn < end; pfn++)
		put(pfn);
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? atoi(argv[1]) : 0;
	uint64_t ns, sum;

	if (count == 0 || count % 1024) {
		fprintf(stderr, "usage: migrate PAGES, a multiple of 1024\n");
		return 2;
	}
	nr_pages = 5 * count;
	ram = mmap(NULL, (uint64_t)nr_pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pages = calloc(nr_pages, sizeof(*pages));
	block_type = calloc(nr_pages >> BLOCK_ORDER, 1);
	if (ram == MAP_FAILED || !pages || !block_type)
		return 1;
	// All of RAM exists before it is measured, as the model's does.
	memset(ram, 1, (uint64_t)nr_pages * PAGE);
	lru = (struct list){ NIL, NIL, 0 };
	for (int order = 0; order < ORDERS; order++)
		for (int type = 0; type < TYPES; type++)
			free_list[order][type] = lru;
	set_type(4 * count, 5 * count, CMA);
	for (uint32_t pfn = 0; pfn < nr_pages; pfn++)
		free_one(pfn);
	root = alloc_one(MOVABLE);
	memset(table(root), 0, PAGE);
	vma = (struct vma){ 0x400000000ull, 0x400000000ull + (uint64_t)count * PAGE, 0, 0x68000000000f43 };
	// The second round is the one that counts: caches and tables are warm then, as they are for the model.
	for (int round = 0; round < 2; round++)
		if (one_round(count, &ns, &sum))
			return 1;
	printf("%llu %llu\n", (unsigned long long)ns, (unsigned long long)sum);
	return 0;
}
