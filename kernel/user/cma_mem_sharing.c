// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of whose a buffer of /dev/cma_mem is: of one file alone, of those that
 * were connected to it, and for as long as one of them or a mapping is left.
 */

/* #region cma-mem-sharing-includes */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"
#include "cma_mem_bench.h"
#include "cma_mem_tests.h"

#define WC CMA_MEM_WRITE_COMBINE
#define PAGES 8
static enum ktap_result disjoint(int one, int two)
{
	struct cma_mem_phys first, second;

	EXPECT(get_phys(one, &first), 0);
	EXPECT(get_phys(two, &second), 0);
	if (first.address < second.address + second.size &&
	    second.address < first.address + first.size)
		return ktap_fail("%#llx and %#llx overlap", (unsigned long long)first.address,
				 (unsigned long long)second.address);

	return KTAP_OK;
}

/* Two files: other memory, other bytes, and the end of one is nothing to the other. */
enum ktap_result test_files_apart(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int one = open_buffer(b, size, WC), two = open_buffer(b, size, WC);
	uint64_t *mine = map_file(b, one, size, 0), *theirs = map_file(b, two, size, 0);

	NEED(mine && theirs);
	CHECK(disjoint(one, two));
	memset(theirs, 0x77, size);
	pattern_fill(mine, 0, size);
	for (size_t i = 0; i < size / sizeof(*theirs); i++)
		if (theirs[i] != 0x7777777777777777)
			return ktap_fail("byte %#zx of the other file changed", 8 * i);
	NEED(total_used(one) == (int64_t)(2 * size));
	unmap(b, theirs);
	close_file(b, two);
	NEED(total_used(one) == (int64_t)size);

	return expect_pattern(mine, 0, size);
}

/* #endregion cma-mem-sharing-includes */

/* #region cma-mem-test-connect */
enum ktap_result test_connect(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int one = open_buffer(b, size, WC), two = open_file(b, O_RDWR);
	struct cma_mem_phys first, second;
	struct cma_mem_size held;
	uint64_t *mine = map_how(b, one, CMA_MEM_MAP_PFN, size, 0), *theirs;

	EXPECT(do_connect(two, one), 0);
	theirs = map_file(b, two, size, 0);
	NEED(mine && theirs);
	pattern_fill(mine, 0, size);
	CHECK(expect_pattern(theirs, 0, size));
	EXPECT(get_phys(one, &first), 0);
	EXPECT(get_phys(two, &second), 0);
	NEED(first.address == second.address);
	EXPECT(get_size(two, &held), 0);
	NEED(held.size == size && held.flags == WC && held.how == CMA_MEM_MAP_DMA);
	NEED(held.files == 2 && held.mappings == 1);
	NEED(total_used(one) == (int64_t)size);

	return KTAP_OK;
}

enum ktap_result test_connect_refused(void *context)
{
	struct bench *b = fresh(context);
	int full = open_buffer(b, b->page, 0), empty = open_file(b, O_RDWR);
	int other = open_buffer(b, b->page, 0), null = open("/dev/null", O_RDWR), ends[2];
	int piped = pipe(ends), closed = dup(null);

	NEED(null >= 0 && !piped && closed >= 0);
	close(closed);
	EXPECT(do_connect(empty, -1), EBADF);
	EXPECT(do_connect(empty, closed), EBADF);
	EXPECT(do_connect(empty, 1 << 30), EBADF);
	EXPECT(do_connect(empty, null), EINVAL);
	EXPECT(do_connect(empty, ends[0]), EINVAL);
	EXPECT(do_connect(empty, empty), ENOENT);
	EXPECT(do_connect(full, empty), ENOENT);
	EXPECT(do_connect(full, other), EBUSY);
	EXPECT(do_connect(full, full), EBUSY);
	EXPECT(do_free(empty), ENOENT);
	close(null);
	close(ends[0]);
	close(ends[1]);
	return KTAP_OK;
}

/* Who got a read-only descriptor must not write by opening the device anew. */
enum ktap_result test_connect_rights(void *context)
{
	struct bench *b = fresh(context);
	int owner = open_buffer(b, b->page, 0), reader = open_file(b, O_RDONLY);
	int writer = open_file(b, O_WRONLY), both = open_file(b, O_RDWR);
	int second = open_file(b, O_RDONLY);

	EXPECT(do_connect(reader, owner), 0);
	EXPECT(do_connect(writer, owner), 0);
	EXPECT(do_connect(both, reader), EACCES);
	EXPECT(do_connect(both, writer), EACCES);
	EXPECT(do_connect(second, writer), EACCES);
	EXPECT(do_connect(second, reader), 0);
	EXPECT(do_free(both), ENOENT);

	return KTAP_OK;
}

/* #endregion cma-mem-test-connect */

/* #region cma-mem-test-outlives */
/* The owner lets go first: were the buffer freed, its next one would be the same pages. */
enum ktap_result test_connect_outlives(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int owner = open_buffer(b, size, WC), other = open_file(b, O_RDWR);
	uint64_t *words, *fill;

	EXPECT(do_connect(other, owner), 0);
	words = map_file(b, other, size, 0);
	NEED(words);
	pattern_fill(words, 0, size);
	EXPECT(do_free(owner), 0);
	EXPECT(do_allocate(owner, size, WC, NULL), 0);
	CHECK(disjoint(owner, other));
	NEED(fill = map_file(b, owner, size, 0));
	memset(fill, 0x33, size);
	CHECK(expect_pattern(words, 0, size));
	unmap(b, fill);
	close_file(b, owner);
	NEED(total_used(other) == (int64_t)size);

	return expect_pattern(words, 0, size);
}

