// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the commands of /dev/cma_mem: what they take, what they refuse and with
 * which errno, and that a refusal changes nothing.
 */

/* #region cma-mem-commands-includes */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer.h"
#include "cma_mem_bench.h"
#include "cma_mem_tests.h"
/* Each field where the kernel put it. */
static enum ktap_result fields_are_there(struct bench *b)
{
	int fd = open_buffer(b, 3 * b->page, CMA_MEM_WRITE_COMBINE);
	struct cma_mem_size size;

	EXPECT(get_size(fd, &size), 0);
	if (size.size != 3 * b->page || size.flags != CMA_MEM_WRITE_COMBINE ||
	    size.how != CMA_MEM_MAP_DMA || size.mappings != 0 || size.files != 1)
		return ktap_fail("%llu bytes, flags %u, how %u, %u mappings, %u files",
				 (unsigned long long)size.size, size.flags, size.how,
				 size.mappings, size.files);

	return KTAP_OK;
}

/*
 * The kernel was built with the header's numbers, this program with its own copy.
 * A 32-bit program proves more: its long has half the size, its structures not.
 */
enum ktap_result test_layout(void *context)
{
	static const size_t sizes[][2] = {
		{ sizeof(struct cma_mem_allocate), 24 }, { sizeof(struct cma_mem_phys), 16 },
		{ sizeof(struct cma_mem_map), 8 },	 { sizeof(struct cma_mem_size), 24 },
		{ sizeof(struct cma_mem_total), 16 },	 { sizeof(struct cma_mem_connect), 8 },
		{ sizeof(struct cma_mem_range), 16 },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (sizes[i][0] != sizes[i][1])
			return ktap_fail("structure %zu has %zu bytes, expected %zu", i,
					 sizes[i][0], sizes[i][1]);

	ktap_note("a %zu-bit program", 8 * sizeof(long));
	return fields_are_there(fresh(context));
}

/* An answer fills its structure and not one byte more. */
static enum ktap_result answer_in_bounds(int fd, unsigned long number, size_t size)
{
	unsigned char bytes[64], other[64];

	memset(bytes, 0xa5, sizeof(bytes));
	memset(other, 0x5a, sizeof(other));
	EXPECT(command(fd, number, bytes + 16), 0);
	EXPECT(command(fd, number, other + 16), 0);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bool inside = i >= 16 && i < 16 + size;

		if (inside && bytes[i] != other[i])
			return ktap_fail("%#lx left byte %zu as it was", number, i - 16);
		if (!inside && (bytes[i] != 0xa5 || other[i] != 0x5a))
			return ktap_fail("%#lx wrote %d bytes from its start", number, (int)i - 16);
	}

	return KTAP_OK;
}

enum ktap_result test_answers_in_bounds(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, 3 * b->page, 0);

	CHECK(answer_in_bounds(fd, CMA_MEM_GET_PHYS, sizeof(struct cma_mem_phys)));
	CHECK(answer_in_bounds(fd, CMA_MEM_GET_SIZE, sizeof(struct cma_mem_size)));
	return answer_in_bounds(fd, CMA_MEM_GET_TOTAL_SIZE, sizeof(struct cma_mem_total));
}

/* #endregion cma-mem-commands-includes */

/* #region cma-mem-test-unknown */
/* Also a number that differs only in its size or direction, and the seed's own. */
enum ktap_result test_unknown_command(void *context)
{
	static const unsigned long numbers[] = {
		0, _IO(0xbc, 0x1a), _IO(0xbc, 0x10), _IO(0xbc, 0x15), _IOW('m', 5, unsigned int),
		_IOWR(0xbc, 0x15, struct cma_mem_size[2]),
		_IOW(0xbc, 0x15, struct cma_mem_allocate),
	};
	struct bench *b = fresh(context);
	struct cma_mem_allocate req = { .size = b->page };
	int fd = open_file(b, O_RDWR);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (command(fd, numbers[i], &req) != ENOTTY)
			return ktap_fail("command %#lx: %s, expected ENOTTY", numbers[i],
					 strerrorname_np(errno));
	EXPECT(do_free(fd), ENOENT);

	return KTAP_OK;
}

enum ktap_result test_bad_pointers(void *context)
{
	static const unsigned long numbers[] = {
		CMA_MEM_GET_PHYS, CMA_MEM_MAP, CMA_MEM_GET_SIZE, CMA_MEM_ALLOCATE,
		CMA_MEM_CONNECT, CMA_MEM_GET_TOTAL_SIZE, CMA_MEM_CACHE_FLUSH,
	};
	struct bench *b = fresh(context);
	int fd = open_buffer(b, 2 * b->page, 0);
	void *gone = mmap(NULL, b->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(gone != MAP_FAILED);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		int null = command(fd, numbers[i], NULL), none = command(fd, numbers[i], gone);

		if (null != EFAULT || none != EFAULT)
			return ktap_fail("command %#lx: NULL %d, no access %d, expected EFAULT",
					 numbers[i], null, none);
	}
	munmap(gone, b->page);

