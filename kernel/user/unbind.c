// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unbinding and binding through sysfs, and what is left of a file: see unbind.h.
 */

/* #region unbind-sysfs */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reserved_buffer.h"
#include "touch.h"
#include "unbind.h"

/* The last part of what a link points to. */
static bool link_name(const char *link, char *name, size_t size)
{
	char target[256];
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	if (length < 0)
		return false;
	target[length] = '\0';

	return snprintf(name, size, "%s", strrchr(target, '/') + 1) < (int)size;
}

bool unbind_find(struct unbind *u)
{
	char link[128], driver[64];

	snprintf(link, sizeof(link), "/sys/class/misc/%s/device", buffer_name(&u->b));
	if (!link_name(link, u->device, sizeof(u->device)))
		return false;
	strcat(link, "/driver");
	if (!link_name(link, driver, sizeof(driver)))
		return false;
	snprintf(u->driver, sizeof(u->driver), "/sys/bus/platform/drivers/%s", driver);

	return true;
}

static int write_to(const struct unbind *u, const char *file)
{
	size_t length = strlen(u->device);
	char path[300];
	int fd, error;

	snprintf(path, sizeof(path), "%s/%s", u->driver, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	error = write(fd, u->device, length) == (ssize_t)length ? 0 : errno;
	close(fd);

	return error;
}

int driver_unbind(const struct unbind *u)
{
	return write_to(u, "unbind");
}

int driver_bind(const struct unbind *u)
{
	return write_to(u, "bind");
}

/* #endregion unbind-sysfs */

/* #region expect-gone */
enum ktap_result expect_gone(int fd, size_t page)
{
	struct reserved_buffer_info info;
	uint64_t word = 0;
	const bool gone[] = {
		read(fd, &word, 8) == -1 && errno == ENODEV,
		read(fd, &word, 0) == -1 && errno == ENODEV,
		pread(fd, &word, 8, 0) == -1 && errno == ENODEV,
		write(fd, &word, 8) == -1 && errno == ENODEV,
		pwrite(fd, &word, 8, INT64_MAX - 4096) == -1 && errno == ENODEV,
		lseek(fd, 0, SEEK_SET) == -1 && errno == ENODEV,
		ioctl(fd, RESERVED_BUFFER_INFO, &info) == -1 && errno == ENODEV,
		ioctl(fd, _IO(0xbc, 0xff), 0) == -1 && errno == ENODEV,
		mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV,
		mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENODEV,
	};

	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
		if (!gone[i])
			return ktap_fail("operation %zu did not fail with ENODEV", i);

	return KTAP_OK;
}

static enum ktap_result expect_page_gone(uint64_t *words, size_t at)
{
	uint64_t *word = words + at / sizeof(*words);

	if (touch_read(word, NULL) != SIGBUS)
		return ktap_fail("byte %#zx can still be read", at);
	if (touch_write(word, 0) != SIGBUS)
		return ktap_fail("byte %#zx can still be written", at);

	return KTAP_OK;
}

/* Two signals a page take their time: in a large buffer not every page, but the last. */
enum ktap_result expect_sigbus(uint64_t *words, size_t length, size_t page)
{
	size_t step = length > 4096 * page ? 61 * page : page;

	for (size_t at = 0; at < length; at += step)
		if (expect_page_gone(words, at) != KTAP_OK)
			return KTAP_FAIL;

	return expect_page_gone(words, length - page);
}

/* #endregion expect-gone */
