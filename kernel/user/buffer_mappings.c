// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of mappings that come and go in pieces, for both drivers: several opens,
 * holes, moved and shrunk and protected ranges, forks of which either side ends
 * first. Whatever is done to one piece, the others show the right bytes.
 */

/* #region buffer-mappings-looks */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer_tests.h"
#include "touch.h"

/* Mapped bytes must be there and be those of @offset in the buffer. */
static enum ktap_result expect_pattern(const uint64_t *words, size_t offset, size_t length)
{
	ssize_t wrong;
	int signal;

	for (size_t at = 0; at < length; at += 4096) {
		signal = touch_read(words + at / sizeof(*words), NULL);
		if (signal)
			return ktap_fail("byte %#zx: %s", offset + at, strsignal(signal));
	}
	wrong = pattern_differs(words, offset, length);

	return wrong < 0 ? KTAP_OK : ktap_fail("byte %#zx is not that of its place", (size_t)wrong);
}

/* Nothing may be mapped there. */
static enum ktap_result expect_hole(const uint64_t *words, size_t length)
{
	for (size_t at = 0; at < length; at += 4096)
		if (touch_read(words + at / sizeof(*words), NULL) != SIGSEGV)
			return ktap_fail("byte %#zx of the hole can be read", at);

	return KTAP_OK;
}

/* #endregion buffer-mappings-looks */

/* #region buffer-mappings-opens */
/* Two opens have a position each and the bytes in common. */
static enum ktap_result two_positions(const struct buffer *b, int other)
{
	uint64_t word = 0;

	if (lseek(b->fd, 16, SEEK_SET) != 16 || read(b->fd, &word, 8) != 8)
		return ktap_fail("read at 16: %s", strerror(errno));
	if (word != pattern_word(16))
		return ktap_fail("the word at 16 is %#llx", (unsigned long long)word);
	if (lseek(other, 0, SEEK_CUR) != 0)
		return ktap_fail("reading through one open moved the other's position");
	if (read(other, &word, 8) != 8 || word != pattern_word(0))
		return ktap_fail("the other open does not start at 0");
	if (lseek(b->fd, 0, SEEK_CUR) != 24 || lseek(other, 0, SEEK_CUR) != 8)
		return ktap_fail("the positions are not 24 and 8");

	return KTAP_OK;
}

enum ktap_result test_two_positions(void *buffer)
{
	const struct buffer *b = buffer;
	int other = open(b->path, O_RDWR | O_CLOEXEC);
	enum ktap_result result;

	if (other < 0)
		return ktap_fail("second open: %s", strerror(errno));
	result = two_positions(b, other);
	close(other);

	return result;
}

/* Written through one open's mapping: seen by the other's mapping and its read. */
static enum ktap_result opens_share(const struct buffer *b, int other, uint64_t *mine)
{
	uint64_t seen = 0, value = ~pattern_word(b->page), *theirs;

	theirs = mmap(NULL, b->page, PROT_READ | PROT_WRITE, MAP_SHARED, other, b->page);
	if (theirs == MAP_FAILED)
		return ktap_fail("mmap of the second open: %s", strerror(errno));
	mine[0] = value;
	if (pread(other, &seen, 8, b->page) != 8 || seen != value || theirs[0] != value)
		return ktap_fail("what one open wrote, the other does not show");
	theirs[0] = pattern_word(b->page);
	munmap(theirs, b->page);
	if (mine[0] != pattern_word(b->page))
		return ktap_fail("what the other open wrote, the first does not show");

	return KTAP_OK;
}

enum ktap_result test_opens_share(void *buffer)
{
	const struct buffer *b = buffer;
	int first = open(b->path, O_RDWR | O_CLOEXEC), second = open(b->path, O_RDWR | O_CLOEXEC);
	enum ktap_result result;
	uint64_t *mine;

	mine = mmap(NULL, b->page, PROT_READ | PROT_WRITE, MAP_SHARED, first, b->page);
	if (second < 0 || mine == MAP_FAILED)
		return ktap_fail("open or mmap: %s", strerror(errno));
	result = opens_share(b, second, mine);
	/* Its file is closed, and so is the other; the mapping needs neither. */
	close(first);
	close(second);
	if (result == KTAP_OK)
		result = expect_pattern(mine, b->page, b->page);
	munmap(mine, b->page);

	return result;
}

/* #endregion buffer-mappings-opens */

/* #region buffer-mappings-holes */
/* Five pages from the third on; the middle one goes, then the first, then the last. */
static enum ktap_result punch(const struct buffer *b, uint64_t *words)
{
	size_t page = b->page, start = 2 * page, per_page = page / sizeof(*words);

