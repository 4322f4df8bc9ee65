// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that does not answer any more, or is taken away while a program has
 * lent it memory. Both come back in the end, so that more tests can follow.
 */

/* #region stream-away-sysfs */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stream_dma_test.h"

#define DRIVER	"/sys/bus/pci/drivers/stream-dma"
#define AT	0x1000

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

#define COMMAND		0x04
#define MASTER		0x0004
#define NO_LINE		0x0400
#define CAPABILITIES	0x34
#define MSI		0x05
#define MSI_ENABLE	0x0001

/* The file of the function's configuration space, or -1 after saying why. */
static int open_config(const char *function)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", function);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ktap_fail("%s: %s", path, strerror(errno));

	return fd;
}

static int read_word(int fd, int at)
{
	uint16_t word;

	return pread(fd, &word, 2, at) == 2 ? word : -1;
}

/* Sets the bits of @on, clears those of @off. */
static bool change_word(int fd, int at, uint16_t on, uint16_t off)
{
	int old = read_word(fd, at);
	uint16_t word = (old & ~off) | on;

	return old >= 0 && pwrite(fd, &word, 2, at) == 2;
}

/*
 * The interrupt is taken away, by hand, and nothing else: no line, and no
 * message. The device copies as before, and nobody hears of it.
 */
static bool silence(const char *function)
{
	int fd = open_config(function), at = fd < 0 ? 0 : read_word(fd, CAPABILITIES) & 0xff;
	bool done = fd >= 0 && change_word(fd, COMMAND, NO_LINE, 0);

	for (int i = 0; done && at && i < 48; i++) {
		int word = read_word(fd, at);

		if ((word & 0xff) == MSI)
			done = change_word(fd, at + 2, 0, MSI_ENABLE);
		at = word >> 8 & 0xfc;
	}
	if (fd >= 0)
		close(fd);

	return done ? true : (ktap_fail("the configuration space: %s", strerror(errno)), false);
}

/* What the driver must have done about it: a device that nobody hears may not write. */
static bool no_master(const char *function)
{
	int fd = open_config(function), command = fd < 0 ? -1 : read_word(fd, COMMAND);

	if (fd >= 0)
		close(fd);
	if (command >= 0 && !(command & MASTER))
		return true;
	ktap_fail("command word %#x: the device is still bus master", command);

	return false;
}

/* A line that was held up all the time is heard now: too late, but it is counted. */
static bool late_interrupt(const struct lending *l, const char *function)
{
	int fd = open_config(function);
	bool done = fd >= 0 && change_word(fd, COMMAND, 0, NO_LINE);
	struct stream_dma_info info;

	if (fd >= 0)
		close(fd);
	usleep(10000);
	if (!done || !look(l->fd, &info))
		return false;
	if (info.interrupts == info.commands)
		return true;
	ktap_fail("%llu interrupts for %llu commands, one of them late",
		  (unsigned long long)info.interrupts, (unsigned long long)info.commands);

	return false;
}

static long long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * Opening holds the mutex of all misc devices, and waits for no device: not for
 * this one either, for which another program waits a second.
 */
static bool open_at_once(const struct lending *l)
{
	long long took = milliseconds();
	int fd = lending_open(l);

	took = milliseconds() - took;
	if (fd < 0)
		return false;
	/* Closing does wait: what the file may have lent is the device's until then. */
	close(fd);
	if (took < 400)
		return true;
	ktap_fail("open took %lld ms while another program waited for the device", took);

	return false;
}

/* A child whose copy is not answered for; another program opens meanwhile. */
static bool wait_in_vain(const struct lending *l)
{
	struct stream_dma_transfer t = { STREAM_DMA_FROM_DEVICE, 0, 0, 64 };
	pid_t child = fork();
	bool opened;
	int status;

	if (child == 0)
		_exit(refused(l->fd, STREAM_DMA_TRANSFER, &t, ETIMEDOUT, "a silent device") !=
		      KTAP_OK);
	if (child < 0)
		return ktap_fail("fork: %s", strerror(errno)) == KTAP_OK;
	usleep(200000);
	opened = open_at_once(l);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		return ktap_fail("the copy that nobody heard of: not ETIMEDOUT") == KTAP_OK;

	return opened;
}

/* It does not answer: said once, refused from then on, and a new probe helps. */
enum ktap_result test_silent_device(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_FROM_DEVICE, AT, 64);
	struct stream_dma_transfer t = { STREAM_DMA_FROM_DEVICE, 0, 0, 64 };
	struct lending *l = lending;
	char function[64];

	if (!function_of(l, function, sizeof(function)) || !lend(l->fd, &map) ||
	    !silence(function) || !wait_in_vain(l) || !no_master(function))
		return KTAP_FAIL;
	if (refused(l->fd, STREAM_DMA_TRANSFER, &t, EIO, "and once more") != KTAP_OK ||
	    !take_back(l->fd) || (l->line && !late_interrupt(l, function)))
		return KTAP_FAIL;
	if (!write_file(DRIVER "/unbind", function) || !write_file(DRIVER "/bind", function))
		return KTAP_FAIL;
	close(l->fd);
	l->fd = lending_open(l);

	return l->fd >= 0 && send_bytes(l->fd, AT, 64) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion stream-away-sysfs */

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
	if (pread(l->fd, &byte, 1, 0) != -1 || errno != ENODEV ||
	    pwrite(l->fd, "", 1, 0) != -1 || errno != ENODEV ||
	    lseek(l->fd, 0, SEEK_END) != -1 || errno != ENODEV)
		return ktap_fail("the file can still be read, written or measured");

	return bring_back(l);
}

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
	usleep(150000);
	if (!take_away(function))
		return KTAP_FAIL;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		return ktap_fail("the other program was not told ENODEV after its copy");

	return bring_back(l);
}

/* #endregion stream-away-remove */
