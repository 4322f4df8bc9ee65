// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that does not answer any more, or is taken away while a program has
 * lent it memory. Both come back in the end, so that more tests can follow.
 */

/* #region stream-away-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream_dma_test.h"

#define DRIVER	"/sys/bus/pci/drivers/stream-dma"
#define AT	0x1000
/* #endregion stream-away-includes */

/* #region stream-away-sysfs */
static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!done)
		ktap_fail("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);

	return done;
}

/* #endregion stream-away-sysfs */

/* #region stream-away-function */
/* The PCI function behind the device, such as 0000:00:01.0. */
static bool function_of(const struct lending *l, char *name, size_t size)
{
	char path[256], link[256] = "";

	snprintf(path, sizeof(path), "/sys/class/misc/%s/device", strrchr(l->path, '/') + 1);
	if (readlink(path, link, sizeof(link) - 1) < 0 || !strrchr(link, '/')) {
		ktap_fail("%s: %s", path, strerror(errno));
		return false;
	}
	snprintf(name, size, "%s", strrchr(link, '/') + 1);

	return true;
}

/* #endregion stream-away-function */

/* #region test-unload-refused-stream */
/* An open file holds the module. */
enum ktap_result test_open_holds_module(void *lending)
{
	(void)lending;
	if (!syscall(SYS_delete_module, "stream_dma", O_NONBLOCK))
		return ktap_fail("was unloaded under an open file");
	if (errno != EAGAIN)
		return ktap_fail("%s, expected EAGAIN", strerrorname_np(errno));

	return KTAP_OK;
}

/* #endregion test-unload-refused-stream */

/* #region stream-away-silence */
/*
 * Bus mastership taken by hand: the device can neither reach memory nor send
 * its message. (With a line it still interrupts, but copies nothing.)
 */
static bool silence(const char *function)
{
	char path[256];
	uint16_t command;
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", function);
	fd = open(path, O_RDWR | O_CLOEXEC);
	done = fd >= 0 && pread(fd, &command, 2, 4) == 2;
	command &= ~(1 << 2);
	done = done && pwrite(fd, &command, 2, 4) == 2;
	if (!done)
		ktap_fail("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);

	return done;
}

/* #endregion stream-away-silence */

/* #region test-silent-device */
/* It does not answer: said once, refused from then on, and a new probe helps. */
enum ktap_result test_silent_device(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_FROM_DEVICE, AT, 64);
	struct stream_dma_transfer t = { STREAM_DMA_FROM_DEVICE, 0, 0, 64 };
	struct lending *l = lending;
	char function[64];

	if (l->line)
		return ktap_skip("a line interrupts all the same");
	if (!function_of(l, function, sizeof(function)) || !put_pattern(l->fd, AT, 64, 6) ||
	    !lend(l->fd, &map) || !silence(function))
		return KTAP_FAIL;
	if (refused(l->fd, STREAM_DMA_TRANSFER, &t, ETIMEDOUT, "a silent device") != KTAP_OK ||
	    refused(l->fd, STREAM_DMA_TRANSFER, &t, EIO, "and once more") != KTAP_OK ||
	    !take_back(l->fd) || !same_pattern(l->fd, AT, 64, 6))
		return KTAP_FAIL;
/* #endregion test-silent-device */
/* #region test-silent-device-again */
	if (!write_file(DRIVER "/unbind", function) || !write_file(DRIVER "/bind", function))
		return KTAP_FAIL;
	close(l->fd);
	l->fd = lending_open(l);

	return l->fd >= 0 && send_bytes(l->fd, AT, 64) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-silent-device-again */

/* #region stream-away-remove */
static bool take_away(const char *function)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", function);
	return write_file(path, "1");
}

static enum ktap_result bring_back(struct lending *l)
{
	if (!write_file("/sys/bus/pci/rescan", "1"))
		return KTAP_FAIL;
	close(l->fd);
	l->fd = lending_open(l);

	return l->fd >= 0 && put_pattern(l->fd, AT, 64, 8) && send_bytes(l->fd, AT, 64) &&
	       fetch_bytes(l->fd, 0, 64) && same_pattern(l->fd, 0, 64, 8) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion stream-away-remove */

/* #region test-taken-away */
/* Taken away with memory lent: nothing leaks, and every call says ENODEV. */
enum ktap_result test_taken_away(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SG, STREAM_DMA_BIDIRECTIONAL, AT, 4096);
	struct stream_dma_transfer t = { STREAM_DMA_TO_DEVICE, 0, 0, 64 };
	long long before = slots_used();
	struct lending *l = lending;
	char function[64], byte;

	if (!function_of(l, function, sizeof(function)) || !lend(l->fd, &map) ||
	    !take_away(function))
		return KTAP_FAIL;
	if (slots_used() != before)
		return ktap_fail("%lld slots used, %lld before", slots_used(), before);
	if (!access(l->path, F_OK))
		return ktap_fail("%s is still there", l->path);
	if (refused(l->fd, STREAM_DMA_TRANSFER, &t, ENODEV, "TRANSFER") != KTAP_OK ||
	    refused(l->fd, STREAM_DMA_MAP, &map, ENODEV, "MAP") != KTAP_OK ||
	    refused(l->fd, STREAM_DMA_UNMAP, NULL, ENODEV, "UNMAP") != KTAP_OK)
		return KTAP_FAIL;
/* #endregion test-taken-away */
/* #region test-taken-away-file */
	if (pread(l->fd, &byte, 1, 0) != -1 || errno != ENODEV ||
	    pwrite(l->fd, "", 1, 0) != -1 || errno != ENODEV ||
	    lseek(l->fd, 0, SEEK_END) != -1 || errno != ENODEV)
		return ktap_fail("the file can still be read, written or measured");

	return bring_back(l);
}

/* #endregion test-taken-away-file */

/* #region test-taken-away-busy */
/* Taken away in the middle of a copy by another program: that ends, and says so. */
enum ktap_result test_taken_away_busy(void *lending)
{
	struct lending *l = lending;
	char function[64];
	pid_t child;
	int status;

	if (!function_of(l, function, sizeof(function)))
		return KTAP_FAIL;
	child = fork();
	if (child < 0)
		return ktap_fail("fork: %s", strerror(errno));
	if (child == 0) {
		struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, AT, 64);
		struct stream_dma_transfer t = { STREAM_DMA_TO_DEVICE, 0, 0, 64 };
		int copies = 0;

		ioctl(l->fd, STREAM_DMA_MAP, &map);
		while (!ioctl(l->fd, STREAM_DMA_TRANSFER, &t) && copies < 50)
			copies++;
		_exit(errno == ENODEV && copies ? 0 : 1);
	}
/* #endregion test-taken-away-busy */
/* #region test-taken-away-busy-wait */
	usleep(150000);
	if (!take_away(function))
		return KTAP_FAIL;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		return ktap_fail("the other program was not told ENODEV after its copy");

	return bring_back(l);
}

/* #endregion test-taken-away-busy-wait */
