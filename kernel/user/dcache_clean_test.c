// SPDX-License-Identifier: GPL-2.0-only
/*
 * dcache_clean_test
 *
 * PG_dcache_clean of single pages, as /proc/kpageflags shows it on arm and arm64:
 * when a page gets the flag and when it loses it. No device is needed. KTAP; exit
 * status as always.
 */

/* #region dcache-clean-test-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktap.h"

#define KPF_ARCH	38	/* PG_arch_1, which is PG_dcache_clean on arm and arm64 */
#define PM_PRESENT	0x8000000000000000ULL
#define PM_PFN		((1ULL << 55) - 1)
/* #endregion dcache-clean-test-includes */

/* #region dcache-clean-flag */
static bool read_word(const char *path, uint64_t index, uint64_t *word)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	bool done = from >= 0 && pread(from, word, 8, index * 8) == 8;

	if (from >= 0)
		close(from);
	return done;
}

/* Return: 0 or 1, the flag of the page behind @at; -1 if it cannot be seen. */
static int dcache_clean(const void *at)
{
	uint64_t entry, flags;

	if (!read_word("/proc/self/pagemap", (uintptr_t)at / sysconf(_SC_PAGESIZE), &entry) ||
	    !(entry & PM_PRESENT) || !(entry & PM_PFN) ||
	    !read_word("/proc/kpageflags", entry & PM_PFN, &flags))
		return -1;

	return flags >> KPF_ARCH & 1;
}

/* #endregion dcache-clean-flag */

/* #region dcache-clean-expect */
static enum ktap_result expect(const char *when, const void *at, int expected)
{
	int flag = dcache_clean(at);

	if (flag != expected)
		return ktap_fail("PG_dcache_clean is %d %s, expected %d", flag, when, expected);
	ktap_note("PG_dcache_clean is %s %s", flag ? "set" : "clear", when);

	return KTAP_OK;
}

static size_t page;
static char *own;	/* memory of the program's, one page */

static enum ktap_result test_written(void *context)
{
	(void)context;
	own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (own == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	__atomic_store_n(own, 1, __ATOMIC_RELAXED);

	return expect("in a page that was written", own, 0);
}

/* The processor may fetch instructions from it: what is dirty has to be written out. */
static enum ktap_result test_executable(void *context)
{
	(void)context;
	if (mprotect(own, page, PROT_READ | PROT_EXEC))
		return ktap_fail("mprotect: %s", strerror(errno));

	return expect("once it may be executed", own, 1);
}

static int fd;	/* a file of one page */

static enum ktap_result map_and_expect(const char *when)
{
	char *map = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	enum ktap_result result;

	if (map == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	__atomic_load_n(map, __ATOMIC_RELAXED);
	result = expect(when, map, 1);
	if (result == KTAP_OK && pwrite(fd, "x", 1, 0) != 1)
		result = ktap_fail("write: %s", strerror(errno));
	if (result == KTAP_OK)
		result = expect("after write(2)", map, 0);
	munmap(map, page);

	return result;
}

static enum ktap_result test_file(void *context)
{
	(void)context;
	fd = memfd_create("code", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, page) || pwrite(fd, "x", 1, 0) != 1)
		return ktap_fail("memfd: %s", strerror(errno));

	return map_and_expect("in a file that is mapped to be executed");
}

static enum ktap_result test_file_again(void *context)
{
	(void)context;
	return map_and_expect("when it is mapped once more");
}

static const struct ktap_test tests[] = {
	{ "written", test_written },
	{ "executable", test_executable },
	{ "file", test_file },
	{ "file-again", test_file_again },
};

int main(void)
{
	page = sysconf(_SC_PAGESIZE);

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), NULL) ? 1 : 0;
}

/* #endregion dcache-clean-expect */
