// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of where the memory of /dev/cma_mem is: in the CMA area that the kernel
 * made at boot, at the page that its trace names, and back when it is freed.
 */

/* #region cma-mem-places-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buffer.h"
#include "cma_mem_bench.h"
#include "cma_mem_tests.h"
#include "proc_value.h"

#define WC CMA_MEM_WRITE_COMBINE
#define PAGES 375
/* A child that is no longer root, with the descriptor that root opened. */
static int errno_as_nobody(struct bench *b)
{
	struct cma_mem_phys phys = { 0, 0 };
	struct cma_mem_size size;
	int error;

	if (setgid(65534) || setuid(65534) || get_size(b->fd[0], &size))
		return 254;
	error = get_phys(b->fd[0], &phys);

	return phys.address || phys.size ? 253 : error;
}

enum ktap_result test_phys_rights(void *context)
{
	struct bench *b = fresh(context);
	int error;

	open_buffer(b, b->page, 0);
	error = in_child(b, errno_as_nobody);
	EXPECT(error, EPERM);

	return KTAP_OK;
}

/* #endregion cma-mem-places-includes */

/* #region cma-mem-area */
/* The default area, from the line that the kernel wrote when it reserved it. */
static bool default_area(uint64_t *start, uint64_t *size)
{
	static const char *const line = "cma: Reserved ";
	int length = klogctl(10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0);
	char *log = calloc(1, length + 1), *at;
	unsigned long long mib, from;
	bool found;

	if (!log || klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, length) <= 0)
		return false;
	at = strstr(log, line);
	found = at && sscanf(at + strlen(line), "%llu MiB at %llx", &mib, &from) == 2;
	free(log);
	if (!found)
		return false;
	*start = from;
	*size = mib << 20;

	return true;
}

enum ktap_result test_phys_in_area(void *context)
{
	struct bench *b = fresh(context);
	uint64_t start, size;

	if (!default_area(&start, &size))
		return ktap_skip("the kernel log names no CMA area");
	for (uint32_t flags = 0; flags <= WC; flags++) {
		struct cma_mem_phys phys;

		EXPECT(get_phys(open_buffer(b, PAGES * b->page - 1, flags), &phys), 0);
		if (phys.size != PAGES * b->page || phys.address % b->page ||
		    phys.address < start || phys.address + phys.size > start + size)
			return ktap_fail("%llu bytes at %#llx, area %#llx of %llu MiB",
					 (unsigned long long)phys.size,
					 (unsigned long long)phys.address,
					 (unsigned long long)start,
					 (unsigned long long)size >> 20);
		ktap_note("flags %u: byte %#llx of the area", flags,
			  (unsigned long long)(phys.address - start));
	}

	return KTAP_OK;
}

/*
 * One page is no matter for CMA: any page will do. A 32-bit ARM asks CMA first,
 * whatever the size (arch/arm/mm/dma-mapping.c, __dma_alloc(), v6.12).
 */
enum ktap_result test_one_page(void *context)
{
	struct bench *b = fresh(context);
	struct cma_mem_phys phys;
	uint64_t start, size;
	int fd = open_buffer(b, 1, WC);
	uint64_t *map = map_how(b, fd, CMA_MEM_MAP_PFN, b->page, 0), seen = 0;

	NEED(map);
	map[511] = pattern_word(0);
	NEED(pread(fd, &seen, 8, 511 * 8) == 8 && seen == pattern_word(0));
	EXPECT(get_phys(fd, &phys), 0);
	if (!default_area(&start, &size))
		return ktap_skip("the kernel log names no CMA area");
	if ((phys.address >= start && phys.address < start + size) != kernel_is_arm())
		return ktap_fail("one page at %#llx, %s the CMA area",
				 (unsigned long long)phys.address,
				 kernel_is_arm() ? "outside" : "in");

	return KTAP_OK;
}

/* #endregion cma-mem-area */

/* #region cma-mem-trace */
#define TRACING "/sys/kernel/tracing"
#define OURS TRACING "/instances/cma_mem_test"

/* Whether tracefs was mounted by us, and is to be unmounted. */
static bool mounted;

/* The board's own tracing is as it was. */
static void untrace_cma(void)
{
	rmdir(OURS);
	if (mounted)
		umount(TRACING);
	mounted = false;
}

/* Records the events of CMA in an instance of its own. Return: whether it can. */
static bool trace_cma(void)
{
	bool done = false;
	FILE *file;

	mounted = !access(TRACING, F_OK) && access(TRACING "/instances", F_OK) &&
		  !mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (!mkdir(OURS, 0700) || errno == EEXIST) {
		file = fopen(OURS "/events/cma/enable", "we");
		done = file && fputs("1", file) > 0;
		done = file && !fclose(file) && done;
	}
	if (!done)
		untrace_cma();

	return done;
}

/* The pfn and pages of the newest event that says memory was found. */
static bool newest_traced(unsigned long long *pfn, unsigned long *count)
{
	FILE *trace = fopen(OURS "/trace", "re");
	bool found = false;
	char line[512], *at;

	while (trace && fgets(line, sizeof(line), trace)) {
		at = strstr(line, "cma_alloc_finish:");
		at = at ? strstr(at, " pfn=") : NULL;
		if (at)
			found = sscanf(at, " pfn=%llx page=%*s count=%lu", pfn, count) == 2;
	}
	if (trace)
		fclose(trace);

	return found;
}

/* Buffers of several sizes, each looked up in the trace. */
static enum ktap_result phys_in_trace(struct bench *b)
{
	struct cma_mem_phys phys;
	unsigned long long pfn;
	unsigned long count;

