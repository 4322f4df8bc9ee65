// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots, counters and first fit: see cma_slots.h.
 */

/* #region cma-slots-includes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cma_slots.h"
#include "proc_value.h"

bool area_parse(const char *words, struct area *area)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	area->base = strtoull(words, &end, 0);
	if (end == words || *end != ',')
		return false;
	words = end + 1;
	area->size = strtoull(words, &end, 0);
	if (end == words)
		return false;
	unit = *end ? strchr(units, *end++) : NULL;
	if (unit)
		area->size <<= 10 * (unit - units + 1);

	return !*end;
}

bool area_holds(const struct area *area, const struct slot *slot)
{
	return slot->address >= area->base &&
	       slot->address + slot->size <= area->base + area->size;
}

/* The lines of cma_test/slots: index, size, and an address or a dash. */
static bool read_list(struct cma_slots *now)
{
	FILE *lines = fopen(CMA_TEST_DIR "/slots", "re");
	unsigned int index;
	char address[32];
	size_t size;

	if (!lines)
		return false;
	now->count = 0;
	while (now->count < MAX_SLOTS &&
	       fscanf(lines, "%u %zu %31s", &index, &size, address) == 3 &&
	       index == now->count) {
		struct slot *slot = &now->slot[now->count++];

		slot->size = size;
		slot->address = strcmp(address, "-") ? strtoull(address, NULL, 0) : 0;
	}
	fclose(lines);

	return now->count > 0;
}

bool cma_slots_read(struct cma_slots *now)
{
	if (!read_list(now))
		return false;
	now->allocated = proc_value(CMA_TEST_DIR "/allocated", NULL);
	now->freed = proc_value(CMA_TEST_DIR "/freed", NULL);
	now->failed = proc_value(CMA_TEST_DIR "/failed", NULL);
	now->spoiled = proc_value(CMA_TEST_DIR "/spoiled", NULL);
	now->held = proc_value(CMA_TEST_DIR "/held", NULL);

	return now->allocated >= 0 && now->freed >= 0 && now->failed >= 0 &&
	       now->spoiled >= 0 && now->held >= 0;
}

int cma_slots_lowest(const struct cma_slots *now, bool in_use)
{
	for (size_t i = 0; i < now->count; i++)
		if (!!now->slot[i].address == in_use)
			return i;

	return -1;
}

size_t cma_slots_used(const struct cma_slots *now)
{
	size_t used = 0;

	for (size_t i = 0; i < now->count; i++)
		used += now->slot[i].address != 0;

	return used;
}

/* #endregion cma-slots-includes */

/* #region cma-first-fit */
static const struct slot *slot_within(const struct cma_slots *now, uint64_t at, size_t size)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct slot *slot = &now->slot[i];

		if (slot->address && at < slot->address + slot->size &&
		    slot->address < at + size)
			return slot;
	}

	return NULL;
}

/* Buffers are aligned to their size, but to no more than 2^8 pages. */
long cma_first_fit(const struct cma_slots *now, const struct area *area, size_t size)
{
	const uint64_t page = sysconf(_SC_PAGESIZE), align = page << 8;
	uint64_t bytes = align;		/* the first unit has other owners */
	const struct slot *slot;

	while ((slot = slot_within(now, area->base + bytes, size)))
		bytes = (slot->address + slot->size - area->base + align - 1) / align * align;

	return bytes + size <= area->size ? (long)(bytes / page) : -1;
}

/* #endregion cma-first-fit */
