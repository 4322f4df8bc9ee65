// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buffer of a file as memory: what is in it at first, what a write leaves in
 * it that fails, and who must wait for a write whose bytes are slow to come.
 */

/* #region stream-buffer-dirty */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream_dma_test.h"

#define AT	0x1000
#define DIRTY	0xd1
#define FILES	8
#define OWN	(128 << 20)

/* Memory of our own, written to and given back; then files, the same way. */
static bool make_dirty(const struct lending *l, uint32_t size)
{
	char *own = mmap(NULL, OWN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd[FILES];
	bool done = own != MAP_FAILED;

	if (done) {
		memset(own, DIRTY, OWN);
		munmap(own, OWN);
	}
	for (int i = 0; i < FILES; i++) {
		fd[i] = lending_open(l);
		done = done && fd[i] >= 0 && put_value(fd[i], 0, size, DIRTY);
	}
	for (int i = 0; i < FILES; i++)
		close(fd[i]);

	return done;
}

/* What others left in the memory, here ourselves, is not seen by whoever opens. */
enum ktap_result test_starts_zeroed(void *lending)
{
	struct lending *l = lending;
	struct stream_dma_info info;
	int fd[FILES];
	bool zeroed = true;

	if (!look(l->fd, &info) || !make_dirty(l, info.buffer_size))
		return KTAP_FAIL;
	for (int i = 0; i < FILES; i++) {
		fd[i] = lending_open(l);
		zeroed = zeroed && fd[i] >= 0 && same_value(fd[i], 0, info.buffer_size, 0);
	}
	for (int i = 0; i < FILES; i++)
		close(fd[i]);

	return zeroed ? KTAP_OK : KTAP_FAIL;
}

/* Lent or not: a write that fetches nothing changes nothing, one of a part only that. */
enum ktap_result test_failed_write(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, AT, 4096);
	int fd = ((struct lending *)lending)->fd;
	size_t page = sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ssize_t got;

	if (two == MAP_FAILED || munmap(two + page, page))
		return ktap_fail("mmap: %s", strerror(errno));
	memset(two, DIRTY, page);
	for (int lent = 0; lent < 2; lent++) {
		if (!put_pattern(fd, AT, 4096, 5) || (lent && !lend(fd, &map)))
			return KTAP_FAIL;
		if (pwrite(fd, two + page, 4096, AT) != -1 || errno != EFAULT)
			return ktap_fail("pwrite from nowhere: %s, expected EFAULT",
					 strerror(errno));
		if (!same_pattern(fd, AT, 4096, 5))
			return KTAP_FAIL;
		got = pwrite(fd, two + page - 64, 4096, AT);
		if (got < 1 || got > 64)
			return ktap_fail("pwrite of which 64 bytes are there gave %zd", got);
		if (!same_value(fd, AT, got, DIRTY) ||
		    !same_pattern_from(fd, AT + got, 4096 - got, 5, got))
			return KTAP_FAIL;
	}
	munmap(two, page);

	return take_back(fd) ? KTAP_OK : KTAP_FAIL;
}

/* A page that comes when somebody says so, which nobody does: NULL without userfaultfd. */
static void *slow_page(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (unsigned long)at, page },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (fd < 0 || at == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &range))
		return NULL;

	return at;
}

static void wake(int signal)
{
	(void)signal;
}

/* A program waits for a page of its own in write(2): nobody else has to. */
enum ktap_result test_slow_program(void *lending)
{
	struct sigaction action = { .sa_handler = wake };
	struct lending *l = lending;
	struct stream_dma_info info;
	enum ktap_result result = KTAP_OK;
	int status, fd;
	pid_t child;

	if (!slow_page())
		return ktap_skip("no userfaultfd here");
	child = fork();
	if (child == 0)
		_exit(pwrite(l->fd, slow_page(), 64, 0) < 0);
	if (child < 0)
		return ktap_fail("fork: %s", strerror(errno));
	usleep(100000);
	sigaction(SIGALRM, &action, NULL);
	alarm(2);
	fd = open(l->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		result = ktap_fail("open in another program: %s", strerrorname_np(errno));
	else if (ioctl(l->fd, STREAM_DMA_INFO, &info))
		result = ktap_fail("INFO in another program: %s", strerrorname_np(errno));
	alarm(0);
	if (waitpid(child, &status, WNOHANG))
		result = ktap_fail("the slow program did not wait");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (fd >= 0)
		close(fd);

	return result;
}

/* #endregion stream-buffer-dirty */
