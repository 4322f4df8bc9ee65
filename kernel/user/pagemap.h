/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Anonymous memory that knows its own pages: a range of small pages, each filled
 * with a pattern of its own, and the page frame number behind each.
 */
/* #region pagemap-types */
#ifndef PAGEMAP_H
#define PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct filled - the memory under watch
 * @bytes: its first byte
 * @pages: pages in it
 * @page: bytes in a page
 */
struct filled {
	unsigned char *bytes;
	size_t pages;
	size_t page;
};

/* #endregion pagemap-types */

/* #region pagemap-functions */
/*
 * How much to fill so that @want bytes of it come to lie in CMA. Movable memory is
 * taken from there while CMA is more than half of what is free; before that, what
 * is free beyond twice the CMA has to be used up.
 */
size_t filled_size(size_t want);

/*
 * Map @size bytes without huge pages and write the pattern of @round into each
 * page. Return: false with errno.
 */
bool filled_map(struct filled *f, size_t size, unsigned int round);

/* Write the pattern of @round into page @index. */
void filled_write(const struct filled *f, size_t index, unsigned int round);

/* Return: the first page that does not hold the pattern of @round, -1 for none. */
ssize_t filled_differs(const struct filled *f, unsigned int round);

/*
 * The page frame number of each page, in one read of /proc/self/pagemap: one call
 * a page takes a hundred times as long. 0 stands for a page that is not there.
 * Return: f->pages numbers to free(), NULL with errno; EPERM if the kernel hides
 * them from us.
 */
uint64_t *filled_pfns(const struct filled *f);

#endif /* PAGEMAP_H */
/* #endregion pagemap-functions */