	for (size_t pages = 2; pages < 40; pages += 9) {
		int fd = open_buffer(b, pages * b->page, WC);

		NEED(newest_traced(&pfn, &count));
		EXPECT(get_phys(fd, &phys), 0);
		if (phys.address / b->page != pfn || phys.size / b->page != count)
			return ktap_fail("%llu bytes at %#llx, traced %lu pages from pfn %#llx",
					 (unsigned long long)phys.size,
					 (unsigned long long)phys.address, count, pfn);
	}

	return KTAP_OK;
}

/* The address is that of the pages that cma_alloc() says it gave. */
enum ktap_result test_phys_in_trace(void *context)
{
	struct bench *b = fresh(context);
	enum ktap_result result;

	if (!trace_cma())
		return ktap_skip("no trace events of CMA: %s", strerror(errno));
	result = phys_in_trace(b);
	untrace_cma();

	return result;
}

/* #endregion cma-mem-trace */

/* #region cma-mem-free-pages */
/*
 * CmaFree counts what the page allocator has in its lists. Freed pages wait in
 * other lists until an allocation from CMA sends them all home: so look at the
 * number with a small buffer just allocated.
 */
static long long cma_free_now(struct bench *b)
{
	int fd = open_buffer(b, 2 * b->page, WC);
	long long free_now;

	proc_refresh();
	free_now = proc_value("/proc/meminfo", "CmaFree:");
	close_file(b, fd);

	return free_now;
}

/* Buffers that the kernel has mapped, by its own list. */
static long remapped(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	char line[256];
	long count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += !!strstr(line, "dma-coherent");
	if (file)
		fclose(file);

	return count;
}

/* Every way in which a buffer is got and given back. */
static enum ktap_result use_all(struct bench *b, size_t round)
{
	size_t size = (2 + round % 90) * b->page;
	int kept = open_buffer(b, size, round % 2 ? WC : 0), other = open_file(b, O_RDWR);
	struct cma_mem_allocate *unwritable = mmap(NULL, b->page, PROT_READ | PROT_WRITE,
						   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(unwritable != MAP_FAILED);
	*unwritable = (struct cma_mem_allocate){ .size = size };
	NEED(!mprotect(unwritable, b->page, PROT_READ));
	EXPECT(command(other, CMA_MEM_ALLOCATE, unwritable), EFAULT);
	munmap(unwritable, b->page);
	EXPECT(do_allocate(kept, size, 0, NULL), EBUSY);
	EXPECT(do_connect(other, kept), 0);
	EXPECT(do_connect(other, kept), EBUSY);
	EXPECT(do_free(kept), 0);
	EXPECT(do_allocate(kept, size, WC, NULL), 0);
	NEED(map_how(b, kept, CMA_MEM_MAP_DMA, size, 0));
	NEED(map_how(b, other, CMA_MEM_MAP_PFN, size, 0));
	NEED(!map_file(b, other, size + b->page, 0) && errno == ENXIO);
	fresh(b);
	return KTAP_OK;
}

#define ROUNDS 40
/*
 * A leak of one page a round would be ROUNDS pages. It may come out a little
 * different without one: pages that programs had in the area were moved out of a
 * buffer's way, or a page that waited in those other lists became a program's.
 */
enum ktap_result test_nothing_leaks(void *context)
{
	struct bench *b = fresh(context);
	long maps_before = remapped(), maps_after;
	long long before = cma_free_now(b), after;

	if (before < 0)
		return ktap_skip("/proc/meminfo has no CmaFree");
	for (size_t round = 0; round < ROUNDS; round++)
		CHECK(use_all(b, round));
	after = cma_free_now(b);
	maps_after = remapped();
	NEED(total_used(open_file(b, O_RDWR)) == 0);
	if (before - after > ROUNDS / 2 * (long long)b->page / 1024 || maps_after != maps_before)
		return ktap_fail("CmaFree %lld kB before, %lld after; %ld and %ld kernel mappings",
				 before, after, maps_before, maps_after);
	return KTAP_OK;
}

/* #endregion cma-mem-free-pages */

/* #region cma-mem-test-unload */
static enum ktap_result unload_refused(const char *by)
{
	if (!syscall(SYS_delete_module, "cma_mem", O_NONBLOCK))
		return ktap_fail("cma_mem was unloaded under %s", by);

	return expect_errno(by, errno, EWOULDBLOCK);
}

/* An open file without a buffer holds the module, and so does a mapping alone. */
enum ktap_result test_unload_refused(void *context)
{
	struct bench *b = fresh(context);
	int fd = open_file(b, O_RDWR);
	uint64_t *map;

	CHECK(unload_refused("an open file"));
	EXPECT(do_allocate(fd, 2 * b->page, WC, NULL), 0);
	NEED(map = map_how(b, fd, CMA_MEM_MAP_PFN, 2 * b->page, 0));
	pattern_fill(map, 0, 2 * b->page);
	close_file(b, fd);
	CHECK(unload_refused("a mapping"));

	return expect_pattern(map, 0, 2 * b->page);
}

/* Unbinding would take the device away under its users: there must be no such file. */
enum ktap_result test_no_unbind(void *context)
{
	static const char *const driver = "/sys/class/misc/cma_mem/device/driver";
	char path[128];

	fresh(context);
	NEED(!access(driver, F_OK));
	snprintf(path, sizeof(path), "%s/unbind", driver);
	if (!access(path, F_OK))
		return ktap_fail("%s exists", path);

	return KTAP_OK;
}

/* #endregion cma-mem-test-unload */
