// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame_test: whose buffer it is, and for how long.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktap.h"

#define DEVICE "/dev/frame"
#define FRAME_ALLOCATE _IOW(0xbd, 1, uint64_t)
#define MIB (1 << 20)

static int device(void)
{
	return open(DEVICE, O_RDWR | O_CLOEXEC);
}

static int allocate(int fd, uint64_t size)
{
	return ioctl(fd, FRAME_ALLOCATE, &size) ? errno : 0;
}

static unsigned char *map(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* Whether all bytes are this one. */
static int all(const unsigned char *at, size_t size, unsigned char byte)
{
	for (size_t i = 0; i < size; i++)
		if (at[i] != byte)
			return 0;
	return 1;
}

static enum ktap_result files_apart(void *context)
{
	int one = device(), two = device();
	unsigned char *mine, *theirs;
	enum ktap_result result = KTAP_OK;

	(void)context;
	if (allocate(one, MIB) || allocate(two, MIB))
		return ktap_fail("two files cannot both allocate");
	mine = map(one, MIB);
	theirs = map(two, MIB);
	if (!mine || !theirs)
		return ktap_fail("two files cannot both map");
	memset(mine, 0x11, MIB);
	if (!all(theirs, MIB, 0))
		result = ktap_fail("the second file shows what the first wrote");
	munmap(mine, MIB);
	munmap(theirs, MIB);
	close(one);
	close(two);

	return result;
}

static enum ktap_result without_buffer(void *context)
{
	int fd = device();
	unsigned char *at = map(fd, 4096);
	int error = at ? 0 : errno;

	(void)context;
	if (at)
		munmap(at, 4096);
	close(fd);

	return error == EINVAL ? KTAP_OK : ktap_fail("mmap without a buffer: errno %d", error);
}

static enum ktap_result second_refused(void *context)
{
	int fd = device(), first = allocate(fd, MIB), second = allocate(fd, 2 * MIB);

	(void)context;
	close(fd);
	if (first || second != EBUSY)
		return ktap_fail("first %d, second %d, expected 0 and EBUSY", first, second);

	return KTAP_OK;
}

static enum ktap_result mapping_stays(void *context)
{
	int fd = device(), other;
	unsigned char *mine, *fill;
	int same;

	(void)context;
	if (allocate(fd, MIB))
		return ktap_fail("no buffer");
	mine = map(fd, MIB);
	if (!mine)
		return ktap_fail("no mapping");
	memset(mine, 0x11, MIB);
	close(fd);
	/* Were it freed, these would be the same pages. */
	other = device();
	if (allocate(other, MIB) || !(fill = map(other, MIB)))
		return ktap_fail("no second buffer");
	memset(fill, 0x22, MIB);
	same = all(mine, MIB, 0x11);
	munmap(fill, MIB);
	munmap(mine, MIB);
	close(other);

	return same ? KTAP_OK : ktap_fail("after close() the mapping shows somebody else's bytes");
}

/* 64 MiB one after the other, of which there are 32 at a time. */
static enum ktap_result given_back(void *context)
{
	(void)context;
	for (int round = 0; round < 8; round++) {
		int fd = device(), error = allocate(fd, 8 * MIB);

		close(fd);
		if (error)
			return ktap_fail("round %d: errno %d", round, error);
	}

	return KTAP_OK;
}

int main(void)
{
	static const struct ktap_test tests[] = {
		{ "files-apart", files_apart },
		{ "without-buffer", without_buffer },
		{ "second-refused", second_refused },
		{ "mapping-stays", mapping_stays },
		{ "given-back", given_back },
	};
	int fd = device();

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", DEVICE, strerror(errno));
		return 2;
	}
	close(fd);
	return ktap_run(tests, sizeof(tests) / sizeof(*tests), NULL) ? 1 : 0;
}
