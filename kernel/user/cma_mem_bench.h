/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bench on which /dev/cma_mem is tried: files and mappings of one test, and
 * the commands of uapi/cma_mem.h as calls that return 0 or an errno.
 *
 * A test begins with fresh(), which closes and unmaps what the one before left,
 * however it ended. So no test frees by hand what it does not try to free.
 */
/* #region cma-mem-bench-needs */
#ifndef CMA_MEM_BENCH_H
#define CMA_MEM_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cma_mem.h"
#include "ktap.h"
#define BENCH_MOST 16

/**
 * struct bench - what one test has
 * @path: the device
 * @page: bytes in a page
 * @fd: files that are open, @fds of them
 * @map: mappings that exist, @maps of them
 */
struct bench {
	const char *path;
	size_t page;
	int fd[BENCH_MOST];
	size_t fds;
	struct { void *at; size_t length; } map[BENCH_MOST];
	size_t maps;
};

/* #endregion cma-mem-bench-needs */

/* #region cma-mem-bench-functions */
/* Close and unmap everything. Return: @context. */
struct bench *fresh(void *context);

/* Open the device; a failure ends the program, for nothing works without. */
int open_file(struct bench *b, int flags);
void close_file(struct bench *b, int fd);

/* Open it and allocate: a file with a buffer of that many bytes. */
int open_buffer(struct bench *b, uint64_t size, uint32_t flags);

/* Map @length bytes at @offset, shared, to read and write: NULL, with errno. */
uint64_t *map_file(struct bench *b, int fd, size_t length, off_t offset);

/* The same after CMA_MEM_MAP with @how. */
uint64_t *map_how(struct bench *b, int fd, uint32_t how, size_t length, off_t offset);
void unmap(struct bench *b, void *at);

/* Each: 0 or an errno. */
int do_allocate(int fd, uint64_t size, uint32_t flags, uint64_t *granted);
int do_free(int fd);
int do_map(int fd, uint32_t how);
int do_unmap(int fd);
int do_connect(int fd, int other);
int do_flush(int fd, uint64_t offset, uint64_t length);
int get_phys(int fd, struct cma_mem_phys *phys);
int get_size(int fd, struct cma_mem_size *size);
int command(int fd, unsigned long number, void *arg);

/* Whether the kernel itself is a 32-bit one, whatever this program is. */
bool kernel_is_arm(void);

/* Bytes that all buffers have together, as any open file tells; -1 for none. */
int64_t total_used(int fd);

/* Fails the test with both names unless @got is @expected. */
enum ktap_result expect_errno(const char *what, int got, int expected);

/* `return` the failure, if it is one. */
#define CHECK(result) do { \
	if ((result) != KTAP_OK) \
		return KTAP_FAIL; \
} while (0)

/* A call that must answer this errno, or 0. */
#define EXPECT(call, expected) CHECK(expect_errno(#call, call, expected))

/* A value that must be there: what mmap, fork and the like return. */
#define NEED(condition) do { \
	if (!(condition)) \
		return ktap_fail("%s: not so (errno %s)", #condition, strerrorname_np(errno)); \
} while (0)

/* Words of the buffer from byte @offset on: like the pattern, or where not. */
enum ktap_result expect_pattern(const uint64_t *words, size_t offset, size_t length);

/* What a child that ran @run(b) returned: 0 is good; 255 if it was killed. */
int in_child(struct bench *b, int (*run)(struct bench *b));

#endif /* CMA_MEM_BENCH_H */
/* #endregion cma-mem-bench-functions */
