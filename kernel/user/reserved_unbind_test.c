// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_unbind_test [--kept] [--rounds N] [--seed N] DEVICE
 *
 * Unbinds the driver of DEVICE while its buffer is open and mapped, binds it
 * again, and reports in KTAP what is left of the old files. Leaves it bound. Exit
 * status: 0 when no test failed, 1 when one did, 2 when it could not begin.
 *
 * --kept: the buffer must hold what was in it before; without it, zeros.
 * --rounds: how often the hammer unbinds (20). --seed: of its random numbers (1).
 */

/* #region unbind-test-hold */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "touch.h"
#include "unbind.h"

/* Everything that can hold a buffer at once. */
static struct {
	uint64_t *closed;	/* two pages in the middle; its file is closed */
	uint64_t *elsewhere;	/* a page, through another node: another inode */
	int node;		/* that node, open */
	pid_t child;		/* has all of these from its parent */
	int ask, answer;	/* a byte to the child, and its exit status after it */
} held;

/* The child waits for the byte, and then must not reach anything. */
static void be_a_child(const struct unbind *u, int wait_for)
{
	char byte;

	if (read(wait_for, &byte, 1) != 1)
		_exit(2);
	if (expect_sigbus(u->map, u->b.size, u->b.page) != KTAP_OK ||
	    expect_sigbus(held.elsewhere, u->b.page, u->b.page) != KTAP_OK ||
	    expect_gone(u->old, u->b.page) != KTAP_OK)
		_exit(1);
	_exit(0);
}

static uint64_t *map_of(int fd, size_t length, off_t offset)
{
	uint64_t *words = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	return words == MAP_FAILED ? NULL : words;
}

/* The same device by another node is another inode. Return: -1, or the file. */
static int open_another_node(const struct unbind *u)
{
	struct stat device;

	if (stat(u->b.path, &device) || mknod(u->node, S_IFCHR | 0600, device.st_rdev))
		return -1;
	return open(u->node, O_RDWR | O_CLOEXEC);
}

/* Open, map, fork: all of it works while the driver is bound. */
static enum ktap_result test_hold(void *unbind)
{
	struct unbind *u = unbind;
	int file = open(u->b.path, O_RDWR | O_CLOEXEC), ends[2];

	held.node = open_another_node(u);
	u->old = u->b.fd;
	u->map = map_of(u->old, u->b.size, 0);
	held.closed = map_of(file, 2 * u->b.page, u->b.size / 2);
	held.elsewhere = map_of(held.node, u->b.page, 0);
	if (!u->map || !held.closed || !held.elsewhere || pipe(ends))
		return ktap_fail("open, mmap or pipe: %s", strerror(errno));
	close(file);
	pattern_fill(u->map, 0, u->b.size);
	if (pattern_differs(held.elsewhere, 0, u->b.page) >= 0)
		return ktap_fail("the other node shows other bytes");
	held.ask = ends[1];
	held.child = fork();
	if (!held.child)
		be_a_child(u, ends[0]);

	return held.child > 0 ? KTAP_OK : ktap_fail("fork: %s", strerror(errno));
}

/* #endregion unbind-test-hold */

/* #region unbind-test-revokes */
/* Unbinding succeeds at once, and not a page of any mapping can be reached after. */
static enum ktap_result test_unbind_revokes(void *unbind)
{
	struct unbind *u = unbind;
	int error = driver_unbind(u), status = -1;

	if (error)
		return ktap_fail("unbind: %s", strerror(error));
	if (write(held.ask, "", 1) != 1 || waitpid(held.child, &status, 0) != held.child)
		return ktap_fail("the child: %s", strerror(errno));
	if (status)
		return ktap_fail("the child could still reach the buffer (status %#x)", status);
	if (expect_sigbus(u->map, u->b.size, u->b.page) != KTAP_OK ||
	    expect_sigbus(held.closed, 2 * u->b.page, u->b.page) != KTAP_OK)
		return KTAP_FAIL;

	return expect_sigbus(held.elsewhere, u->b.page, u->b.page);
}

static enum ktap_result test_gone_errno(void *unbind)
{
	struct unbind *u = unbind;

	if (expect_gone(u->old, u->b.page) != KTAP_OK)
		return KTAP_FAIL;

	return expect_gone(held.node, u->b.page);
}

/* The device's own node is away; the other is still there and leads nowhere. */
static enum ktap_result test_gone_node(void *unbind)
{
	struct unbind *u = unbind;

	if (open(u->b.path, O_RDWR) != -1 || errno != ENOENT)
		return ktap_fail("open: %s, expected ENOENT", strerrorname_np(errno));
	if (open(u->node, O_RDWR) != -1 || errno != ENODEV)
		return ktap_fail("open of %s: %s, expected ENODEV", u->node,
				 strerrorname_np(errno));

	return KTAP_OK;
}

/* A revoked mapping is still a range of addresses: it is moved, cut and inherited. */
static enum ktap_result test_dead_mapping(void *unbind)
{
	struct unbind *u = unbind;
	size_t page = u->b.page;
	uint64_t *moved, *words = u->map;
	int status;