	return KTAP_OK;
}

/* The request can be read and the answer not written: the buffer must not stay. */
enum ktap_result test_answer_cannot_be_written(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_file(b, O_RDWR);
	int64_t before = total_used(fd);
	struct cma_mem_allocate *req = mmap(NULL, b->page, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(req != MAP_FAILED);
	*req = (struct cma_mem_allocate){ .size = 4 * b->page };
	NEED(!mprotect(req, b->page, PROT_READ));
	EXPECT(command(fd, CMA_MEM_ALLOCATE, req), EFAULT);
	munmap(req, b->page);
	EXPECT(do_free(fd), ENOENT);
	if (total_used(fd) != before)
		return ktap_fail("%lld bytes are used, %lld before", (long long)total_used(fd),
				 (long long)before);
	EXPECT(do_allocate(fd, b->page, 0, NULL), 0);

	return KTAP_OK;
}

enum ktap_result test_reserved_not_zero(void *context)
{
	struct bench *b = fresh(context);
	struct cma_mem_allocate allocate = { .size = b->page, .reserved = 1 };
	struct cma_mem_map map = { .how = CMA_MEM_MAP_PFN, .reserved = 0x80000000 };
	struct cma_mem_connect connect = { .fd = open_buffer(b, b->page, 0), .reserved = 1 };
	int fd = open_file(b, O_RDWR);
	struct cma_mem_size size;

	EXPECT(command(fd, CMA_MEM_ALLOCATE, &allocate), EINVAL);
	EXPECT(command(fd, CMA_MEM_CONNECT, &connect), EINVAL);
	EXPECT(get_size(fd, &size), ENOENT);
	EXPECT(command(connect.fd, CMA_MEM_MAP, &map), EINVAL);
	EXPECT(get_size(connect.fd, &size), 0);
	if (size.how != CMA_MEM_MAP_DMA)
		return ktap_fail("a refused MAP changed how to %u", size.how);

	return KTAP_OK;
}

/* Among them sizes that become 0 or small when they are rounded up or cut to 32 bits. */
enum ktap_result test_size_refused(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_file(b, O_RDWR);
	struct cma_mem_total total;
	uint64_t past_32 = (1ULL << 32) + 1, wraps = UINT64_MAX - b->page + 2;

	EXPECT(command(fd, CMA_MEM_GET_TOTAL_SIZE, &total), 0);
	EXPECT(do_allocate(fd, 0, 0, NULL), EINVAL);
	EXPECT(do_allocate(fd, total.limit + 1, 0, NULL), EINVAL);
	EXPECT(do_allocate(fd, past_32, 0, NULL), EINVAL);
	EXPECT(do_allocate(fd, wraps, 0, NULL), EINVAL);
	EXPECT(do_allocate(fd, UINT64_MAX, 0, NULL), EINVAL);
	EXPECT(do_allocate(fd, b->page, 2, NULL), EINVAL);
	EXPECT(do_allocate(fd, b->page, 0x80000000 | CMA_MEM_WRITE_COMBINE, NULL), EINVAL);
	EXPECT(do_free(fd), ENOENT);
	NEED(total_used(fd) == (int64_t)total.used);

	return KTAP_OK;
}

/* #endregion cma-mem-test-unknown */

/* #region cma-mem-test-granted */
static enum ktap_result granted_is(struct bench *b, uint64_t size, size_t pages)
{
	int fd = open_file(b, O_RDWR);
	struct cma_mem_size info;
	uint64_t granted = 0;
	off_t end;

	EXPECT(do_allocate(fd, size, CMA_MEM_WRITE_COMBINE, &granted), 0);
	EXPECT(get_size(fd, &info), 0);
	end = lseek(fd, 0, SEEK_END);
	if (granted != pages * b->page || info.size != granted || (uint64_t)end != granted)
		return ktap_fail("%llu: granted %llu, GET_SIZE %llu, lseek %lld, expected %zu",
				 (unsigned long long)size, (unsigned long long)granted,
				 (unsigned long long)info.size, (long long)end, pages * b->page);
	NEED(total_used(fd) == (int64_t)granted);
	close_file(b, fd);

	return KTAP_OK;
}

enum ktap_result test_granted(void *context)
{
	struct bench *b = fresh(context);
	const uint64_t frame = 800 * 480 * 4;

	CHECK(granted_is(b, 1, 1));
	CHECK(granted_is(b, b->page, 1));
	CHECK(granted_is(b, b->page + 1, 2));
	CHECK(granted_is(b, frame, (frame + b->page - 1) / b->page));
	return granted_is(b, frame + 1, frame / b->page + 1);
}

enum ktap_result test_second_allocate(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_buffer(b, 4 * b->page, 0);
	struct cma_mem_phys first, after;
	uint64_t *words = map_file(b, fd, 4 * b->page, 0);

	NEED(words);
	pattern_fill(words, 0, 4 * b->page);
	EXPECT(get_phys(fd, &first), 0);
	EXPECT(do_allocate(fd, b->page, 0, NULL), EBUSY);
	EXPECT(get_phys(fd, &after), 0);
	if (first.address != after.address || first.size != after.size)
		return ktap_fail("the second ALLOCATE moved the buffer");
	NEED(total_used(fd) == (int64_t)(4 * b->page));

	return expect_pattern(words, 0, 4 * b->page);
}

/* Before ALLOCATE: nothing to ask about, and an empty file. */
enum ktap_result test_without_buffer(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_file(b, O_RDWR);
	struct cma_mem_phys phys;
	struct cma_mem_size size;
	char byte = 1;

	EXPECT(get_phys(fd, &phys), ENOENT);
	EXPECT(get_size(fd, &size), ENOENT);
	EXPECT(do_map(fd, CMA_MEM_MAP_PFN), ENOENT);
	EXPECT(do_unmap(fd), ENOENT);
	EXPECT(do_flush(fd, 0, 1), ENOENT);
	EXPECT(do_free(fd), ENOENT);
	NEED(!map_file(b, fd, b->page, 0) && errno == EINVAL);
	NEED(read(fd, &byte, 1) == 0 && byte == 1);
	NEED(write(fd, &byte, 1) == -1 && errno == ENOSPC);
	NEED(lseek(fd, 0, SEEK_END) == 0);
	NEED(lseek(fd, 1, SEEK_SET) == -1 && errno == EINVAL);

	return KTAP_OK;
}

/* #endregion cma-mem-test-granted */

/* #region cma-mem-test-limit */
/* Buffers of a quarter of the limit: four fit, then not a page, until one goes. */
enum ktap_result test_limit_together(void *context)
{
	struct bench *b = fresh(context);
	int extra = open_file(b, O_RDWR), fd = -1;
	struct cma_mem_total total;

	EXPECT(command(extra, CMA_MEM_GET_TOTAL_SIZE, &total), 0);
	NEED(total.used == 0);
	for (int i = 0; i < 4; i++) {
		int error = do_allocate(fd = open_file(b, O_RDWR), total.limit / 4, 0, NULL);

		if (error == ENOMEM)
			return ktap_skip("a limit of %llu KiB is more than CMA has",
					 (unsigned long long)total.limit >> 10);
		EXPECT(error, 0);
	}
	EXPECT(do_allocate(extra, 1, 0, NULL), ENOSPC);
	NEED(total_used(extra) == (int64_t)total.limit);
	EXPECT(do_free(fd), 0);
	EXPECT(do_allocate(extra, total.limit / 4, 0, NULL), 0);

	return KTAP_OK;
}

/* A size that is within the limit and that nobody has: the file stays as it was. */
enum ktap_result test_no_memory(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_file(b, O_RDWR), error;
	struct cma_mem_total total;

	EXPECT(command(fd, CMA_MEM_GET_TOTAL_SIZE, &total), 0);
	error = do_allocate(fd, total.limit, CMA_MEM_WRITE_COMBINE, NULL);
	if (!error)
		return ktap_skip("there is room for all of %llu KiB",
				 (unsigned long long)total.limit >> 10);
	EXPECT(error, ENOMEM);
	EXPECT(do_free(fd), ENOENT);
	NEED(total_used(fd) == 0);
	EXPECT(do_allocate(fd, 2 * b->page, CMA_MEM_WRITE_COMBINE, NULL), 0);

	return KTAP_OK;
}

/*
 * What was written before is what the kernel reads after; and only of the buffer.
 * That the command waits for the write buffers (its wmb) is not seen here: QEMU's
 * processors have none, and without it every line below would still hold.
 */
enum ktap_result test_flush_range(void *context)
{
	struct bench *b = fresh(context);
	size_t size = 3 * b->page;
	int fd = open_buffer(b, size, CMA_MEM_WRITE_COMBINE);
	uint64_t *words = map_file(b, fd, size, 0), seen = 0;

	NEED(words);
	pattern_fill(words, 0, size);
	EXPECT(do_flush(fd, 0, size), 0);
	NEED(pread(fd, &seen, 8, size - 8) == 8);
	NEED(seen == pattern_word(size - 8));
	EXPECT(do_flush(fd, size - 1, 1), 0);
	EXPECT(do_flush(fd, 0, 0), EINVAL);
	EXPECT(do_flush(fd, size, 1), ENXIO);
	EXPECT(do_flush(fd, size - 1, 2), ENXIO);
	EXPECT(do_flush(fd, 1, UINT64_MAX), ENXIO);
	EXPECT(do_flush(fd, UINT64_MAX, 1), ENXIO);

	return expect_pattern(words, 0, size);
}

/* #endregion cma-mem-test-limit */
