// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the memory itself, for both drivers: it lies where the device tree
 * says, and whoever looks at it, through whichever mapping, sees the same bytes.
 * What must be refused is in buffer_refusals.c.
 */

/* #region buffer-tests-place */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer_tests.h"
#include "reserved_buffer.h"

enum ktap_result test_region_address(void *buffer)
{
	const struct buffer *b = buffer;
	struct reserved_buffer_info info;
	struct region region;

	if (ioctl(b->fd, RESERVED_BUFFER_INFO, &info))
		return ktap_fail("RESERVED_BUFFER_INFO: %s", strerror(errno));
	if (!region_of(b, &region))
		return ktap_fail("no region found for %s in the device tree", buffer_name(b));
	if (info.address != region.start)
		return ktap_fail("buffer at %#llx, region at %#llx",
				 (unsigned long long)info.address,
				 (unsigned long long)region.start);

	ktap_note("buffer at %#llx, %llu KiB", (unsigned long long)info.address,
		  (unsigned long long)info.size >> 10);
	return KTAP_OK;
}

enum ktap_result test_region_size(void *buffer)
{
	const struct buffer *b = buffer;
	struct reserved_buffer_info info;
	unsigned long long expected = b->expected_size;
	struct region region;

	if (ioctl(b->fd, RESERVED_BUFFER_INFO, &info))
		return ktap_fail("RESERVED_BUFFER_INFO: %s", strerror(errno));
	if (!region_of(b, &region))
		return ktap_fail("no region found for %s in the device tree", buffer_name(b));
	if (!expected)
		expected = region.size;
	if (info.size != expected || b->size != expected)
		return ktap_fail("ioctl says %llu bytes, lseek %zu, expected %llu",
				 (unsigned long long)info.size, b->size, expected);

	return KTAP_OK;
}

/* #endregion buffer-tests-place */

/* #region buffer-tests-ask */
/* The same question asked by a child that is not root any more: its errno. */
static int errno_as_nobody(int fd)
{
	struct reserved_buffer_info info;
	int status;
	pid_t child = fork();

	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(0);
		_exit(ioctl(fd, RESERVED_BUFFER_INFO, &info) ? errno : 0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

enum ktap_result test_ioctl_errors(void *buffer)
{
	const struct buffer *b = buffer;

	if (ioctl(b->fd, _IO(0xbc, 0xff), 0) != -1 || errno != ENOTTY)
		return ktap_fail("an unknown command: %s, expected ENOTTY", strerror(errno));
	if (ioctl(b->fd, RESERVED_BUFFER_INFO, NULL) != -1 || errno != EFAULT)
		return ktap_fail("a NULL pointer: %s, expected EFAULT", strerror(errno));
	if (errno_as_nobody(b->fd) != EPERM)
		return ktap_fail("the address was not kept from a user without rights");

	return KTAP_OK;
}

/* #endregion buffer-tests-ask */

/* #region buffer-tests-contents */
/* Words that a test holds, compared with the pattern of their place. */
static enum ktap_result check_words(const uint64_t *words, size_t offset, size_t length)
{
	ssize_t wrong = pattern_differs(words, offset, length);

	if (wrong >= 0)
		return ktap_fail("byte %#zx holds %#018llx, expected %#018llx", (size_t)wrong,
				 (unsigned long long)words[(wrong - offset) / sizeof(*words)],
				 (unsigned long long)pattern_word(wrong));

	return KTAP_OK;
}

/* The pattern into every word of the buffer, then all of it read back. */
enum ktap_result test_whole_buffer(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, b->size, 0);
	enum ktap_result result;

	if (words == MAP_FAILED)
		return ktap_fail("mmap of %zu bytes: %s", b->size, strerror(errno));
	pattern_fill(words, 0, b->size);
	result = check_words(words, 0, b->size);
	munmap(words, b->size);

	return result;
}

/* The mapping is gone; a new one must show what the old one wrote. */
enum ktap_result test_contents_persist(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, b->size, 0);
	enum ktap_result result;

	if (words == MAP_FAILED)
		return ktap_fail("second mmap: %s", strerror(errno));
	result = check_words(words, 0, b->size);
	munmap(words, b->size);

	return result;
}

/* #endregion buffer-tests-contents */