	if (mprotect(words + page / 8, page, PROT_READ) || munmap(words + page / 8, page))
		return ktap_fail("mprotect or munmap: %s", strerror(errno));
	moved = mremap(words, page, page, MREMAP_MAYMOVE);
	if (moved == MAP_FAILED)
		return ktap_fail("mremap: %s", strerror(errno));
	if (!fork())
		_exit(expect_sigbus(moved, page, page) == KTAP_OK ? 0 : 1);
	wait(&status);
	if (status)
		return ktap_fail("a child of after the unbind: status %#x", status);
	if (expect_sigbus(moved, page, page) != KTAP_OK)
		return KTAP_FAIL;

	return expect_sigbus(words + 2 * page / 8, u->b.size - 2 * page, page);
}

/* Nothing is left to use, yet the open files need the code that says so. */
static enum ktap_result test_unload_refused(void *unbind)
{
	const struct unbind *u = unbind;

	if (!syscall(SYS_delete_module, u->b.module, O_NONBLOCK))
		return ktap_fail("%s was unloaded under its open files", u->b.module);
	if (errno != EWOULDBLOCK)
		return ktap_fail("delete_module: %s, expected EAGAIN", strerrorname_np(errno));

	return KTAP_OK;
}

/* #endregion unbind-test-revokes */

/* #region unbind-test-again */
/* What the new file shows: the old contents (--kept), or zeros. */
static enum ktap_result expect_first(const struct buffer *b, const uint64_t *words)
{
	if (b->first && pattern_differs(words, 0, b->size) >= 0)
		return ktap_fail("byte %#zx was not kept", pattern_differs(words, 0, b->size));
	for (size_t i = 0; !b->first && i < b->size / 8; i++)
		if (words[i])
			return ktap_fail("byte %#zx is not 0", i * 8);

	return KTAP_OK;
}

static enum ktap_result test_bind_again(void *unbind)
{
	struct unbind *u = unbind;
	int error = driver_bind(u);
	enum ktap_result result;
	uint64_t *words;

	if (error)
		return ktap_fail("bind: %s", strerror(error));
	if (!buffer_open(&u->b))
		return ktap_fail("open: %s", strerror(errno));
	words = buffer_map(&u->b, u->b.size, 0);
	if (words == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	result = expect_first(&u->b, words);
	pattern_fill(words, 0, u->b.size);
	munmap(words, u->b.size);

	return result;
}

/* The second life is another's: nothing of the first comes back with it. */
static enum ktap_result test_old_stays_dead(void *unbind)
{
	struct unbind *u = unbind;
	enum ktap_result result = test_gone_errno(u);

	if (result == KTAP_OK)
		result = expect_sigbus(held.closed, 2 * u->b.page, u->b.page);
	if (result == KTAP_OK)
		result = expect_sigbus(u->map + 2 * u->b.page / 8, u->b.size - 2 * u->b.page,
				       u->b.page);
	munmap(u->map, u->b.size);
	munmap(held.closed, 2 * u->b.page);
	munmap(held.elsewhere, u->b.page);
	close(u->old);
	close(held.node);
	unlink(u->node);

	return result;
}

/* #endregion unbind-test-again */

/* #region unbind-test-main */
static const struct ktap_test tests[] = {
	{ "hold", test_hold },
	{ "unbind-revokes", test_unbind_revokes },
	{ "gone-errno", test_gone_errno },
	{ "gone-node", test_gone_node },
	{ "dead-mapping", test_dead_mapping },
	{ "unload-refused", test_unload_refused },
	{ "bind-again", test_bind_again },
	{ "old-stays-dead", test_old_stays_dead },
	{ "reader-finishes", test_reader_finishes },
	{ "hammer", test_hammer },
};

/* Take "@name number" out of the arguments, or leave @value as it is. */
static uint64_t take_option(int *argc, char **argv, const char *name, uint64_t value)
{
	for (int i = 1; i + 1 < *argc; i++) {
		if (strcmp(argv[i], name))
			continue;
		value = strtoull(argv[i + 1], NULL, 0);
		*argc -= 2;
		memmove(argv + i, argv + i + 2, (*argc - i) * sizeof(*argv));
		break;
	}

	return value;
}

/* The module is called as the device is, with _ for -. */
static void name_module(const struct buffer *b, char *module, size_t size)
{
	snprintf(module, size, "%s", buffer_name(b));
	for (char *c = module; *c; c++)
		*c = *c == '-' ? '_' : *c;
}

int main(int argc, char **argv)
{
	struct unbind u = { .node = "another-node" };
	char module[64];

	u.rounds = take_option(&argc, argv, "--rounds", 20);
	u.seed = take_option(&argc, argv, "--seed", 1);
	if (!buffer_arguments(&u.b, argc, argv, "--kept"))
		return 2;
	name_module(&u.b, module, sizeof(module));
	u.b.module = module;
	if (!buffer_open(&u.b) || !unbind_find(&u)) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", u.b.path, strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &u) ? 1 : 0;
}

/* #endregion unbind-test-main */
