// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that open, map, touch, fork, read and write a buffer while its driver
 * is unbound and bound again, round after round.
 *
 * What each must find, whatever the timing: a call works or fails with ENODEV; a
 * touch works or is a SIGBUS, and after a SIGBUS the file is gone; and when the
 * unbind has returned that took a file away, no page mapped through it can be
 * touched. That last one is what a driver gets wrong: then a program writes to
 * memory that has another owner by now.
 */

/* #region hammer-shared */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reserved_buffer.h"
#include "touch.h"
#include "unbind.h"

#define WORKERS 4
#define KEPT 16		/* mappings that a worker keeps until its file is gone */

/**
 * struct hammer - what the processes share
 * @unbound: how many unbinds have returned
 * @stop: no further round comes
 * @files: opened; @maps: mapped; @calls: read, write and ioctl that worked
 * @revoked: kept mappings that were found to be a SIGBUS, as they must
 * @inside: a read is under way (test_reader_finishes)
 * @wrong: what must not be, by kind; see wrongs[]
 */
struct hammer {
	unsigned int unbound, stop, files, maps, calls, revoked, inside;
	unsigned int wrong[5];
};

enum { STALE, ALIVE_SIGBUS, ERRNO, LOST, CHILD };
static const char *const wrongs[] = {
	"mappings that outlived the unbind", "SIGBUS though the file is not gone",
	"calls with another errno than ENODEV", "words that did not hold what was written",
	"children that could reach the buffer after the unbind",
};

static struct hammer *shared;

static void add(unsigned int *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static unsigned int now(const unsigned int *counter)
{
	return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static uint64_t state;	/* of this process' random numbers (xorshift64) */

static unsigned int below(unsigned int limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;

	return (state >> 33) % limit;
}

/* Wait until the unbind has returned that comes after @unbound others. */
static void await_unbind(unsigned int unbound)
{
	while (now(&shared->unbound) <= unbound && !now(&shared->stop))
		usleep(200);
}

/* #endregion hammer-shared */

/* #region hammer-worker */
/* Return: false when the mapping was revoked. */
static bool touch_page(int fd, uint64_t *word)
{
	uint64_t value = (uint64_t)getpid() << 32 | below(1 << 30), seen = 0;
	int signal = touch_write(word, value);

	if (!signal)
		signal = touch_read(word, &seen);
	if (!signal && seen != value)
		add(&shared->wrong[LOST]);
	if (signal && (lseek(fd, 0, SEEK_CUR) != -1 || errno != ENODEV))
		add(&shared->wrong[ALIVE_SIGBUS]);

	return !signal;
}

/* A child with its parent's mapping, which ends when the unbind is through. */
static void leave_a_child(uint64_t *word, unsigned int unbound)
{
	pid_t child = fork();

	if (child)
		return;
	while (now(&shared->unbound) <= unbound && !now(&shared->stop))
		touch_read(word, NULL);
	if (now(&shared->unbound) > unbound && touch_read(word, NULL) != SIGBUS)
		add(&shared->wrong[CHILD]);
	_exit(0);
}

/* A read, a write or an ioctl. Return: false when the file is gone. */
static bool call(const struct buffer *b, int fd)
{
	static char bytes[3 * 4096];
	size_t length = 1 + below(sizeof(bytes)), at = below(b->size - sizeof(bytes));
	struct reserved_buffer_info info;
	int kind = below(3);
	ssize_t got;

	/* Pages of its own has every worker at the start of the buffer: not here. */
	at = at < WORKERS * KEPT * b->page ? WORKERS * KEPT * b->page : at;
	if (kind == 0)
		got = pread(fd, bytes, length, at);
	else if (kind == 1)
		got = pwrite(fd, bytes, length, at);
	else
		got = ioctl(fd, RESERVED_BUFFER_INFO, &info) ? -1 : (ssize_t)length;
	if (got == (ssize_t)length)
		add(&shared->calls);
	else if (got != -1 || errno != ENODEV)
		add(&shared->wrong[ERRNO]);

	return got == (ssize_t)length;
}

/* Map the worker's next page. Return: NULL when the file is gone. */
static uint64_t *map_page(const struct buffer *b, int fd, size_t page_number)
{
	uint64_t *words = mmap(NULL, b->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			       page_number * b->page);

	if (words != MAP_FAILED)
		add(&shared->maps);
	else if (errno != ENODEV)
		add(&shared->wrong[ERRNO]);

	return words == MAP_FAILED ? NULL : words;
}

/* The file is gone and its unbind has returned: nothing mapped may be left. */
static void look_at_kept(const struct buffer *b, uint64_t **kept)
{
	for (size_t i = 0; i < KEPT; i++) {
		if (!kept[i])
			continue;
		if (touch_read(kept[i], NULL) == SIGBUS)
			add(&shared->revoked);
		else
			add(&shared->wrong[STALE]);
		munmap(kept[i], b->page);
	}
}

/* Use one open file until it is gone. */
static void use_file(const struct buffer *b, int fd, size_t worker, unsigned int unbound)
{
	uint64_t *kept[KEPT] = { NULL };
	bool alive = true;

	while (alive && !now(&shared->stop)) {
		size_t i = below(KEPT);

		if (below(4) == 0)
			alive = call(b, fd);
		if (kept[i])
			munmap(kept[i], b->page);
		kept[i] = map_page(b, fd, worker * KEPT + i);
		alive = alive && kept[i];
		if (kept[i] && below(2))
			alive = touch_page(fd, kept[i]) && alive;
		else if (kept[i] && below(128) == 0)
			leave_a_child(kept[i], unbound);
	}
	await_unbind(unbound);
	if (now(&shared->unbound) > unbound)
		look_at_kept(b, kept);
}

/* One worker: files, one after the other, until no further round comes. */
static void work(const struct buffer *b, size_t worker, uint64_t seed)
{
	state = seed + worker * 0x9e3779b97f4a7c15ULL;
	signal(SIGCHLD, SIG_IGN);
	while (!now(&shared->stop)) {
		int fd = open(b->path, O_RDWR | O_CLOEXEC);

		if (fd < 0) {
			if (errno != ENOENT && errno != ENODEV && errno != ENXIO)
				add(&shared->wrong[ERRNO]);
			usleep(500);
			continue;
		}
		add(&shared->files);
		/* Read behind the open: an unbind that returned before is not this file's. */
		use_file(b, fd, worker, now(&shared->unbound));
		close(fd);
	}
	_exit(0);
}

/* #endregion hammer-worker */

/* #region hammer-rounds */
/* Unbind and bind, with some time between for the workers. */
static enum ktap_result rounds(const struct unbind *u)
{
	for (unsigned int i = 0; i < u->rounds; i++) {
		int error;

		usleep(2000 + below(30000));
		error = driver_unbind(u);
		add(&shared->unbound);
		if (error)
			return ktap_fail("unbind %u: %s", i, strerror(error));
		usleep(below(3) * 3000);
		error = driver_bind(u);
		if (error)
			return ktap_fail("bind %u: %s", i, strerror(error));
	}

	return KTAP_OK;
}

/* What the workers counted. Nothing counted proves nothing. */
static enum ktap_result counted(void)
{
	enum ktap_result result = KTAP_OK;

	ktap_note("%u unbinds, %u files, %u mmaps, %u calls, %u mappings revoked", shared->unbound,
		  shared->files, shared->maps, shared->calls, shared->revoked);
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++)
		if (shared->wrong[i])
			result = ktap_fail("%u %s", shared->wrong[i], wrongs[i]);
	if (!shared->files || !shared->maps || !shared->calls || !shared->revoked)
		result = ktap_fail("the workers did not get at the buffer");

	return result;
}

static void share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		abort();
}