/* #region test-kernel-reads-same */
/* read(2) copies through the kernel's own mapping of the memory. */
enum ktap_result test_kernel_reads_same(void *buffer)
{
	const struct buffer *b = buffer;
	size_t chunk = b->size < 1 << 20 ? b->size : 1 << 20;
	enum ktap_result result = KTAP_OK;
	uint64_t *words = malloc(chunk);

	for (size_t at = 0; result == KTAP_OK && at < b->size; at += chunk) {
		if (chunk > b->size - at)
			chunk = b->size - at;
		if (pread(b->fd, words, chunk, at) != (ssize_t)chunk)
			result = ktap_fail("pread of %zu bytes at %#zx: %s", chunk, at,
					   strerror(errno));
		else
			result = check_words(words, at, chunk);
	}
	free(words);

	return result;
}

/* #endregion test-kernel-reads-same */

/* #region buffer-tests-kernel-writes */
/* The kernel writes zeros over one page; the mapping must show them at once. */
static enum ktap_result kernel_writes(const struct buffer *b, uint64_t *words, size_t page_number)
{
	size_t at = page_number * b->page;
	uint64_t *page = words + at / sizeof(*words);
	char zeros[b->page];

	memset(zeros, 0, b->page);
	if (pwrite(b->fd, zeros, b->page, at) != (ssize_t)b->page)
		return ktap_fail("pwrite at %#zx: %s", at, strerror(errno));
	if (memcmp(page, zeros, b->page))
		return ktap_fail("page %zu does not show what the kernel wrote", page_number);
	if (page_number && check_words(page - 1, at - sizeof(*page), sizeof(*page)) != KTAP_OK)
		return KTAP_FAIL;
	pattern_fill(page, at, b->page);

	return KTAP_OK;
}

enum ktap_result test_kernel_writes_same(void *buffer)
{
	const struct buffer *b = buffer;
	size_t pages = b->size / b->page, where[] = { 0, 1, pages / 2, pages - 1 };
	uint64_t *words = buffer_map(b, b->size, 0);
	enum ktap_result result = KTAP_OK;

	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	for (size_t i = 0; result == KTAP_OK && i < 4; i++)
		result = kernel_writes(b, words, where[i]);
	munmap(words, b->size);

	return result;
}

/* #endregion buffer-tests-kernel-writes */

/* #region buffer-tests-pieces */
/* Pages mapped from an offset show the bytes of that offset, not of the start. */
static enum ktap_result pages_at(const struct buffer *b, size_t page_number, size_t count)
{
	size_t at = page_number * b->page, length = count * b->page;
	uint64_t *words = buffer_map(b, length, at);
	enum ktap_result result;

	if (words == MAP_FAILED)
		return ktap_fail("mmap of page %zu: %s", page_number, strerror(errno));
	result = check_words(words, at, length);
	munmap(words, length);

	return result;
}

enum ktap_result test_offset_page(void *buffer)
{
	const struct buffer *b = buffer;
	size_t pages = b->size / b->page, where[] = { 0, 1, pages / 2, pages - 2 };
	enum ktap_result result = KTAP_OK;

	if (pages < 3)
		return ktap_skip("a buffer of %zu pages has no page in the middle", pages);
	for (size_t i = 0; result == KTAP_OK && i < 4; i++)
		result = pages_at(b, where[i], i % 2 ? 2 : 1);

	return result;
}

enum ktap_result test_last_page(void *buffer)
{
	const struct buffer *b = buffer;

	return pages_at(b, b->size / b->page - 1, 1);
}

/* A child inherits the mapping: what it writes, the parent reads. */
enum ktap_result test_fork_shares(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, b->page, 0);
	uint64_t seen;
	int status;
	pid_t child;

	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	child = fork();
	if (!child) {
		words[1] = ~pattern_word(8);
		_exit(words[0] != pattern_word(0));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return ktap_fail("fork or waitpid: %s", strerror(errno));
	seen = words[1];
	words[1] = pattern_word(8);
	munmap(words, b->page);
	if (seen != ~pattern_word(8))
		return ktap_fail("the child's word is not in the parent's mapping");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return ktap_fail("the parent's word is not in the child's mapping");

	return KTAP_OK;
}

/* #endregion buffer-tests-pieces */
