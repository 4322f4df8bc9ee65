// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the mappings of /dev/cma_mem: what is refused, what kind of mapping it
 * is, and that the driver knows how many there are.
 */

/* #region cma-mem-mappings-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"
#include "cma_mem_bench.h"
#include "cma_mem_tests.h"
#include "memory_type.h"

#define WC CMA_MEM_WRITE_COMBINE
#define PAGES 5
/*
 * mmap(2) must fail with this errno. A mapping that should not be there is never
 * touched: behind it may be anybody's memory.
 */
static enum ktap_result refused(int fd, size_t length, int prot, int flags, off_t offset,
				int expected)
{
	void *map = mmap(NULL, length, prot, flags, fd, offset);

	if (map != MAP_FAILED) {
		munmap(map, length);
		return ktap_fail("%zu bytes at %#llx were mapped, expected %s", length,
				 (unsigned long long)offset, strerrorname_np(expected));
	}

	return expect_errno("mmap", errno, expected);
}

static enum ktap_result outside(int fd, size_t length, off_t offset)
{
	return refused(fd, length, PROT_READ | PROT_WRITE, MAP_SHARED, offset, ENXIO);
}

/* The largest offset there is: offset plus length must not wrap round to 0. */
static off_t huge_offset(const struct bench *b)
{
	/* Beyond 4 GiB a 32-bit kernel does not ask the driver: EOVERFLOW. */
	if (kernel_is_arm())
		return (off_t)UINT32_MAX + 1 - 2 * b->page;
	/* A 32-bit program gives the offset to the kernel in 32 bits, as pages. */
	if (sizeof(long) == 4)
		return (off_t)(UINT32_MAX - 1) * b->page;

	return INT64_MAX - 2 * b->page + 1;
}

/* #endregion cma-mem-mappings-includes */

/* #region cma-mem-bounds */
static enum ktap_result bounds(struct bench *b, uint32_t how)
{
	size_t size = PAGES * b->page;
	int fd = open_buffer(b, size, WC);

	EXPECT(do_map(fd, how), 0);
	CHECK(outside(fd, size + 1, 0));
	CHECK(outside(fd, size + b->page, 0));
	CHECK(outside(fd, 2 * b->page, size - b->page));
	CHECK(outside(fd, b->page, size));
	CHECK(outside(fd, b->page, size + b->page));
	CHECK(outside(fd, b->page, huge_offset(b)));
	NEED(map_file(b, fd, b->page, size - b->page));
	NEED(map_file(b, fd, 1, 0));

	return KTAP_OK;
}

/* #endregion cma-mem-bounds */

/* #region cma-mem-test-bounds-both */
enum ktap_result test_bounds_dma(void *context)
{
	return bounds(fresh(context), CMA_MEM_MAP_DMA);
}

enum ktap_result test_bounds_pfn(void *context)
{
	return bounds(fresh(context), CMA_MEM_MAP_PFN);
}

/* Private is refused whether or not it is for writing: mprotect could add that. */
enum ktap_result test_private(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, PAGES * b->page, WC);

	for (uint32_t how = CMA_MEM_MAP_DMA; how <= CMA_MEM_MAP_PFN; how++) {
		EXPECT(do_map(fd, how), 0);
		CHECK(refused(fd, PAGES * b->page, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, EINVAL));
		CHECK(refused(fd, b->page, PROT_READ, MAP_PRIVATE, 0, EINVAL));
	}

	return KTAP_OK;
}

static enum ktap_result readable_only(struct bench *b, int fd, uint32_t how)
{
	enum ktap_result result;
	uint64_t *seen;

	EXPECT(do_map(fd, how), 0);
	CHECK(refused(fd, b->page, PROT_READ | PROT_WRITE, MAP_SHARED, 0, EACCES));
	seen = mmap(NULL, b->page, PROT_READ, MAP_SHARED, fd, 0);
	NEED(seen != MAP_FAILED);
	result = expect_pattern(seen, 0, b->page);
	if (!mprotect(seen, b->page, PROT_READ | PROT_WRITE))
		result = ktap_fail("mprotect made the read-only mapping writable");
	munmap(seen, b->page);

	return result;
}

/* A file opened for reading: no mapping to write, but one to read. */
enum ktap_result test_read_only(void *context)
{
	struct bench *b = fresh(context);
	int owner = open_buffer(b, b->page, WC), reader = open_file(b, O_RDONLY);
	uint64_t *words = map_file(b, owner, b->page, 0);

