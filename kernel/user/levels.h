/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel has in use, for a look before and a look after: a driver that
 * gives everything back leaves it as it was.
 */
/* #region levels-type */
#ifndef LEVELS_H
#define LEVELS_H

/**
 * struct levels - what the kernel has in use
 * @vmalloc: bytes of vmalloc areas, without stacks of threads and without those
 *	that wait to be recycled
 * @used: pages that all CMA areas have given out; 0 without CONFIG_CMA_DEBUGFS
 * @cma_free: pages that could be had of each area in one piece; 0 likewise
 * @unreclaimable: KiB of slabs that hold something
 */
struct levels {
	unsigned long long vmalloc;
	unsigned long long used;
	unsigned long long cma_free;
	unsigned long long unreclaimable;
};

/* #endregion levels-type */

/* #region levels-functions */
struct levels levels_take(void);

/*
 * As levels_take(), but waits for up to five seconds until there is no more in use
 * than in @before: the kernel frees some things a moment later, by its workers.
 */
struct levels levels_settled(const struct levels *before);

#endif /* LEVELS_H */
/* #endregion levels-functions */
