// SPDX-License-Identifier: GPL-2.0-only
/*
 * What both test programs share: see buffer.h. Nothing here judges; the tests
 * in buffer_tests.c and in the two programs do.
 */

/* #region buffer-open-and-pattern */
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer.h"

bool buffer_open(struct buffer *b)
{
	off_t end;

	b->fd = open(b->path, O_RDWR | O_CLOEXEC);
	if (b->fd < 0)
		return false;
	end = lseek(b->fd, 0, SEEK_END);
	if (end < 0)
		return false;
	b->size = end;
	b->page = sysconf(_SC_PAGESIZE);

	return true;
}

void *buffer_map(const struct buffer *b, size_t length, off_t offset)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, offset);
}

const char *buffer_name(const struct buffer *b)
{
	const char *slash = strrchr(b->path, '/');

	return slash ? slash + 1 : b->path;
}

/* Odd, so that no two offsets below 2^64 words get the same product. */
#define PATTERN_STEP 0x9e3779b97f4a7c15ULL

uint64_t pattern_word(size_t offset)
{
	return (offset / sizeof(uint64_t) + 1) * PATTERN_STEP;
}

void pattern_fill(uint64_t *words, size_t offset, size_t length)
{
	uint64_t word = pattern_word(offset);

	for (size_t i = 0; i < length / sizeof(*words); i++, word += PATTERN_STEP)
		words[i] = word;
}

ssize_t pattern_differs(const uint64_t *words, size_t offset, size_t length)
{
	uint64_t word = pattern_word(offset);

	for (size_t i = 0; i < length / sizeof(*words); i++, word += PATTERN_STEP)
		if (words[i] != word)
			return offset + i * sizeof(*words);

	return -1;
}

/* #endregion buffer-open-and-pattern */

/* #region buffer-region-of */
/* The 32-bit cells of a property. Return: how many were read, 0 for no file. */
static size_t read_cells(const char *path, uint32_t *cells, size_t count)
{
	FILE *file = fopen(path, "re");
	size_t got;

	if (!file)
		return 0;
	got = fread(cells, sizeof(*cells), count, file);
	fclose(file);
	for (size_t i = 0; i < got; i++)
		cells[i] = be32toh(cells[i]);

	return got;
}

static uint64_t join_cells(const uint32_t *cells, size_t count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 32 | *cells++;
	return value;
}

#define RESERVED_MEMORY "/proc/device-tree/reserved-memory"

/* The first entry of a region node's reg. */
static bool read_region(const char *node, struct region *region)
{
	uint32_t address_cells, size_cells, reg[4];
	char path[512];

	if (!read_cells(RESERVED_MEMORY "/#address-cells", &address_cells, 1) ||
	    !read_cells(RESERVED_MEMORY "/#size-cells", &size_cells, 1) ||
	    address_cells > 2 || size_cells > 2)
		return false;
	snprintf(path, sizeof(path), RESERVED_MEMORY "/%s/reg", node);
	if (read_cells(path, reg, 4) < address_cells + size_cells)
		return false;
	region->start = join_cells(reg, address_cells);
	region->size = join_cells(reg + address_cells, size_cells);

	return true;
}

bool region_of(const struct buffer *b, struct region *region)
{
	uint32_t wanted, phandle;
	struct dirent *entry;
	char path[512];
	bool found = false;
	DIR *nodes;

	snprintf(path, sizeof(path), "/sys/class/misc/%s/device/of_node/memory-region",
		 buffer_name(b));
	nodes = opendir(RESERVED_MEMORY);
	if (!nodes || !read_cells(path, &wanted, 1))
		return false;
	while (!found && (entry = readdir(nodes))) {
		snprintf(path, sizeof(path), RESERVED_MEMORY "/%s/phandle", entry->d_name);
		if (read_cells(path, &phandle, 1) && phandle == wanted)
			found = read_region(entry->d_name, region);
	}
	closedir(nodes);

	return found;
}

/* #endregion buffer-region-of */

/* #region buffer-arguments */
bool buffer_arguments(struct buffer *b, int argc, char **argv, const char *first_option)
{
	bool right = true;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], first_option))
			b->first = true;
		else if (!strcmp(argv[i], "--size") && i + 1 < argc)
			b->expected_size = strtoull(argv[++i], NULL, 0);
		else if (argv[i][0] != '-' && !b->path)
			b->path = argv[i];
		else
			right = false;
	}
	if (right && b->path)
		return true;

	fprintf(stderr, "usage: %s [%s] [--size BYTES] DEVICE\n", argv[0], first_option);
	return false;
}

/* #endregion buffer-arguments */