	munmap(words + 2 * per_page, page);
	if (expect_hole(words + 2 * per_page, page) != KTAP_OK ||
	    expect_pattern(words, start, 2 * page) != KTAP_OK ||
	    expect_pattern(words + 3 * per_page, start + 3 * page, 2 * page) != KTAP_OK)
		return KTAP_FAIL;
	munmap(words, page);
	munmap(words + 4 * per_page, page);
	if (expect_hole(words, page) != KTAP_OK ||
	    expect_hole(words + 4 * per_page, page) != KTAP_OK)
		return KTAP_FAIL;
	if (expect_pattern(words + per_page, start + page, page) != KTAP_OK)
		return KTAP_FAIL;

	return expect_pattern(words + 3 * per_page, start + 3 * page, page);
}

enum ktap_result test_hole(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, 5 * b->page, 2 * b->page);
	enum ktap_result result;

	if (words == MAP_FAILED)
		return ktap_fail("mmap of 5 pages: %s", strerror(errno));
	result = punch(b, words);
	munmap(words, 5 * b->page);

	return result;
}

/* Another part of the buffer in the hole: three neighbours, none what its address says. */
enum ktap_result test_hole_filled(void *buffer)
{
	const struct buffer *b = buffer;
	size_t page = b->page, per_page = page / sizeof(uint64_t), last = b->size - page;
	uint64_t *words = buffer_map(b, 3 * page, 0), *middle;
	enum ktap_result result = KTAP_OK;

	if (words == MAP_FAILED)
		return ktap_fail("mmap of 3 pages: %s", strerror(errno));
	middle = mmap(words + per_page, page, PROT_READ, MAP_SHARED | MAP_FIXED, b->fd, last);
	if (middle != words + per_page)
		result = ktap_fail("mmap over the middle: %s", strerror(errno));
	if (result == KTAP_OK)
		result = expect_pattern(words, 0, page);
	if (result == KTAP_OK)
		result = expect_pattern(middle, last, page);
	if (result == KTAP_OK)
		result = expect_pattern(words + 2 * per_page, 2 * page, page);
	munmap(words, 3 * page);

	return result;
}

/* #endregion buffer-mappings-holes */