enum ktap_result test_hammer(void *unbind)
{
	struct unbind *u = unbind;
	pid_t workers[WORKERS];
	enum ktap_result result;

	share();
	close(u->b.fd);
	state = u->seed;
	ktap_note("seed %llu", (unsigned long long)u->seed);
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (!workers[i])
			work(&u->b, i, u->seed);
	}
	result = rounds(u);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < WORKERS; i++)
		waitpid(workers[i], NULL, 0);

	return counted() == KTAP_OK ? result : KTAP_FAIL;
}

/* #endregion hammer-rounds */

/* #region hammer-reader */
#define READ_BYTES (64 << 20)

/*
 * Read over and over: all of it or ENODEV; and all of it is what was there. Every
 * page copied to is faulted in first, which takes its time.
 */
static void read_until_gone(const struct buffer *b)
{
	size_t length = b->size < READ_BYTES ? b->size : READ_BYTES;
	uint64_t *words = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

	for (ssize_t got;;) {
		madvise(words, length, MADV_DONTNEED);
		add(&shared->inside);
		got = pread(b->fd, words, length, 0);
		if (got == -1 && errno == ENODEV)
			_exit(0);
		if (got != (ssize_t)length || pattern_differs(words, 0, length) >= 0)
			_exit(1);
		add(&shared->calls);
	}
}

/* Return: the reader, in the middle of a read that is not its first. */
static pid_t start_reader(const struct buffer *b)
{
	pid_t child;

	share();
	child = fork();
	if (!child)
		read_until_gone(b);
	while (now(&shared->calls) < 1 || now(&shared->inside) <= now(&shared->calls))
		usleep(500);
	usleep(2000);

	return child;
}

/* Unbind and bind at once, which clears the buffer, in the middle of a long read. */
static enum ktap_result interrupt_reader(struct unbind *u)
{
	pid_t child = start_reader(&u->b);
	int status = -1, error;

	error = driver_unbind(u);
	if (!error)
		error = driver_bind(u);
	waitpid(child, &status, 0);
	close(u->b.fd);
	if (error)
		return ktap_fail("unbind or bind: %s", strerror(error));
	if (status)
		return ktap_fail("a read showed what it should not (status %#x)", status);

	return buffer_open(&u->b) ? KTAP_OK : ktap_fail("open: %s", strerror(errno));
}

enum ktap_result test_reader_finishes(void *unbind)
{
	enum ktap_result result = KTAP_OK;
	struct unbind *u = unbind;

	for (int i = 0; result == KTAP_OK && i < 5; i++) {
		uint64_t *words = buffer_map(&u->b, u->b.size, 0);

		if (words == MAP_FAILED)
			return ktap_fail("mmap: %s", strerror(errno));
		pattern_fill(words, 0, u->b.size);
		munmap(words, u->b.size);
		result = interrupt_reader(u);
	}

	return result;
}

/* #endregion hammer-reader */
