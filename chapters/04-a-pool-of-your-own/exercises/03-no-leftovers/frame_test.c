// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame_test fill|one|two: leave something in the buffer, or look for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktap.h"

#define DEVICE "/dev/frame"
#define PATTERN 0x5e

static int fd;
static size_t page;

static enum ktap_result fill_two_pages(void *context)
{
	void *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)context;
	if (map == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	memset(map, PATTERN, 2 * page);
	munmap(map, 2 * page);
	return KTAP_OK;
}

/* All bytes of @count pages must be zero. */
static enum ktap_result clean(size_t count)
{
	unsigned char *map = mmap(NULL, count * page, PROT_READ, MAP_SHARED, fd, 0);
	enum ktap_result result = KTAP_OK;

	if (map == MAP_FAILED)
		return ktap_skip("mmap: %s", strerror(errno));
	for (size_t i = 0; result == KTAP_OK && i < count * page; i++)
		if (map[i])
			result = ktap_fail("byte %zu holds %#x", i, map[i]);
	munmap(map, count * page);
	return result;
}

static enum ktap_result mapped(size_t count)
{
	void *map = mmap(NULL, count * page, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return ktap_fail("mmap of %zu pages: %s", count, strerror(errno));
	munmap(map, count * page);
	return KTAP_OK;
}

static enum ktap_result one_mapped(void *context)
{
	(void)context;
	return mapped(1);
}

static enum ktap_result one_clean(void *context)
{
	(void)context;
	return clean(1);
}

static enum ktap_result two_mapped(void *context)
{
	(void)context;
	return mapped(2);
}

static enum ktap_result two_clean(void *context)
{
	(void)context;
	return clean(2);
}

static enum ktap_result third_refused(void *context)
{
	(void)context;
	return mapped(3) == KTAP_OK ? ktap_fail("a third page was mapped") : KTAP_OK;
}

int main(int argc, char **argv)
{
	static const struct ktap_test fill[] = { { "two-filled", fill_two_pages } };
	static const struct ktap_test one[] = {
		{ "one-mapped", one_mapped },
		{ "one-clean", one_clean },
	};
	static const struct ktap_test two[] = {
		{ "two-mapped", two_mapped },
		{ "two-clean", two_clean },
		{ "third-refused", third_refused },
	};
	const char *what = argc == 2 ? argv[1] : "";

	page = sysconf(_SC_PAGESIZE);
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", DEVICE, strerror(errno));
		return 2;
	}
	if (!strcmp(what, "fill"))
		return ktap_run(fill, 1, NULL) ? 1 : 0;
	if (!strcmp(what, "one"))
		return ktap_run(one, 2, NULL) ? 1 : 0;
	if (!strcmp(what, "two"))
		return ktap_run(two, 3, NULL) ? 1 : 0;
	fprintf(stderr, "usage: frame_test fill|one|two\n");
	return 2;
}