/* Another process with a file of its own, connected to the inherited descriptor. */
static int child_connects(struct bench *b)
{
	int own = open_file(b, O_RDWR);
	uint64_t *words;

	if (do_connect(own, b->fd[0]) || do_free(b->fd[0]) != 0)
		return 1;
	words = map_how(b, own, CMA_MEM_MAP_PFN, PAGES * b->page, 0);
	if (!words || pattern_differs(words, 0, PAGES * b->page) >= 0)
		return 2;
	words[1] = 99;
	/* Given back to the parent's file, which the child emptied. */
	return do_connect(b->fd[0], own) ? 3 : 0;
}

enum ktap_result test_connect_by_child(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int fd = open_buffer(b, size, WC), status;
	struct cma_mem_size held;
	uint64_t *words = map_file(b, fd, size, 0);

	NEED(words);
	pattern_fill(words, 0, size);
	unmap(b, words);
	status = in_child(b, child_connects);
	if (status)
		return ktap_fail("the child says %d", status);
	EXPECT(get_size(fd, &held), 0);
	NEED(held.files == 1 && held.mappings == 0);
	NEED((words = map_file(b, fd, size, 0)) && words[1] == 99);
	words[1] = pattern_word(8);

	return expect_pattern(words, 0, size);
}

static int child_writes(struct bench *b)
{
	uint64_t *words = b->map[0].at;

	if (pattern_differs(words, 0, PAGES * b->page) >= 0)
		return 1;
	words[1] = ~pattern_word(8);
	/* Closed here, it stays open in the parent. */
	close(b->fd[0]);
	return 0;
}

enum ktap_result test_fork_child_ends(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int fd = open_buffer(b, size, WC), status;
	uint64_t *words = map_how(b, fd, CMA_MEM_MAP_PFN, size, 0);

	NEED(words);
	pattern_fill(words, 0, size);
	status = in_child(b, child_writes);
	if (status)
		return ktap_fail("the child says %d", status);
	NEED(words[1] == ~pattern_word(8));
	words[1] = pattern_word(8);
	NEED(total_used(fd) == (int64_t)size);

	return expect_pattern(words, 0, size);
}

/* #endregion cma-mem-test-outlives */

/* #region cma-mem-grandchild */
/*
 * A process opens, maps, forks and ends at once. What is left is a grandchild with
 * a mapping and no descriptor: it looks when its parent has gone.
 */
static int grandchild_looks(struct bench *b, int parent_gone, int answer)
{
	int fd = open_file(b, O_RDWR);
	size_t size = PAGES * b->page;
	char byte;
	bool same;

	close(b->fd[0]);
	while (read(parent_gone, &byte, 1) > 0)
		;
	same = total_used(fd) == (int64_t)size && pattern_differs(b->map[0].at, 0, size) < 0;

	return write(answer, same ? "y" : "n", 1) != 1;
}

/* #endregion cma-mem-grandchild */

/* #region cma-mem-parent-leaves */
static int parent_leaves(struct bench *b, int answer)
{
	int ends[2], fd = open_buffer(b, PAGES * b->page, WC);
	uint64_t *words = map_file(b, fd, PAGES * b->page, 0);

	if (!words || pipe(ends))
		return 1;
	pattern_fill(words, 0, PAGES * b->page);
	if (fork())
		return 0; /* and with it the writing end of the pipe */
	close(ends[1]);
	return grandchild_looks(b, ends[0], answer);
}

/* The grandchild, of whom nobody waits for the end, has a second for it. */
static enum ktap_result all_given_back(struct bench *b)
{
	int fd = open_file(b, O_RDWR);

	for (int tries = 0; total_used(fd) && tries < 100; tries++)
		usleep(10000);
	NEED(total_used(fd) == 0);

	return KTAP_OK;
}

enum ktap_result test_fork_parent_ends(void *context)
{
	struct bench *b = fresh(context);
	char said = '?';
	int ends[2];
	pid_t child;

	NEED(!pipe(ends));
	child = fork();
	NEED(child >= 0);
	if (!child)
		_exit(parent_leaves(b, ends[1]));
	close(ends[1]);
	waitpid(child, NULL, 0);
	NEED(read(ends[0], &said, 1) == 1);
	close(ends[0]);
	if (said != 'y')
		return ktap_fail("the grandchild says %c", said);

	return all_given_back(b);
}

/* The descriptor is closed and the mapping left: the last munmap gives all back. */
enum ktap_result test_close_keeps(void *context)
{
	struct bench *b = fresh(context);
	size_t size = PAGES * b->page;
	int other = open_file(b, O_RDWR);

	for (uint32_t how = CMA_MEM_MAP_DMA; how <= CMA_MEM_MAP_PFN; how++) {
		int fd = open_buffer(b, size, WC);
		uint64_t *words = map_how(b, fd, how, size, 0);
		uint64_t *last = map_how(b, fd, how, b->page, size - b->page);

		NEED(words && last);
		pattern_fill(words, 0, size);
		close_file(b, fd);
		CHECK(expect_pattern(words, 0, size));
		unmap(b, words);
		NEED(total_used(other) == (int64_t)size);
		CHECK(expect_pattern(last, size - b->page, b->page));
		unmap(b, last);
		NEED(total_used(other) == 0);
	}
	return KTAP_OK;
}

/* #endregion cma-mem-parent-leaves */