	NEED(words);
	pattern_fill(words, 0, b->page);
	EXPECT(do_connect(reader, owner), 0);
	CHECK(readable_only(b, reader, CMA_MEM_MAP_DMA));
	return readable_only(b, reader, CMA_MEM_MAP_PFN);
}

/* #endregion cma-mem-test-bounds-both */

/* #region cma-mem-vm-flags-of */
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
enum ktap_result test_vm_flags(void *context)
{
	static const char *const wanted[] = { " sh", " pf", " io", " de", " dd" };
	struct bench *b = fresh(context);
	int fd = open_buffer(b, PAGES * b->page, WC);
	char flags[512];

	for (uint32_t how = CMA_MEM_MAP_DMA; how <= CMA_MEM_MAP_PFN; how++) {
		uint64_t *map = map_how(b, fd, how, 2 * b->page, b->page);

		NEED(map && vm_flags_of(map, flags, sizeof(flags)));
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
			if (!strstr(flags, wanted[i]))
				return ktap_fail("how %u: %s, expected%s", how, flags, wanted[i]);
		if (strstr(flags, " mm"))
			return ktap_fail("how %u: %s, expected no mixed map", how, flags);
	}

	return KTAP_OK;
}

/* The DMA API knows which memory type the kernel's view has; ours must be the same. */
static enum ktap_result same_type(struct bench *b, uint32_t flags)
{
	int fd = open_buffer(b, PAGES * b->page, flags), type[3];

	for (uint32_t how = CMA_MEM_MAP_DMA; how <= CMA_MEM_MAP_PFN; how++) {
		NEED(map_how(b, fd, how, PAGES * b->page, 0));
		type[how] = memory_type_last();
	}
	if (type[1] < 0 || type[1] != type[2])
		return ktap_fail("flags %u: memory type %d by the DMA API, %d by page frames",
				 flags, type[1], type[2]);
	ktap_note("flags %u: memory type %d in both ways", flags, type[1]);

	return KTAP_OK;
}

enum ktap_result test_memory_type(void *context)
{
	struct bench *b = fresh(context);
	enum ktap_result result;

	if (!memory_type_open())
		return ktap_skip("no probe on remap_pfn_range here (CONFIG_KPROBE_EVENTS)");
	result = same_type(b, WC);
	if (result == KTAP_OK)
		result = same_type(b, 0);
	memory_type_close();

	return result;
}

/* #endregion cma-mem-vm-flags-of */

/* #region cma-mem-test-grow */
/* VM_DONTEXPAND: the driver checked one length, and mremap asks nobody. */
enum ktap_result test_grow(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, PAGES * b->page, WC);

	for (uint32_t how = CMA_MEM_MAP_DMA; how <= CMA_MEM_MAP_PFN; how++) {
		uint64_t *map = map_how(b, fd, how, b->page, 0);
		void *grown;

		NEED(map);
		grown = mremap(map, b->page, 2 * b->page, MREMAP_MAYMOVE);
		if (grown != MAP_FAILED)
			return ktap_fail("how %u: mremap grew the mapping", how);
		EXPECT(errno, EFAULT);
	}

	return KTAP_OK;
}

/* No pages for the rest of the kernel to hold: it can copy, and nothing else. */
enum ktap_result test_no_pages(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, PAGES * b->page, WC), mem = open("/proc/self/mem", O_RDONLY);
	int ends[2], piped = pipe(ends);
	uint64_t *map = map_how(b, fd, CMA_MEM_MAP_PFN, b->page, 0), word = 0;
	ssize_t got;

	NEED(mem >= 0 && !piped && map);
	map[0] = pattern_word(0);
	got = pread(mem, &word, sizeof(word), (uintptr_t)map);
	close(mem);
	NEED(got == -1 && errno == EIO);
	NEED(madvise(map, b->page, MADV_DONTNEED) == -1 && errno == EINVAL);
	NEED(mlock(map, b->page) == 0);
	got = write(ends[1], map, sizeof(word));
	NEED(got == sizeof(word) && read(ends[0], &word, sizeof(word)) == sizeof(word));
	close(ends[0]);
	close(ends[1]);
	NEED(word == pattern_word(0));

	return KTAP_OK;
}

/* #endregion cma-mem-test-grow */

/* #region cma-mem-test-free-mapped */
enum ktap_result test_free_while_mapped(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, PAGES * b->page, WC);
	uint64_t *one = map_how(b, fd, CMA_MEM_MAP_DMA, b->page, 0);
	uint64_t *two = map_how(b, fd, CMA_MEM_MAP_PFN, PAGES * b->page, 0);

	NEED(one && two);
	pattern_fill(two, 0, PAGES * b->page);
	EXPECT(do_free(fd), EBUSY);
	unmap(b, one);
	EXPECT(do_free(fd), EBUSY);
	CHECK(expect_pattern(two, 0, PAGES * b->page));
	unmap(b, two);
	EXPECT(do_free(fd), 0);
	EXPECT(do_free(fd), ENOENT);
	NEED(total_used(fd) == 0);

	return KTAP_OK;
}

