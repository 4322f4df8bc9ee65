// SPDX-License-Identifier: GPL-2.0-only
/*
 * vma_look_test pool|remapped|linear DEVICE
 *
 * What is to be seen of a coherent buffer that a program maps: the vma in
 * /proc/self/smaps, its page-table entries in /proc/self/pagemap and VmPTE, and
 * the kernel's own mapping in /proc/vmallocinfo. KTAP; exit status as always.
 *
 * pool: the device has a pool of its own, mapped as a whole when it was attached.
 * remapped: pages of a CMA area for a device that does not snoop caches; the
 * kernel maps them a second time, uncached. linear: for one that does snoop, the
 * kernel uses the mapping that it has of all memory.
 */

/* #region vma-look-test-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "buffer.h"
#include "ktap.h"
#include "proc_value.h"
#include "reserved_buffer.h"
#include "vma_look.h"
/* #endregion vma-look-test-includes */

/* #region vma-look-kinds */
/**
 * struct kind - how the kernel itself reaches the buffer
 * @name: of the command line
 * @words: in the area's line of /proc/vmallocinfo; NULL for no such area
 */
static const struct kind {
	const char *name, *words;
} kinds[] = {
	{ "pool", "ioremap" },
	{ "remapped", "dma-coherent" },
	{ "linear", NULL },
};

static const struct kind *kind;

#define FEW 16	/* faults that are the program's own */

/* #endregion vma-look-kinds */

/* #region test-vma-line */
/* Five pages from the fourth on: where they are, what they show, which file. */
static enum ktap_result test_vma_line(void *buffer)
{
	const struct buffer *b = buffer;
	char *map = buffer_map(b, 5 * b->page, 3 * b->page);
	struct vma_look look;
	struct stat file;

	if (map == MAP_FAILED || fstat(b->fd, &file) || !vma_look(map, &look))
		return ktap_fail("mmap, fstat or smaps: %s", strerror(errno));
	munmap(map, 5 * b->page);
	if (look.end - look.start != 5 * b->page || look.offset != 3 * b->page)
		return ktap_fail("%#lx bytes at %#llx", look.end - look.start, look.offset);
	if (strcmp(look.mode, "rw-s") || strcmp(look.path, b->path) || look.inode != file.st_ino)
		return ktap_fail("%s %lu %s", look.mode, look.inode, look.path);
	if (look.rss)
		return ktap_fail("Rss: %lu kB; raw page frames are nobody's own", look.rss);

	return KTAP_OK;
}

/* #endregion test-vma-line */

/* #region test-vma-flags */
static enum ktap_result test_vma_flags(void *buffer)
{
	/* All that there are: of a mapping to write, and of one that may only read. */
	static const char *const wanted[] = {
		"rd wr sh mr mw me ms pf io de dd", "rd mr me ms pf io de dd",
	};
	const struct buffer *b = buffer;
	int files[] = { b->fd, open(b->path, O_RDONLY | O_CLOEXEC) };

	for (int i = 0; i < 2; i++) {
		int prot = i ? PROT_READ : PROT_READ | PROT_WRITE;
		void *map = mmap(NULL, b->page, prot, MAP_SHARED, files[i], 0);
		struct vma_look look;

		if (map == MAP_FAILED || !vma_look(map, &look))
			return ktap_fail("mmap or smaps: %s", strerror(errno));
		munmap(map, b->page);
		if (strncmp(look.flags, wanted[i], strlen(wanted[i])))
			return ktap_fail("VmFlags: %s, expected %s", look.flags, wanted[i]);
	}
	close(files[1]);

	return KTAP_OK;
}

/* #endregion test-vma-flags */

/* #region test-vma-split */
/* A hole makes two vmas out of one; the second one's offset is that of its bytes. */
static enum ktap_result test_vma_split(void *buffer)
{
	const struct buffer *b = buffer;
	char *map = buffer_map(b, 5 * b->page, 3 * b->page);
	struct vma_look first, second;

