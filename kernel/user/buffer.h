/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reserved buffer as a test program holds it, and what both programs do with
 * it: open it, map pieces of it, fill them with a pattern, look for the first
 * word that differs, and ask the device tree where it should lie.
 */
/* #region buffer-types */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct buffer - the device under test
 * @path: the device, such as /dev/reserved-coherent
 * @module: the module's name, as delete_module(2) wants it
 * @fd: @path, opened for reading and writing
 * @size: bytes in the buffer, as lseek(2) told
 * @page: bytes in a page
 * @expected_size: bytes it should have; 0 means all of the region
 * @range_errno: what mmap(2) answers for pages that are not there
 * @first: the first contents must be as the lab arranged it (--zeroed, --kept)
 */
struct buffer {
	const char *path;
	const char *module;
	int fd;
	size_t size;
	size_t page;
	size_t expected_size;
	int range_errno;
	bool first;
};

/**
 * struct region - a node of /reserved-memory
 * @start: physical address of the first byte
 * @size: length in bytes
 */
struct region {
	uint64_t start;
	uint64_t size;
};

/* Open @b->path and set fd, size and page. Return: false, with errno. */
bool buffer_open(struct buffer *b);

/* Map @length bytes at @offset, shared, to read and write. Return: MAP_FAILED. */
void *buffer_map(const struct buffer *b, size_t length, off_t offset);

/* Write the pattern of bytes @offset … @offset + @length of the buffer. */
void pattern_fill(uint64_t *words, size_t offset, size_t length);

/* Return: offset in the buffer of the first word that differs, -1 for none. */
ssize_t pattern_differs(const uint64_t *words, size_t offset, size_t length);

/* The word the pattern has at byte @offset: another one at every offset. */
uint64_t pattern_word(size_t offset);

/* The region the device's memory-region names, read from the device tree. */
bool region_of(const struct buffer *b, struct region *region);

/* Last part of the path: the misc device's name. */
const char *buffer_name(const struct buffer *b);

/* Options and the device of a command line. Return: false after a usage line. */
bool buffer_arguments(struct buffer *b, int argc, char **argv, const char *first_option);

#endif /* BUFFER_H */
/* #endregion buffer-types */
