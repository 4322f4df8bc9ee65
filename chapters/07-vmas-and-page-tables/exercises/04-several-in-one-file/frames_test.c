// SPDX-License-Identifier: GPL-2.0-only
/*
 * frames_test: map each of the four frames of /dev/frames, and what is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktap.h"
#include "vma_look.h"

#define DEVICE "/dev/frames"
#define FRAMES 4
#define FRAME_PAGES 2

static int fd;
static size_t page;

static unsigned char *map_pages(size_t count, size_t from)
{
	return mmap(NULL, count * page, PROT_READ, MAP_SHARED, fd, (off_t)(from * page));
}

/* @count pages of each frame, from its page @from on, hold the frame's number plus one. */
static enum ktap_result frames_hold(size_t count, size_t from)
{
	for (size_t i = 0; i < FRAMES; i++) {
		unsigned char *map = map_pages(count, i * FRAME_PAGES + from);

		if (map == MAP_FAILED)
			return ktap_fail("frame %zu: mmap: %s", i, strerror(errno));
		for (size_t at = 0; at < count * page; at += page)
			if (map[at] != i + 1)
				return ktap_fail("frame %zu: byte %zu holds %d", i, at, map[at]);
		munmap(map, count * page);
	}

	return KTAP_OK;
}

static enum ktap_result frame_zero(void *context)
{
	(void)context;
	if (map_pages(FRAME_PAGES, 0) == MAP_FAILED)
		return ktap_fail("mmap: %s", strerror(errno));
	return KTAP_OK;
}

static enum ktap_result each_frame(void *context)
{
	(void)context;
	return frames_hold(FRAME_PAGES, 0);
}

static enum ktap_result second_pages(void *context)
{
	(void)context;
	return frames_hold(1, 1);
}

static enum ktap_result not_beyond_a_frame(void *context)
{
	(void)context;
	for (size_t i = 0; i < FRAMES; i++)
		if (map_pages(FRAME_PAGES, i * FRAME_PAGES + 1) != MAP_FAILED || errno != ENXIO)
			return ktap_fail("two pages from the second of frame %zu: not ENXIO", i);
	if (map_pages(FRAMES * FRAME_PAGES, 0) != MAP_FAILED || errno != ENXIO)
		return ktap_fail("all pages at once: not ENXIO");

	return KTAP_OK;
}

static enum ktap_result not_behind_the_last(void *context)
{
	(void)context;
	if (map_pages(1, FRAMES * FRAME_PAGES) != MAP_FAILED || errno != ENXIO)
		return ktap_fail("a page behind the last frame: not ENXIO");

	return KTAP_OK;
}

/* A hole in front, and the offset of what is left is still that of its bytes in the file. */
static enum ktap_result offset_of_the_file(void *context)
{
	unsigned char *map = map_pages(FRAME_PAGES, 2 * FRAME_PAGES);
	struct vma_look whole, rest;

	(void)context;
	if (map == MAP_FAILED || !vma_look(map, &whole))
		return ktap_fail("frame 2: mmap or smaps: %s", strerror(errno));
	if (munmap(map, page) || !vma_look(map + page, &rest))
		return ktap_fail("frame 2: munmap or smaps: %s", strerror(errno));
	munmap(map + page, page);
	if (whole.offset != 2 * FRAME_PAGES * page || rest.offset != whole.offset + page)
		return ktap_fail("frame 2 is said to begin at %#llx", whole.offset);

	return KTAP_OK;
}

int main(void)
{
	static const struct ktap_test tests[] = {
		{ "frame-zero", frame_zero },
		{ "each-frame", each_frame },
		{ "second-pages", second_pages },
		{ "not-beyond-a-frame", not_beyond_a_frame },
		{ "offset-of-the-file", offset_of_the_file },
		{ "not-behind-the-last", not_behind_the_last },
	};

	page = sysconf(_SC_PAGESIZE);
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", DEVICE, strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), NULL) ? 1 : 0;
}