	if (map == MAP_FAILED || munmap(map + b->page, b->page))
		return ktap_fail("mmap or munmap: %s", strerror(errno));
	if (!vma_look(map, &first) || !vma_look(map + 2 * b->page, &second))
		return ktap_fail("not two mappings");
	munmap(map, 5 * b->page);
	if (first.end - first.start != b->page || first.offset != 3 * b->page)
		return ktap_fail("%#lx bytes at %#llx", first.end - first.start, first.offset);
	if (second.end - second.start != 3 * b->page || second.offset != 5 * b->page)
		return ktap_fail("second: %#lx bytes at %#llx", second.end - second.start,
				 second.offset);

	return strcmp(first.flags, second.flags) ? ktap_fail("other flags") : KTAP_OK;
}

/* #endregion test-vma-split */

/* #region test-pagemap */
/* The pagemap leaves raw page frames out, touched or not; a page of ours it tells. */
static enum ktap_result test_pagemap(void *buffer)
{
	const struct buffer *b = buffer;
	char *map = buffer_map(b, b->page, 0);
	char *own = mmap(NULL, b->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t entry, of_own;

	if (map == MAP_FAILED || own == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	map[0] = 1;
	own[0] = 1;
	if (!pagemap_entry(map, &entry) || !pagemap_entry(own, &of_own))
		return ktap_fail("pagemap: %s", strerror(errno));
	munmap(map, b->page);
	munmap(own, b->page);
	/* Bit 63: present. Bits 0 to 54: the page frame number, which root may see. */
	if (!(of_own >> 63) || !(of_own & ((1ULL << 55) - 1)))
		return ktap_fail("our own page has %#llx", (unsigned long long)of_own);
	if (entry)
		return ktap_fail("the buffer's page has %#llx", (unsigned long long)entry);

	return KTAP_OK;
}

/* #endregion test-pagemap */

/* #region faults-of-touching */
/* Read, or write, one word of each page. Return: how many faults that took. */
static long faults_of(char *map, const struct buffer *b, bool write)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (size_t at = 0; at < b->size; at += b->page) {
		if (write)
			map[at] = 1;
		else
			asm volatile("" : : "r" (map[at]));
	}
	getrusage(RUSAGE_SELF, &after);

	return after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt;
}

/* KiB of page tables that this process has. */
static long tables_kib(void)
{
	return proc_value("/proc/self/status", "VmPTE:");
}

/* #endregion faults-of-touching */

/* #region test-page-tables */
/* The tables are full when mmap returns; but the first write may have to mark a page dirty. */
static enum ktap_result test_page_tables(void *buffer)
{
	const struct buffer *b = buffer;
	long pages = b->size / b->page, tables = pages / (b->page / 8), grown = tables_kib();
	char *map = buffer_map(b, b->size, 0);
	long reads, writes;

	if (map == MAP_FAILED)
		return ktap_fail("mmap of all: %s", strerror(errno));
	grown = (tables_kib() - grown) * 1024 / (long)b->page;
	reads = faults_of(map, b, false);
	writes = faults_of(map, b, true);
	munmap(map, b->size);
	ktap_note("%ld pages, %ld tables; faults: %s to read, %s to write", pages, grown,
		  reads > FEW ? "many" : "none", writes > FEW ? "one a page" : "none");
	if (labs(grown - tables - 1) > 1)
		return ktap_fail("%ld page tables, expected about %ld", grown, tables);
	if (reads > FEW || (writes > FEW && labs(writes - pages) > FEW))
		return ktap_fail("%ld faults to read, %ld to write", reads, writes);
	return KTAP_OK;
}

/* #endregion test-page-tables */

/* #region test-no-pages */
/* There are no pages to hold on to: whoever asks for them is refused. */
static enum ktap_result test_no_pages(void *buffer)
{
	const struct buffer *b = buffer;
	char *map = buffer_map(b, b->page, 0), own[8];
	struct iovec from = { map, 8 };
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), ends[2], peeked, lent;

