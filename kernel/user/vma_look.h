/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc says of a process' own mappings and of the kernel's.
 */
/* #region vma-look-types */
#ifndef VMA_LOOK_H
#define VMA_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct vma_look - one mapping, as /proc/self/smaps has it
 * @start: first address; @end: the one behind the last
 * @mode: such as rw-s
 * @offset: of the first byte in the file
 * @inode: of the file
 * @path: of the file
 * @rss: KiB counted as the process' own memory
 * @flags: the words behind VmFlags:
 */
struct vma_look {
	unsigned long start, end;
	char mode[8];
	unsigned long long offset;
	unsigned long inode;
	char path[128];
	unsigned long rss;
	char flags[128];
};

/* #endregion vma-look-types */

/* #region vma-look-functions */
/* The mapping that begins at @start. Return: false when there is none. */
bool vma_look(const void *start, struct vma_look *look);

/* The 64 bits that /proc/self/pagemap has for an address. Return: false, errno. */
bool pagemap_entry(const void *address, uint64_t *entry);

/*
 * The kernel's mapping of @size bytes in /proc/vmallocinfo whose line has @words
 * in it. Return: how many; the last one's line and address are in @line, @address.
 */
int vmalloc_areas(size_t size, const char *words, char *line, size_t length,
		  unsigned long long *address);

#endif /* VMA_LOOK_H */
/* #endregion vma-look-functions */