/* #region buffer-mappings-moved */
/* Shrinking and moving need no driver; growing is refused (grow-refused). */
enum ktap_result test_moved(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, 4 * b->page, b->page), *moved;
	void *room = mmap(NULL, 2 * b->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum ktap_result result;

	if (words == MAP_FAILED || room == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	if (mremap(words, 4 * b->page, 2 * b->page, 0) != words)
		return ktap_fail("mremap to half: %s", strerror(errno));
	moved = mremap(words, 2 * b->page, 2 * b->page, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	if (moved != room)
		return ktap_fail("mremap to another place: %s", strerror(errno));
	result = expect_pattern(moved, b->page, 2 * b->page);
	if (result == KTAP_OK)
		result = expect_hole(words, 4 * b->page);
	munmap(moved, 2 * b->page);

	return result;
}

/* One of three pages is made read-only, then unreadable, then as it was. */
static enum ktap_result protect(const struct buffer *b, uint64_t *words)
{
	size_t page = b->page;
	uint64_t *middle = words + page / sizeof(*words);

	if (mprotect(middle, page, PROT_READ))
		return ktap_fail("mprotect to read: %s", strerror(errno));
	if (touch_write(middle, 0) != SIGSEGV || touch_write(words, pattern_word(0)))
		return ktap_fail("not the middle page alone is read-only");
	if (expect_pattern(middle, page, page) != KTAP_OK)
		return KTAP_FAIL;
	if (mprotect(middle, page, PROT_NONE))
		return ktap_fail("mprotect to nothing: %s", strerror(errno));
	if (expect_hole(middle, page) != KTAP_OK)
		return KTAP_FAIL;
	if (mprotect(middle, page, PROT_READ | PROT_WRITE))
		return ktap_fail("mprotect back: %s", strerror(errno));
	if (touch_write(middle, pattern_word(page)))
		return ktap_fail("the page did not become writable again");

	return expect_pattern(words, 0, 3 * page);
}

enum ktap_result test_protected(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, 3 * b->page, 0);
	enum ktap_result result;

	if (words == MAP_FAILED)
		return ktap_fail("mmap of 3 pages: %s", strerror(errno));
	result = protect(b, words);
	munmap(words, 3 * b->page);

	return result;
}

/* One page at each power of two: the offset counts, near and far. */
enum ktap_result test_every_offset(void *buffer)
{
	const struct buffer *b = buffer;
	enum ktap_result result = KTAP_OK;

	for (size_t at = b->page; result == KTAP_OK && at < b->size; at *= 2) {
		uint64_t *words = buffer_map(b, b->page, at);

		if (words == MAP_FAILED)
			return ktap_fail("mmap at %#zx: %s", at, strerror(errno));
		result = expect_pattern(words, at, b->page);
		munmap(words, b->page);
	}

	return result;
}

/* #endregion buffer-mappings-moved */

/* #region buffer-mappings-forks */
/* Wait for @child. Return: its exit status, or 256 and the signal that ended it. */
static int status_of(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* The child unmaps one page and ends: nothing changes for the parent. */
enum ktap_result test_fork_child_ends(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, 3 * b->page, b->size - 3 * b->page);
	enum ktap_result result;
	pid_t child;
	int status;

	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	child = fork();
	if (!child)
		_exit(munmap(words, b->page) ||
		      pattern_differs(words + b->page / 8, b->size - 2 * b->page, b->page) >= 0);
	status = status_of(child);
	result = expect_pattern(words, b->size - 3 * b->page, 3 * b->page);
	munmap(words, 3 * b->page);

	return status ? ktap_fail("the child ended with %d", status) : result;
}

/*
 * The one who mapped ends, its child lives on: it waits until its parent is
 * another, then looks, writes, and says so through the pipe.
 */
static void map_fork_and_end(const struct buffer *b, int say)
{
	uint64_t *words = buffer_map(b, b->page, b->page);
	pid_t parent = getpid();
	char right;

	close(b->fd);
	if (words == MAP_FAILED || fork())
		_exit(0);
	while (getppid() == parent)
		usleep(1000);
	right = pattern_differs(words, b->page, b->page) < 0;
	words[2] = ~words[2];
	if (write(say, &right, 1) != 1)
		_exit(1);
	_exit(0);
}

enum ktap_result test_fork_parent_ends(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t seen = 0, word = pattern_word(b->page + 16);
	char right = 0;
	int ends[2];

	if (pipe(ends))
		return ktap_fail("pipe: %s", strerror(errno));
	if (!fork())
		map_fork_and_end(b, ends[1]);
	close(ends[1]);
	if (read(ends[0], &right, 1) != 1 || !right)
		return ktap_fail("the child whose parent ended did not find the pattern");
	close(ends[0]);
	while (wait(NULL) > 0)
		;
	if (pread(b->fd, &seen, 8, b->page + 16) != 8 || seen != ~word)
		return ktap_fail("what that child wrote is not in the buffer");

	return pwrite(b->fd, &word, 8, b->page + 16) == 8 ? KTAP_OK : ktap_fail("pwrite");
}

/* madvise(MADV_DONTFORK): the child does not get the mapping, the parent keeps it. */
enum ktap_result test_not_for_children(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, b->page, 0);
	enum ktap_result result;
	pid_t child;
	int status;

	if (words == MAP_FAILED || madvise(words, b->page, MADV_DONTFORK))
		return ktap_fail("mmap or MADV_DONTFORK: %s", strerror(errno));
	child = fork();
	if (!child)
		_exit(touch_read(words, NULL));
	status = status_of(child);
	result = expect_pattern(words, 0, b->page);
	munmap(words, b->page);

	return status == SIGSEGV ? result : ktap_fail("the child's touch gave %d", status);
}

/* #endregion buffer-mappings-forks */

/* #region buffer-mappings-advice */
/* Advice and its errno for raw page frames, which no other page can stand for. */
static const struct {
	const char *name;
	int advice, error;
} advices[] = {
	{ "MADV_DONTNEED", MADV_DONTNEED, EINVAL }, { "MADV_FREE", MADV_FREE, EINVAL },
	{ "MADV_DODUMP", MADV_DODUMP, EINVAL }, { "MADV_DOFORK", MADV_DOFORK, EINVAL },
	{ "MADV_REMOVE", MADV_REMOVE, ENODEV }, { "MADV_DONTDUMP", MADV_DONTDUMP, 0 },
	{ "MADV_RANDOM", MADV_RANDOM, 0 }, { "MADV_WILLNEED", MADV_WILLNEED, 0 },
};

/* Advice that makes no sense for raw page frames is refused, other advice is taken. */
enum ktap_result test_advice(void *buffer)
{
	const struct buffer *b = buffer;
	uint64_t *words = buffer_map(b, b->page, 0);
	enum ktap_result result;
	int error;

	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		error = madvise(words, b->page, advices[i].advice) ? errno : 0;
		if (error != advices[i].error)
			return ktap_fail("%s: errno %d, expected %d", advices[i].name, error,
					 advices[i].error);
	}
	result = expect_pattern(words, 0, b->page);
	munmap(words, b->page);

	return result;
}

/* #endregion buffer-mappings-advice */
