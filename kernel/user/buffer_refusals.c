// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what must be refused, for both drivers: pages outside the buffer,
 * mappings that would copy it, writing without the right to, growing, and
 * taking the driver away while someone still holds its memory.
 */

/* #region buffer-refusals-bounds */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buffer_tests.h"

/*
 * mmap(2) must fail with this errno. A mapping that should not be there is
 * never touched: behind it may be anybody's memory.
 */
static enum ktap_result expect_refused(int fd, size_t length, int prot, int flags, off_t offset,
				       int expected)
{
	void *map = mmap(NULL, length, prot, flags, fd, offset);

	if (map != MAP_FAILED) {
		munmap(map, length);
		return ktap_fail("%zu bytes at %#llx were mapped, expected %s", length,
				 (unsigned long long)offset, strerrorname_np(expected));
	}
	if (errno != expected)
		return ktap_fail("%zu bytes at %#llx: %s, expected %s", length,
				 (unsigned long long)offset, strerrorname_np(errno),
				 strerrorname_np(expected));

	return KTAP_OK;
}

static enum ktap_result expect_outside(const struct buffer *b, size_t length, off_t offset)
{
	return expect_refused(b->fd, length, PROT_READ | PROT_WRITE, MAP_SHARED, offset,
			      b->range_errno);
}

enum ktap_result test_past_end(void *buffer)
{
	const struct buffer *b = buffer;

	return expect_outside(b, b->size + b->page, 0);
}

enum ktap_result test_across_end(void *buffer)
{
	const struct buffer *b = buffer;

	return expect_outside(b, 2 * b->page, b->size - b->page);
}

enum ktap_result test_offset_at_end(void *buffer)
{
	const struct buffer *b = buffer;

	return expect_outside(b, b->page, b->size);
}

/* The largest offset there is: offset plus length must not wrap round to 0. */
enum ktap_result test_offset_huge(void *buffer)
{
	const struct buffer *b = buffer;
	off_t end = INT64_MAX - b->page + 1;

	/* Beyond 4 GiB a 32-bit kernel does not ask the driver: EOVERFLOW. */
	if (sizeof(long) == 4)
		end = (off_t)UINT32_MAX - b->page + 1;

	return expect_outside(b, b->page, end - b->page);
}

/* #endregion buffer-refusals-bounds */

/* #region buffer-refusals-rights */
/* Private is refused whether or not it is for writing: mprotect could add that. */
enum ktap_result test_private_refused(void *buffer)
{
	const struct buffer *b = buffer;

	if (expect_refused(b->fd, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, EINVAL) !=
	    KTAP_OK)
		return KTAP_FAIL;

	return expect_refused(b->fd, b->page, PROT_READ, MAP_PRIVATE, 0, EINVAL);
}

/* A file opened for reading: no shared mapping to write, but one to read. */
enum ktap_result test_read_only_file(void *buffer)
{
	const struct buffer *b = buffer;
	int fd = open(b->path, O_RDONLY | O_CLOEXEC);
	enum ktap_result result;
	uint64_t *words;

	if (fd < 0)
		return ktap_fail("open: %s", strerror(errno));
	result = expect_refused(fd, b->page, PROT_READ | PROT_WRITE, MAP_SHARED, 0, EACCES);
	words = mmap(NULL, b->page, PROT_READ, MAP_SHARED, fd, 0);
	if (words == MAP_FAILED)
		result = ktap_fail("mmap to read: %s", strerror(errno));
	else if (pattern_differs(words, 0, b->page) >= 0)
		result = ktap_fail("the read-only mapping shows other bytes");
	else if (!mprotect(words, b->page, PROT_READ | PROT_WRITE))
		result = ktap_fail("mprotect made the read-only mapping writable");
	if (words != MAP_FAILED)
		munmap(words, b->page);
	close(fd);

	return result;
}

/* The VmFlags line of the mapping that starts at @start. */
static bool vm_flags_of(const void *start, char *flags, size_t length)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	bool here = false, found = false;
	unsigned long from, to;
	char line[512];

	while (smaps && !found && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from == (unsigned long)start;
		found = here && !strncmp(line, "VmFlags:", 8);
	}
	if (smaps)
		fclose(smaps);
	snprintf(flags, length, "%.*s", (int)strcspn(line, "\n"), line);

	return found;
}

/* Raw page frames (pf io): not to be grown (de), not in core dumps (dd). */
enum ktap_result test_vm_flags(void *buffer)
{
	static const char *const wanted[] = { " sh", " pf", " io", " de", " dd" };
	const struct buffer *b = buffer;
	void *map = buffer_map(b, b->page, 0);
	char flags[256];
	bool found;

	if (map == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	found = vm_flags_of(map, flags, sizeof(flags));
	munmap(map, b->page);
	if (!found)
		return ktap_fail("no VmFlags line for the mapping");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!strstr(flags, wanted[i]))
			return ktap_fail("%s, expected%s", flags, wanted[i]);

	return KTAP_OK;
}

/* VM_DONTEXPAND: the driver checked one length, and mremap asks nobody. */
enum ktap_result test_grow_refused(void *buffer)
{
	const struct buffer *b = buffer;
	void *map = buffer_map(b, b->page, 0), *grown;
	int error;

	if (map == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	grown = mremap(map, b->page, 2 * b->page, MREMAP_MAYMOVE);
	error = errno;
	if (grown != MAP_FAILED) {
		munmap(grown, 2 * b->page);
		return ktap_fail("mremap grew the mapping, expected EFAULT");
	}
	munmap(map, b->page);
	if (error != EFAULT)
		return ktap_fail("mremap: %s, expected EFAULT", strerrorname_np(error));

	return KTAP_OK;
}

/* #endregion buffer-refusals-rights */

/* #region buffer-refusals-ends */
/* read and write stop where the buffer does. */
enum ktap_result test_read_write_ends(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t two[2] = { 0, 0 }, last = pattern_word(b->size - 8);
	ssize_t got;

	got = pread(b->fd, two, sizeof(two), b->size - 8);
	if (got != 8 || two[0] != last)
		return ktap_fail("pread of 16 bytes across the end gave %zd", got);
	got = pread(b->fd, two, sizeof(two), b->size);
	if (got)
		return ktap_fail("pread at the end gave %zd, expected 0", got);
	two[0] = last;
	got = pwrite(b->fd, two, sizeof(two), b->size - 8);
	if (got != 8)
		return ktap_fail("pwrite of 16 bytes across the end gave %zd", got);
	if (pwrite(b->fd, two, sizeof(two), b->size) != -1 || errno != ENOSPC)
		return ktap_fail("pwrite at the end: %s, expected ENOSPC", strerrorname_np(errno));

	return KTAP_OK;
}

/* The file is closed and only a mapping is left: it must hold the module. */
enum ktap_result test_unload_refused(void *buffer)
{
	struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, b->page, b->size - b->page);
	enum ktap_result result = KTAP_OK;

	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	close(b->fd);
	if (!syscall(SYS_delete_module, b->module, O_NONBLOCK))
		return ktap_fail("%s was unloaded under a mapping", b->module);
	if (errno != EWOULDBLOCK)
		result = ktap_fail("delete_module: %s, expected EAGAIN", strerrorname_np(errno));
	if (pattern_differs(words, b->size - b->page, b->page) >= 0)
		result = ktap_fail("the mapping lost its contents with the file");
	munmap(words, b->page);
	if (!buffer_open(b))
		result = ktap_fail("open again: %s", strerror(errno));

	return result;
}

/* #endregion buffer-refusals-ends */
