/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/cma_test as a program sees it: its slots and counters (debugfs), the CMA
 * area that they should come from, and where in it the next buffer must lie.
 */
/* #region cma-slots-types */
#ifndef CMA_SLOTS_H
#define CMA_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMA_TEST_DIR "/sys/kernel/debug/cma_test"
#define MAX_SLOTS 10

/**
 * struct slot - one line of cma_test/slots
 * @size: bytes, of a buffer or of the one that is to come
 * @address: where the device finds it; 0 while the slot is empty
 */
struct slot {
	size_t size;
	uint64_t address;
};

/**
 * struct cma_slots - the whole directory at one time
 * @count: slots that the module has
 * @slot: each of them
 * @allocated: writes that got memory, as are the next ones named in debugfs
 */
struct cma_slots {
	size_t count;
	struct slot slot[MAX_SLOTS];
	long long allocated, freed, failed, spoiled, held;
};

/**
 * struct area - the default CMA area, as the command line of the kernel gave it
 * @base: physical address of its first byte
 * @size: bytes; 0 when there is none
 */
struct area {
	uint64_t base;
	uint64_t size;
};

/* BASE,SIZE as in 0x50000000,16M. Return: false if it is nothing like that. */
bool area_parse(const char *words, struct area *area);

/* Whether all of @slot lies in @area. */
bool area_holds(const struct area *area, const struct slot *slot);

/* Return: false, with errno, if debugfs does not show them. */
bool cma_slots_read(struct cma_slots *now);

/* The lowest slot that is in use, or the lowest that is not; -1 for none. */
int cma_slots_lowest(const struct cma_slots *now, bool in_use);

/* How many slots are in use. */
size_t cma_slots_used(const struct cma_slots *now);

/*
 * First fit: the lowest place for @size bytes in what @now leaves of the area,
 * aligned as CMA does it, when less than its first alignment unit was taken
 * before the module came. Return: a bit of the area's bitmap (pages from its
 * base), -1 if there is no such place.
 */
long cma_first_fit(const struct cma_slots *now, const struct area *area, size_t size);

#endif /* CMA_SLOTS_H */
/* #endregion cma-slots-types */