/* UNMAP promises that no mapping is there and none comes; MAP takes that back. */
enum ktap_result test_unmap(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, PAGES * b->page, WC);
	uint64_t *map = map_file(b, fd, b->page, 0), word = 5;
	struct cma_mem_size size;

	NEED(map);
	EXPECT(do_unmap(fd), EBUSY);
	unmap(b, map);
	EXPECT(do_unmap(fd), 0);
	EXPECT(get_size(fd, &size), 0);
	NEED(size.how == 0 && size.mappings == 0);
	CHECK(refused(fd, b->page, PROT_READ, MAP_SHARED, 0, EINVAL));
	NEED(pwrite(fd, &word, sizeof(word), 0) == sizeof(word));
	NEED(map = map_how(b, fd, CMA_MEM_MAP_PFN, b->page, 0));
	NEED(map[0] == 5);
	EXPECT(get_size(fd, &size), 0);
	NEED(size.how == CMA_MEM_MAP_PFN && size.mappings == 1);

	return KTAP_OK;
}

enum ktap_result test_how_refused(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, b->page, WC);
	struct cma_mem_size size;

	EXPECT(do_map(fd, CMA_MEM_MAP_PFN), 0);
	EXPECT(do_map(fd, 0), EINVAL);
	EXPECT(do_map(fd, 3), EINVAL);
	EXPECT(do_map(fd, UINT32_MAX), EINVAL);
	EXPECT(get_size(fd, &size), 0);
	NEED(size.how == CMA_MEM_MAP_PFN);

	return KTAP_OK;
}

static enum ktap_result mappings_are(int fd, unsigned int expected, const char *after)
{
	struct cma_mem_size size;

	EXPECT(get_size(fd, &size), 0);
	if (size.mappings != expected)
		return ktap_fail("after %s: %u mappings, expected %u", after, size.mappings,
				 expected);

	return KTAP_OK;
}

/* #endregion cma-mem-test-free-mapped */

/* #region cma-mem-test-count */
/* Every way in which a mapping comes and goes inside one process. */
enum ktap_result test_count(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int fd = open_buffer(b, size, WC);
	char *map = (char *)map_file(b, fd, size, 0), *moved, *room;

	NEED(map && mappings_are(fd, 1, "mmap") == KTAP_OK);
	room = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(map, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	NEED(moved == room);
	b->map[0].at = moved;
	CHECK(mappings_are(fd, 1, "mremap to another place"));
	NEED(!munmap(moved + 2 * b->page, b->page));
	CHECK(mappings_are(fd, 2, "munmap of the middle"));
	NEED(!mprotect(moved, b->page, PROT_READ));
	CHECK(mappings_are(fd, 3, "mprotect of the first page"));
	NEED(!munmap(moved + 3 * b->page, 2 * b->page));
	CHECK(mappings_are(fd, 2, "munmap of the end"));
	NEED(!munmap(moved, 2 * b->page));
	CHECK(mappings_are(fd, 0, "munmap of the rest"));
	return expect_errno("FREE", do_free(fd), 0);
}

/* #endregion cma-mem-test-count */

/* #region cma-mem-child-counts */
/* In the child: FREE is refused for the parent's mapping too. */
static int child_counts(struct bench *b)
{
	struct cma_mem_size size;

	if (get_size(b->fd[0], &size) || size.mappings != 4)
		return 1;
	munmap(b->map[0].at, b->page);
	munmap(b->map[1].at, b->page);
	if (do_free(b->fd[0]) != EBUSY)
		return 2;

	return get_size(b->fd[0], &size) || size.mappings != 2 ? 3 : 0;
}

enum ktap_result test_count_fork(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, PAGES * b->page, WC), status;

	NEED(map_how(b, fd, CMA_MEM_MAP_DMA, b->page, 0));
	NEED(map_how(b, fd, CMA_MEM_MAP_PFN, b->page, 0));
	status = in_child(b, child_counts);
	if (status)
		return ktap_fail("the child says %d", status);
	CHECK(mappings_are(fd, 2, "the child's end"));
	fresh(b);
	fd = open_file(b, O_RDWR);
	NEED(total_used(fd) == 0);

	return KTAP_OK;
}

/* #endregion cma-mem-child-counts */
