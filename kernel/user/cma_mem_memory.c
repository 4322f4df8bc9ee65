// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the memory behind /dev/cma_mem: whoever looks at it, through a mapping
 * of either kind or through the kernel, sees the same bytes at the same offset.
 */

/* #region cma-mem-memory-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer.h"
#include "cma_mem_bench.h"
#include "cma_mem_tests.h"

#define WC CMA_MEM_WRITE_COMBINE
#define PAGES 375 /* a frame of 800 × 480 × 4 bytes */
static enum ktap_result zeroed_after_use(struct bench *b, uint32_t flags)
{
	size_t size = PAGES * b->page, words = size / sizeof(uint64_t);
	int fd = open_file(b, O_RDWR);

	for (int round = 0; round < 3; round++) {
		uint64_t *at;

		EXPECT(do_allocate(fd, size, flags, NULL), 0);
		NEED(at = map_file(b, fd, size, 0));
		for (size_t i = 0; i < words; i++)
			if (at[i])
				return ktap_fail("round %d, byte %#zx holds %#018llx", round,
						 8 * i, (unsigned long long)at[i]);
		memset(at, 0xd1, size);
		unmap(b, at);
		EXPECT(do_free(fd), 0);
	}

	return KTAP_OK;
}

/* Memory that others used, here ourselves, is handed out cleared. */
enum ktap_result test_starts_zeroed(void *context)
{
	struct bench *b = fresh(context);

	CHECK(zeroed_after_use(b, WC));
	return zeroed_after_use(b, 0);
}

/* Written through a mapping of one kind, read through one of the other. */
static enum ktap_result whole_buffer(struct bench *b, uint32_t flags, uint32_t how, uint32_t other)
{
	size_t size = PAGES * b->page;
	int fd = open_buffer(b, size, flags);
	uint64_t *to = map_how(b, fd, how, size, 0), *from;

	NEED(to);
	pattern_fill(to, 0, size);
	unmap(b, to);
	from = map_how(b, fd, other, size, 0);
	NEED(from);

	return expect_pattern(from, 0, size);
}

enum ktap_result test_whole_dma(void *context)
{
	return whole_buffer(fresh(context), WC, CMA_MEM_MAP_DMA, CMA_MEM_MAP_PFN);
}

enum ktap_result test_whole_pfn(void *context)
{
	return whole_buffer(fresh(context), WC, CMA_MEM_MAP_PFN, CMA_MEM_MAP_DMA);
}

/* The same for a buffer of dma_alloc_coherent(). */
enum ktap_result test_coherent_buffer(void *context)
{
	struct bench *b = fresh(context);

	CHECK(whole_buffer(b, 0, CMA_MEM_MAP_PFN, CMA_MEM_MAP_DMA));
	return whole_buffer(b, 0, CMA_MEM_MAP_DMA, CMA_MEM_MAP_PFN);
}

/* Both kinds at once: each word is written through one and seen through the other. */
enum ktap_result test_both_ways(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page, words = size / sizeof(uint64_t);
	int fd = open_buffer(b, size, WC);
	uint64_t *dma = map_how(b, fd, CMA_MEM_MAP_DMA, size, 0);
	uint64_t *pfn = map_how(b, fd, CMA_MEM_MAP_PFN, size, 0);

	NEED(dma && pfn && dma != pfn);
	for (size_t i = 0; i < words; i += 37) {
		dma[i] = pattern_word(8 * i);
		if (pfn[i] != pattern_word(8 * i))
			return ktap_fail("byte %#zx, written through dma, is not in pfn", 8 * i);
		pfn[i] = i + 1;
		if (dma[i] != i + 1)
			return ktap_fail("byte %#zx, written through pfn, is not in dma", 8 * i);
	}

	return KTAP_OK;
}

/* #endregion cma-mem-memory-includes */

/* #region cma-mem-test-kernel-reads */
/* read(2) copies through the kernel's own mapping. */
enum ktap_result test_kernel_reads(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int fd = open_buffer(b, size, WC);
	uint64_t *words = map_how(b, fd, CMA_MEM_MAP_PFN, size, 0), *copy = malloc(size);
	enum ktap_result result;

	NEED(words && copy);
	pattern_fill(words, 0, size);
	if (pread(fd, copy, size, 0) != (ssize_t)size)
		result = ktap_fail("pread of %zu bytes: %s", size, strerror(errno));
	else
		result = expect_pattern(copy, 0, size);
	free(copy);

	return result;
}

