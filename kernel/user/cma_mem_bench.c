// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench on which /dev/cma_mem is tried: see cma_mem_bench.h.
 */

/* #region cma-mem-bench-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"
#include "cma_mem_bench.h"
struct bench *fresh(void *context)
{
	struct bench *b = context;

	while (b->maps--)
		munmap(b->map[b->maps].at, b->map[b->maps].length);
	b->maps = 0;
	while (b->fds--)
		close(b->fd[b->fds]);
	b->fds = 0;

	return b;
}

static void give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(2);
}

int open_file(struct bench *b, int flags)
{
	int fd = open(b->path, flags | O_CLOEXEC);

	if (fd < 0 || b->fds == BENCH_MOST)
		give_up(b->path);
	b->fd[b->fds++] = fd;

	return fd;
}

void close_file(struct bench *b, int fd)
{
	for (size_t i = 0; i < b->fds; i++)
		if (b->fd[i] == fd)
			b->fd[i] = b->fd[--b->fds];
	close(fd);
}

int open_buffer(struct bench *b, uint64_t size, uint32_t flags)
{
	int fd = open_file(b, O_RDWR);

	errno = do_allocate(fd, size, flags, NULL);
	if (errno)
		give_up("CMA_MEM_ALLOCATE");

	return fd;
}

uint64_t *map_file(struct bench *b, int fd, size_t length, off_t offset)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (at == MAP_FAILED)
		return NULL;
	if (b->maps == BENCH_MOST)
		give_up("too many mappings");
	b->map[b->maps].at = at;
	b->map[b->maps++].length = length;

	return at;
}

uint64_t *map_how(struct bench *b, int fd, uint32_t how, size_t length, off_t offset)
{
	errno = do_map(fd, how);
	return errno ? NULL : map_file(b, fd, length, offset);
}

void unmap(struct bench *b, void *at)
{
	for (size_t i = 0; i < b->maps; i++)
		if (b->map[i].at == at) {
			munmap(at, b->map[i].length);
			b->map[i] = b->map[--b->maps];
			return;
		}
}

/* #endregion cma-mem-bench-includes */

/* #region cma-mem-bench-commands */
int command(int fd, unsigned long number, void *arg)
{
	return ioctl(fd, number, arg) ? errno : 0;
}

int do_allocate(int fd, uint64_t size, uint32_t flags, uint64_t *granted)
{
	struct cma_mem_allocate req = { .size = size, .flags = flags };
	int error = command(fd, CMA_MEM_ALLOCATE, &req);

	if (granted)
		*granted = req.granted;
	return error;
}

int do_free(int fd)
{
	return command(fd, CMA_MEM_FREE, NULL);
}

int do_map(int fd, uint32_t how)
{
	return command(fd, CMA_MEM_MAP, &(struct cma_mem_map){ .how = how });
}

int do_unmap(int fd)
{
	return command(fd, CMA_MEM_UNMAP, NULL);
}

int do_connect(int fd, int other)
{
	return command(fd, CMA_MEM_CONNECT, &(struct cma_mem_connect){ .fd = other });
}

int do_flush(int fd, uint64_t offset, uint64_t length)
{
	return command(fd, CMA_MEM_CACHE_FLUSH, &(struct cma_mem_range){ offset, length });
}

int get_phys(int fd, struct cma_mem_phys *phys)
{
	return command(fd, CMA_MEM_GET_PHYS, phys);
}

int get_size(int fd, struct cma_mem_size *size)
{
	return command(fd, CMA_MEM_GET_SIZE, size);
}

int64_t total_used(int fd)
{
	struct cma_mem_total total;

	return command(fd, CMA_MEM_GET_TOTAL_SIZE, &total) ? -1 : (int64_t)total.used;
}

/* #endregion cma-mem-bench-commands */

/* #region cma-mem-bench-expect */
bool kernel_is_arm(void)
{
	struct utsname kernel;

	return !uname(&kernel) && !strncmp(kernel.machine, "armv7", 5);
}

static const char *name_of(int error)
{
	return error ? strerrorname_np(error) : "success";
}

enum ktap_result expect_errno(const char *what, int got, int expected)
{
	if (got == expected)
		return KTAP_OK;

	return ktap_fail("%s: %s, expected %s", what, name_of(got), name_of(expected));
}

enum ktap_result expect_pattern(const uint64_t *words, size_t offset, size_t length)
{
	ssize_t at = pattern_differs(words, offset, length);

	if (at < 0)
		return KTAP_OK;

	return ktap_fail("byte %#zx holds %#018llx, expected %#018llx", (size_t)at,
			 (unsigned long long)words[(at - offset) / sizeof(*words)],
			 (unsigned long long)pattern_word(at));
}

int in_child(struct bench *b, int (*run)(struct bench *b))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(run(b));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 255;

	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* #endregion cma-mem-bench-expect */
