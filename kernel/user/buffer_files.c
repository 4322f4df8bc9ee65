// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the buffer as a file, for both drivers: reading and writing at odd
 * places, positions that are not there, memory of the program's that is not
 * there, and what mmap(2) is not even asked about.
 */

/* #region buffer-files-positions */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer_tests.h"

#define ODD_BYTES 8193

/* The pattern of bytes @offset … @offset + @length, at any offset. */
static void pattern_bytes(unsigned char *bytes, size_t offset, size_t length)
{
	uint64_t word;

	for (size_t i = 0; i < length; i++) {
		word = pattern_word((offset + i) & ~(size_t)7);
		memcpy(bytes + i, (unsigned char *)&word + (offset + i) % 8, 1);
	}
}

/* Read, invert and write back, and see the neighbours unchanged; then put it right. */
static enum ktap_result odd_piece(const struct buffer *b, size_t offset, size_t length)
{
	static unsigned char got[ODD_BYTES + 2], expected[ODD_BYTES + 2], other[ODD_BYTES];

	pattern_bytes(expected, offset - 1, length + 2);
	if (pread(b->fd, got, length + 2, offset - 1) != (ssize_t)length + 2 ||
	    memcmp(got, expected, length + 2))
		return ktap_fail("pread of %zu bytes at %#zx", length + 2, offset - 1);
	for (size_t i = 0; i < length; i++)
		other[i] = ~expected[i + 1];
	if (pwrite(b->fd, other, length, offset) != (ssize_t)length)
		return ktap_fail("pwrite of %zu bytes at %#zx", length, offset);
	if (pread(b->fd, got, length + 2, offset - 1) != (ssize_t)length + 2 ||
	    got[0] != expected[0] || memcmp(got + 1, other, length) ||
	    got[length + 1] != expected[length + 1])
		return ktap_fail("%zu bytes written at %#zx are not those read", length, offset);
	if (pwrite(b->fd, expected + 1, length, offset) != (ssize_t)length)
		return ktap_fail("pwrite back: %s", strerror(errno));

	return KTAP_OK;
}

enum ktap_result test_odd_pieces(void *buffer)
{
	static const size_t lengths[] = { 1, 7, 4095, 4097, ODD_BYTES };
	const struct buffer *b = buffer;
	const size_t offsets[] = { 1, 3, b->page - 1, b->page + 1, b->size / 2 + 5,
				   b->size - ODD_BYTES - 2 };
	enum ktap_result result = KTAP_OK;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++)
		for (size_t k = 0; result == KTAP_OK && k < sizeof(lengths) / sizeof(*lengths); k++)
			result = odd_piece(b, offsets[i], lengths[k]);

	return result;
}

/* Positions that the buffer does not have: an errno, and the old position stays. */
enum ktap_result test_positions(void *buffer)
{
	static const struct {
		off_t offset;
		int whence;
	} refused[] = {
		{ -1, SEEK_SET }, { 1, SEEK_END }, { INT64_MAX, SEEK_SET }, { INT64_MAX, SEEK_CUR },
		{ INT64_MIN, SEEK_END }, { 0, SEEK_DATA },
	};
	const struct buffer *b = buffer;

	if (lseek(b->fd, 8, SEEK_SET) != 8)
		return ktap_fail("lseek to 8: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (lseek(b->fd, refused[i].offset, refused[i].whence) != -1 || errno != EINVAL)
			return ktap_fail("lseek by %lld: %s, expected EINVAL",
					 (long long)refused[i].offset, strerrorname_np(errno));
	if (lseek(b->fd, 0, SEEK_CUR) != 8)
		return ktap_fail("a refused lseek moved the position");

	return lseek(b->fd, -8, SEEK_END) == (off_t)b->size - 8 ? KTAP_OK : ktap_fail("to -8");
}

/* Far behind the end: nothing to read, no room to write; no wrapping round to 0. */
enum ktap_result test_far_offsets(void *buffer)
{
	const struct buffer *b = buffer;
	const off_t far[] = { b->size, (off_t)1 << 32, (off_t)1 << 40, INT64_MAX - 4096 };
	uint64_t word = 0;

