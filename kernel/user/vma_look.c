// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading /proc about mappings: see vma_look.h.
 */

/* #region vma-look-includes */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vma_look.h"
/* #endregion vma-look-includes */

/* #region vma-look-line */
/* "7f8a001000-7f8a002000 rw-s 00003000 00:05 123   /dev/x" begins a mapping. */
static bool first_line(const char *line, struct vma_look *look)
{
	*look = (struct vma_look){ .path = "" };

	return sscanf(line, "%lx-%lx %7s %llx %*x:%*x %lu %127s", &look->start, &look->end,
		      look->mode, &look->offset, &look->inode, look->path) >= 5;
}

/* A line below it. Return: true for VmFlags, the last one. */
static bool detail(const char *line, struct vma_look *look)
{
	if (!strncmp(line, "Rss:", 4))
		sscanf(line, "Rss: %lu kB", &look->rss);
	if (strncmp(line, "VmFlags: ", 9))
		return false;
	snprintf(look->flags, sizeof(look->flags), "%.*s", (int)strcspn(line + 9, "\n"), line + 9);

	return true;
}

/* #endregion vma-look-line */

/* #region vma-look-find */
bool vma_look(const void *start, struct vma_look *look)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	bool here = false, found = false;
	struct vma_look next;
	char line[512];

	while (smaps && !found && fgets(line, sizeof(line), smaps)) {
		if (first_line(line, &next)) {
			here = next.start == (unsigned long)start;
			*look = here ? next : *look;
		} else if (here) {
			found = detail(line, look);
		}
	}
	if (smaps)
		fclose(smaps);

	return found;
}

/* #endregion vma-look-find */

/* #region pagemap-entry */
bool pagemap_entry(const void *address, uint64_t *entry)
{
	off_t at = (off_t)((unsigned long)address / sysconf(_SC_PAGESIZE)) * 8;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool got = fd >= 0 && pread(fd, entry, 8, at) == 8;

	if (fd >= 0)
		close(fd);
	return got;
}

/* #endregion pagemap-entry */

/* #region vmalloc-areas */
int vmalloc_areas(size_t size, const char *words, char *line, size_t length,
		  unsigned long long *address)
{
	FILE *areas = fopen("/proc/vmallocinfo", "re");
	unsigned long long start;
	unsigned long bytes;
	char next[256];
	int found = 0;

	while (areas && fgets(next, sizeof(next), areas)) {
		/* The kernel leaves a page free behind each area, and counts it. */
		if (sscanf(next, "0x%llx-0x%*x %lu", &start, &bytes) != 2 ||
		    bytes != size + sysconf(_SC_PAGESIZE) || !strstr(next, words))
			continue;
		snprintf(line, length, "%.*s", (int)strcspn(next, "\n"), next);
		*address = start;
		found++;
	}
	if (areas)
		fclose(areas);

	return found;
}

/* #endregion vmalloc-areas */