	if (map == MAP_FAILED || mem < 0 || pipe(ends))
		return ktap_fail("mmap, open or pipe: %s", strerror(errno));
	peeked = pread(mem, own, 8, (off_t)(unsigned long)map) < 0 ? errno : 0;
	lent = vmsplice(ends[1], &from, 1, 0) < 0 ? errno : 0;
	/* A copy by the processor is another thing. */
	if (write(ends[1], map, 8) != 8 || read(ends[0], own, 8) != 8 || memcmp(map, own, 8))
		return ktap_fail("write out of the mapping: %s", strerror(errno));
	ktap_note("write: 8 bytes; vmsplice: %s; /proc/self/mem: %s", strerror(lent),
		  strerror(peeked));
	if (peeked != EIO || lent != EFAULT)
		return ktap_fail("expected EFAULT and EIO");

	return munmap(map, b->page) ? KTAP_FAIL : KTAP_OK;
}

/* #endregion test-no-pages */

/* #region test-kernel-mapping */
/* How the kernel reaches the same bytes: by an area of its own, or not. */
static enum ktap_result test_kernel_mapping(void *buffer)
{
	const struct buffer *b = buffer;
	unsigned long long address;
	char line[256] = "none";
	int areas;

	if (!kind->words) {
		areas = vmalloc_areas(b->size, "", line, sizeof(line), &address);
		return areas ? ktap_fail("an area of this size: %s", line) : KTAP_OK;
	}
	areas = vmalloc_areas(b->size, kind->words, line, sizeof(line), &address);
	if (areas != 1)
		return ktap_fail("%d areas with “%s”", areas, kind->words);
	ktap_note("%s", strchr(line, ' ') + 1);

	return KTAP_OK;
}

/* #endregion test-kernel-mapping */

/* #region memory-type-at */
/* The line of the kernel's page tables that @address lies in. */
static bool memory_type_at(unsigned long long address, char *line, size_t length)
{
	FILE *tables = fopen("/sys/kernel/debug/kernel_page_tables", "re");
	unsigned long long start, end;
	bool found = false;

	while (tables && !found && fgets(line, length, tables))
		found = sscanf(line, "0x%llx-0x%llx", &start, &end) == 2 && start <= address &&
			address < end;
	if (tables)
		fclose(tables);

	return found;
}

/* #endregion memory-type-at */

/* #region test-memory-type */
/* Where the kernel mapped the buffer apart, it mapped it uncached (NC). */
static enum ktap_result test_memory_type(void *buffer)
{
	const struct buffer *b = buffer;
	unsigned long long address;
	char line[256];

	if (access("/sys/kernel/debug/kernel_page_tables", R_OK))
		return ktap_skip("no kernel_page_tables: CONFIG_PTDUMP_DEBUGFS is off");
	if (!kind->words)
		return ktap_skip("the linear mapping has no area to look up");
	if (vmalloc_areas(b->size, kind->words, line, sizeof(line), &address) != 1)
		return ktap_fail("not one area");
	if (!memory_type_at(address, line, sizeof(line)))
		return ktap_fail("%#llx is not in the kernel's page tables", address);
	if (!strstr(line, "MEM/NORMAL-NC"))
		return ktap_fail("%.*s, expected MEM/NORMAL-NC", (int)strcspn(line, "\n"), line);

	return KTAP_OK;
}

/* #endregion test-memory-type */

/* #region vma-look-test-table */
static const struct ktap_test tests[] = {
	{ "vma-line", test_vma_line },
	{ "vma-flags", test_vma_flags },
	{ "vma-split", test_vma_split },
	{ "pagemap", test_pagemap },
	{ "page-tables", test_page_tables },
	{ "no-pages", test_no_pages },
	{ "kernel-mapping", test_kernel_mapping },
	{ "memory-type", test_memory_type },
};

/* #endregion vma-look-test-table */

/* #region vma-look-test-main */
int main(int argc, char **argv)
{
	struct buffer b = { .path = argc == 3 ? argv[2] : NULL };

	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(argv[1], kinds[i].name))
			kind = &kinds[i];
	if (!kind) {
		fprintf(stderr, "usage: %s pool|remapped|linear DEVICE\n", argv[0]);
		return 2;
	}
	if (!buffer_open(&b)) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", b.path, strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &b) ? 1 : 0;
}

/* #endregion vma-look-test-main */
