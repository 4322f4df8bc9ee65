// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the file of stream_dma: patterns and single values, written and
 * compared. See lending.h.
 */

/* #region lending-bytes */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lending.h"

static bool put(int fd, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
	ssize_t done = pwrite(fd, bytes, length, offset);

	if (done == (ssize_t)length)
		return true;
	ktap_fail("write of %u bytes at %#x: %s", length, offset,
		  done < 0 ? strerror(errno) : "too few");
	return false;
}

static bool get(int fd, uint32_t offset, uint8_t *bytes, uint32_t length)
{
	ssize_t done = pread(fd, bytes, length, offset);

	if (done == (ssize_t)length)
		return true;
	ktap_fail("read of %u bytes at %#x: %s", length, offset,
		  done < 0 ? strerror(errno) : "too few");
	return false;
}

/* A byte of the pattern. No period of a power of two: a shifted copy differs. */
static uint8_t pattern_byte(uint32_t i, uint8_t seed)
{
	return (uint8_t)(i * 7 + i / 251 + seed);
}

static bool same(int fd, uint32_t offset, const uint8_t *expected, uint32_t length)
{
	uint8_t *bytes = malloc(length);
	bool equal = get(fd, offset, bytes, length);

	for (uint32_t i = 0; equal && i < length; i++) {
		equal = bytes[i] == expected[i];
		if (!equal)
			ktap_fail("byte %#x holds %#04x, expected %#04x", offset + i, bytes[i],
				  expected[i]);
	}
	free(bytes);

	return equal;
}

bool put_pattern(int fd, uint32_t offset, uint32_t length, uint8_t seed)
{
	uint8_t *bytes = malloc(length);
	bool done;

	for (uint32_t i = 0; i < length; i++)
		bytes[i] = pattern_byte(i, seed);
	done = put(fd, offset, bytes, length);
	free(bytes);

	return done;
}

bool same_pattern_from(int fd, uint32_t offset, uint32_t length, uint8_t seed, uint32_t skip)
{
	uint8_t *bytes = malloc(length);
	bool equal;

	for (uint32_t i = 0; i < length; i++)
		bytes[i] = pattern_byte(skip + i, seed);
	equal = same(fd, offset, bytes, length);
	free(bytes);

	return equal;
}

bool same_pattern(int fd, uint32_t offset, uint32_t length, uint8_t seed)
{
	return same_pattern_from(fd, offset, length, seed, 0);
}

bool put_value(int fd, uint32_t offset, uint32_t length, uint8_t value)
{
	uint8_t *bytes = malloc(length);
	bool done;

	memset(bytes, value, length);
	done = put(fd, offset, bytes, length);
	free(bytes);

	return done;
}

bool same_value(int fd, uint32_t offset, uint32_t length, uint8_t value)
{
	uint8_t *bytes = malloc(length);
	bool equal;

	memset(bytes, value, length);
	equal = same(fd, offset, bytes, length);
	free(bytes);

	return equal;
}

/* #endregion lending-bytes */
