// SPDX-License-Identifier: GPL-2.0-only
/*
 * samples_test: which pages of the region a program gets to see.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktap.h"

#define DEVICE "/dev/samples"
#define REGION (16 << 20)
#define COUNTERS 0xc0

static int fd;
static size_t page;

/* The number in the first page of a mapping of @count pages from page @first of the file, or -errno. */
static long long number_at(size_t first, size_t count)
{
	volatile uint64_t *words = mmap(NULL, count * page, PROT_READ, MAP_SHARED, fd, first * page);
	long long number;

	if (words == MAP_FAILED)
		return -errno;
	number = words[0];
	munmap((void *)words, count * page);

	return number;
}

static enum ktap_result expect(size_t first, size_t count, long long wanted)
{
	long long got = number_at(first, count);

	if (got == wanted)
		return KTAP_OK;
	return ktap_fail("%zu pages from page %zu: got %lld, expected %lld", count, first, got, wanted);
}

/* Must not be mapped; what is mapped by mistake is not touched, for it may be anybody's. */
static enum ktap_result expect_refused(size_t first, size_t count)
{
	void *map = mmap(NULL, count * page, PROT_READ, MAP_SHARED, fd, first * page);

	if (map == MAP_FAILED && errno == EINVAL)
		return KTAP_OK;
	if (map == MAP_FAILED)
		return ktap_fail("%zu pages from page %zu: %s", count, first, strerror(errno));
	munmap(map, count * page);
	return ktap_fail("%zu pages from page %zu were mapped", count, first);
}

static enum ktap_result counters_hidden(void *context)
{
	(void)context;
	return number_at(0, 1) == COUNTERS ? ktap_fail("offset 0 shows the counters") : KTAP_OK;
}

static enum ktap_result first_frame(void *context)
{
	(void)context;
	return expect(0, 1, 1);
}

static enum ktap_result frame_by_offset(void *context)
{
	(void)context;
	return expect(5, 2, 6);
}

static enum ktap_result last_frame(void *context)
{
	(void)context;
	return expect(REGION / page - 2, 1, REGION / page - 1);
}

static enum ktap_result all_frames(void *context)
{
	(void)context;
	return expect(0, REGION / page - 1, 1);
}

static enum ktap_result far_past_end(void *context)
{
	(void)context;
	return expect_refused(0, REGION / page + 8);
}

static enum ktap_result page_past_end(void *context)
{
	(void)context;
	return expect_refused(REGION / page - 1, 1);
}

int main(void)
{
	static const struct ktap_test tests[] = {
		{ "counters-hidden", counters_hidden },
		{ "first-frame", first_frame },
		{ "frame-by-offset", frame_by_offset },
		{ "last-frame", last_frame },
		{ "all-frames", all_frames },
		{ "far-past-end", far_past_end },
		{ "page-past-end", page_past_end },
	};

	page = sysconf(_SC_PAGESIZE);
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", DEVICE, strerror(errno));
		return 2;
	}
	return ktap_run(tests, sizeof(tests) / sizeof(*tests), NULL) ? 1 : 0;
}