	for (size_t i = 0; i < sizeof(far) / sizeof(*far); i++) {
		if (pread(b->fd, &word, 8, far[i]) != 0)
			return ktap_fail("pread at %#llx read something", (long long)far[i]);
		if (pwrite(b->fd, &word, 8, far[i]) != -1 || errno != ENOSPC)
			return ktap_fail("pwrite at %#llx: %s, expected ENOSPC",
					 (long long)far[i], strerrorname_np(errno));
		if (pwrite(b->fd, &word, 0, far[i]) != 0)
			return ktap_fail("pwrite of nothing at %#llx", (long long)far[i]);
	}
	if (pread(b->fd, &word, 8, -8) != -1 || errno != EINVAL)
		return ktap_fail("pread at -8: %s, expected EINVAL", strerrorname_np(errno));
	if (pread(b->fd, &word, 8, 0) != 8 || word != pattern_word(0))
		return ktap_fail("the first word changed");

	return KTAP_OK;
}

/* #endregion buffer-files-positions */

/* #region buffer-files-pointers */
/* What could not be copied must have changed nothing, not even to zeros. */
static enum ktap_result expect_first_pages(const struct buffer *b)
{
	uint64_t *words = buffer_map(b, 2 * b->page, 0);
	ssize_t wrong;

	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	wrong = pattern_differs(words, 0, 2 * b->page);
	pattern_fill(words, 0, 2 * b->page);
	munmap(words, 2 * b->page);

	return wrong < 0 ? KTAP_OK : ktap_fail("byte %#zx was lost", (size_t)wrong);
}

/* As much as fits may be copied (arm64 stops some bytes early); nothing at all is EFAULT. */
enum ktap_result test_bad_pointers(void *buffer)
{
	const struct buffer *b = buffer;
	char *two = mmap(NULL, 2 * b->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ssize_t got;

	if (two == MAP_FAILED || munmap(two + b->page, b->page))
		return ktap_fail("mmap: %s", strerror(errno));
	if (pread(b->fd, two + b->page, b->page, 0) != -1 || errno != EFAULT)
		return ktap_fail("pread to nowhere: %s, expected EFAULT", strerror(errno));
	if (pwrite(b->fd, two + b->page, b->page, 0) != -1 || errno != EFAULT)
		return ktap_fail("pwrite from nowhere: %s, expected EFAULT", strerror(errno));
	got = pread(b->fd, two + b->page - 64, b->page, 0);
	if (got < 1 || got > 64)
		return ktap_fail("pread with room for 64 bytes gave %zd", got);
	pattern_fill((uint64_t *)(two + b->page - 64), 0, 64);
	got = pwrite(b->fd, two + b->page - 64, b->page, 0);
	if (got < 1 || got > 64)
		return ktap_fail("pwrite of which 64 bytes are there gave %zd", got);
	munmap(two, b->page);
	return expect_first_pages(b);
}

/* read(2) into, and write(2) out of, a mapping of the same buffer. */
enum ktap_result test_own_mapping(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, 2 * b->page, 0);
	enum ktap_result result = KTAP_OK;

	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	if (pread(b->fd, words, b->page, b->page) != (ssize_t)b->page)
		result = ktap_fail("pread into the mapping: %s", strerror(errno));
	else if (pattern_differs(words, b->page, b->page) != -1)
		result = ktap_fail("page 0 is not what was read from page 1");
	pattern_fill(words, 0, b->page);
	if (pwrite(b->fd, words, b->page, b->page) != (ssize_t)b->page)
		result = ktap_fail("pwrite out of the mapping: %s", strerror(errno));
	else if (memcmp(words, words + b->page / 8, b->page))
		result = ktap_fail("page 1 is not what was written from page 0");
	pattern_fill(words, 0, 2 * b->page);
	munmap(words, 2 * b->page);

	return result;
}

/* What mmap(2) refuses before it asks the driver. */
enum ktap_result test_mmap_arguments(void *buffer)
{
	const struct buffer *b = buffer;
	int write_only = open(b->path, O_WRONLY | O_CLOEXEC);

	if (write_only < 0)
		return ktap_fail("open to write: %s", strerror(errno));
	if (mmap(NULL, 0, PROT_READ, MAP_SHARED, b->fd, 0) != MAP_FAILED || errno != EINVAL)
		return ktap_fail("no bytes: %s, expected EINVAL", strerrorname_np(errno));
	if (mmap(NULL, b->page, PROT_READ, MAP_SHARED, b->fd, 1) != MAP_FAILED || errno != EINVAL)
		return ktap_fail("offset 1: %s, expected EINVAL", strerrorname_np(errno));
	if (mmap(NULL, b->page, PROT_WRITE, MAP_SHARED, write_only, 0) != MAP_FAILED ||
	    errno != EACCES)
		return ktap_fail("write only: %s, expected EACCES", strerrorname_np(errno));
	close(write_only);

	return KTAP_OK;
}

/* #endregion buffer-files-pointers */
