// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages and their numbers: see pagemap.h.
 */

/* #region pagemap-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap.h"
#include "proc_value.h"
/* #endregion pagemap-includes */

/* #region filled-size */
size_t filled_size(size_t want)
{
	long long free = proc_value("/proc/meminfo", "MemFree:");
	long long cma = proc_value("/proc/meminfo", "CmaFree:");
	size_t beyond = free > 2 * cma ? (size_t)(free - 2 * cma) << 10 : 0;

	return (beyond + 2 * want) >> 20 << 20;
}

/* #endregion filled-size */

/* #region filled-map */
bool filled_map(struct filled *f, size_t size, unsigned int round)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return false;
	if (madvise(bytes, size, MADV_NOHUGEPAGE) && errno != EINVAL)
		return false;
	f->page = sysconf(_SC_PAGESIZE);
	f->pages = size / f->page;
	f->bytes = bytes;
	for (size_t i = 0; i < f->pages; i++)
		filled_write(f, i, round);

	return true;
}

/* #endregion filled-map */

/* #region filled-pattern */
/* Another word at each place of each page in each round. */
static uint64_t first_word(size_t index, unsigned int round)
{
	return ((uint64_t)round << 56 | index) * 0x9e3779b97f4a7c15 | 1;
}

void filled_write(const struct filled *f, size_t index, unsigned int round)
{
	uint64_t *words = (uint64_t *)(f->bytes + index * f->page);
	uint64_t word = first_word(index, round);

	for (size_t i = 0; i < f->page / sizeof(*words); i++)
		words[i] = word + i;
}

/* #endregion filled-pattern */

/* #region filled-differs */
ssize_t filled_differs(const struct filled *f, unsigned int round)
{
	for (size_t index = 0; index < f->pages; index++) {
		const uint64_t *words = (const uint64_t *)(f->bytes + index * f->page);
		uint64_t word = first_word(index, round), differs = 0;

		for (size_t i = 0; i < f->page / sizeof(*words); i++)
			differs |= words[i] ^ (word + i);
		if (differs)
			return index;
	}

	return -1;
}

/* #endregion filled-differs */

/* #region filled-pfns */
#define PM_PRESENT 0x8000000000000000ULL
#define PM_PFN 0x7fffffffffffffULL

static bool read_whole(int fd, char *to, size_t size, off_t from)
{
	while (size) {
		ssize_t got = pread(fd, to, size, from);

		if (got <= 0)
			return false;
		to += got;
		from += got;
		size -= got;
	}

	return true;
}

/* #endregion filled-pfns */

/* #region filled-pfns-read */
uint64_t *filled_pfns(const struct filled *f)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t size = f->pages * sizeof(uint64_t);
	off_t from = (uintptr_t)f->bytes / f->page * sizeof(uint64_t);
	uint64_t *pfns = malloc(size);
	uint64_t known = 0;

	if (fd < 0 || !pfns || !read_whole(fd, (char *)pfns, size, from))
		goto out_free;
	for (size_t i = 0; i < f->pages; i++) {
		pfns[i] = pfns[i] & PM_PRESENT ? pfns[i] & PM_PFN : 0;
		known |= pfns[i];
	}
	close(fd);
	if (known)
		return pfns;
	errno = EPERM;	/* without CAP_SYS_ADMIN every number reads as 0 */
	fd = -1;

out_free:
	free(pfns);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* #endregion filled-pfns-read */