/* The kernel writes a page over: both mappings show it at once, and only there. */
enum ktap_result test_kernel_writes(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page, where[] = { 0, 1, PAGES / 2, PAGES - 1 };
	int fd = open_buffer(b, size, WC);
	uint64_t *dma = map_how(b, fd, CMA_MEM_MAP_DMA, size, 0);
	uint64_t *pfn = map_how(b, fd, CMA_MEM_MAP_PFN, size, 0);
	char ones[b->page];

	NEED(dma && pfn);
	memset(ones, 1, b->page);
	pattern_fill(dma, 0, size);
	for (size_t i = 0; i < 4; i++) {
		size_t at = where[i] * b->page;

		NEED(pwrite(fd, ones, b->page, at) == (ssize_t)b->page);
		NEED(!memcmp((char *)dma + at, ones, b->page));
		NEED(!memcmp((char *)pfn + at, ones, b->page));
		pattern_fill((uint64_t *)((char *)pfn + at), at, b->page);
	}

	return expect_pattern(dma, 0, size);
}

/* Pages from an offset show the bytes of that offset, not those of the start. */
static enum ktap_result offsets(struct bench *b, uint32_t how)
{
	static const size_t ranges[][2] = {
		{ 0, 1 }, { 1, 1 }, { 1, PAGES - 1 },
		{ PAGES / 2, 3 }, { PAGES - 2, 2 }, { PAGES - 1, 1 },
	};
	size_t size = PAGES * b->page;
	int fd = open_buffer(b, size, WC);
	uint64_t *words = map_file(b, fd, size, 0);

	NEED(words);
	pattern_fill(words, 0, size);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		size_t at = ranges[i][0] * b->page, length = ranges[i][1] * b->page;
		uint64_t *part = map_how(b, fd, how, length, at);

		NEED(part);
		CHECK(expect_pattern(part, at, length));
	}

	return KTAP_OK;
}

enum ktap_result test_offsets_dma(void *context)
{
	return offsets(fresh(context), CMA_MEM_MAP_DMA);
}

enum ktap_result test_offsets_pfn(void *context)
{
	return offsets(fresh(context), CMA_MEM_MAP_PFN);
}

/* #endregion cma-mem-test-kernel-reads */

/* #region cma-mem-test-ends */
/* read and write stop where the buffer does. */
enum ktap_result test_ends(void *context)
{
	struct bench *b = fresh(context);
	size_t size = 2 * b->page;
	int fd = open_buffer(b, size, WC);
	uint64_t two[2] = { 7, 8 };

	NEED(pwrite(fd, two, sizeof(two), size - 8) == 8);
	NEED(pwrite(fd, two, sizeof(two), size) == -1 && errno == ENOSPC);
	two[0] = 0;
	NEED(pread(fd, two, sizeof(two), size - 8) == 8);
	NEED(two[0] == 7 && two[1] == 8);
	NEED(pread(fd, two, sizeof(two), size) == 0);
	NEED(lseek(fd, size, SEEK_SET) == (off_t)size);
	NEED(lseek(fd, 1, SEEK_CUR) == -1 && errno == EINVAL);

	return KTAP_OK;
}

/* A write that fetches nothing leaves what was there; one that fetches a part, the rest. */
enum ktap_result test_failed_write(void *context)
{
	struct bench *b = fresh(context);
	size_t size = 2 * b->page;
	int fd = open_buffer(b, size, WC);
	char *two = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *words = map_file(b, fd, size, 0);
	ssize_t got;

	NEED(words && two != MAP_FAILED && !munmap(two + b->page, b->page));
	pattern_fill(words, 0, size);
	NEED(pwrite(fd, two + b->page, b->page, 0) == -1 && errno == EFAULT);
	CHECK(expect_pattern(words, 0, size));
	pattern_fill((uint64_t *)(two + b->page - 64), 0, 64);
	got = pwrite(fd, two + b->page - 64, b->page, 0);
	if (got < 1 || got > 64)
		return ktap_fail("pwrite of which 64 bytes are there gave %zd", got);
	munmap(two, b->page);

	return expect_pattern(words, 0, size);
}

/* #endregion cma-mem-test-ends */
