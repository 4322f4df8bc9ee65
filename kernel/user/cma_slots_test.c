// SPDX-License-Identifier: GPL-2.0-only
/*
 * cma_slots_test --area BASE,SIZE DEVICE
 *
 * Works /dev/cma_test and reports in KTAP. Exit status: 0 when no test failed, 1
 * when one did, 2 when the device could not be opened.
 *
 * --area: the default CMA area as the kernel's command line gave it, cma=16M@… as
 * …,16M; a size of 0 when it has none. The module must have been loaded newly;
 * when the program ends three slots are in use, for unloading to free.
 */

/* #region slots-test-includes */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cma_slots_test.h"
#include "proc_value.h"

static enum ktap_result test_area_as_told(void *device)
{
	const struct device *d = device;
	long long total = proc_value("/proc/meminfo", "CmaTotal:");

	if (total << 10 != (long long)d->area.size)
		return ktap_fail("CmaTotal is %lld KiB, the area has %llu", total,
				 (unsigned long long)d->area.size >> 10);

	return KTAP_OK;
}

static enum ktap_result test_starts_empty(void *device)
{
	const struct device *d = device;
	struct cma_slots now;
	char byte;

	if (!cma_slots_read(&now))
		return ktap_fail("%s: %s", CMA_TEST_DIR, strerror(errno));
	if (cma_slots_used(&now) || now.held || now.allocated || now.freed || now.failed)
		return ktap_fail("%zu slots hold %lld bytes, %lld allocated, %lld freed",
				 cma_slots_used(&now), now.held, now.allocated, now.freed);
	if (read(d->fd, &byte, 1) != -1 || errno != ENOENT)
		return ktap_fail("read with nothing to free: %s, expected ENOENT",
				 strerrorname_np(errno));

	return KTAP_OK;
}

/* Exit status of a child without rights: how many of the files it could open. */
static int opened_as_nobody(const char *const *paths, size_t count)
{
	int status, opened = 0;
	pid_t child = fork();

	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(255);
		for (size_t i = 0; i < count; i++)
			opened += open(paths[i], O_RDONLY) >= 0 || errno != EACCES;
		_exit(opened);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static enum ktap_result test_root_only(void *device)
{
	const struct device *d = device;
	const char *const paths[] = { d->path, CMA_TEST_DIR "/slots", CMA_TEST_DIR "/held" };
	struct stat slots;
	int opened = opened_as_nobody(paths, sizeof(paths) / sizeof(*paths));

	if (opened)
		return ktap_fail("a user without rights got past EACCES %d times", opened);
	/* The directory is closed too; the file itself must be, wherever it stands. */
	if (stat(CMA_TEST_DIR "/slots", &slots) || (slots.st_mode & 0777) != 0400)
		return ktap_fail("slots has mode %o, expected 400", slots.st_mode & 0777);

	return KTAP_OK;
}

static enum ktap_result test_no_bytes(void *device)
{
	const struct device *d = device;
	struct cma_slots now;
	enum ktap_result result;

	if (write(d->fd, "", 0) || !cma_slots_read(&now) || cma_slots_used(&now))
		return ktap_fail("a write of no bytes did something: %s", strerror(errno));
	result = check_write(d, NULL);
	if (result != KTAP_OK)
		return result;
	if (read(d->fd, NULL, 0) || !cma_slots_read(&now) || cma_slots_used(&now) != 1)
		return ktap_fail("a read of no bytes did something: %s", strerror(errno));

	return check_read(d);
}

/* An open device holds the module, and so does an open file of its debugfs. */
static enum ktap_result test_unload_refused(void *device)
{
	struct device *d = device;
	int list = open(CMA_TEST_DIR "/slots", O_RDONLY | O_CLOEXEC);
	bool by_list, by_device;

	if (list < 0)
		return ktap_fail("%s/slots: %s", CMA_TEST_DIR, strerror(errno));
	close(d->fd);
	by_list = syscall(SYS_delete_module, "cma_test", O_NONBLOCK) && errno == EWOULDBLOCK;
	d->fd = open(d->path, O_RDWR | O_CLOEXEC);
	close(list);
	by_device = syscall(SYS_delete_module, "cma_test", O_NONBLOCK) && errno == EWOULDBLOCK;
	if (!by_list || !by_device)
		return ktap_fail("unloaded under an open %s", by_list ? d->path : "slots");

	return d->fd < 0 ? ktap_fail("open again: %s", strerror(errno)) : KTAP_OK;
}

/* Unloading must free these: the next load finds the area as this one did. */
static enum ktap_result test_left_in_use(void *device)
{
	struct cma_slots now;

	for (int i = 0; i < 3; i++) {
		enum ktap_result result = check_write(device, NULL);

		if (result != KTAP_OK)
			return result;
	}
	if (!cma_slots_read(&now) || cma_slots_used(&now) != 3)
		return ktap_fail("expected three slots in use");

	return KTAP_OK;
}

/* #endregion slots-test-includes */

/* #region slots-test-table */
static const struct ktap_test tests[] = {
	{ "area-as-told", test_area_as_told },
	{ "starts-empty", test_starts_empty },
	{ "root-only", test_root_only },
	{ "no-bytes", test_no_bytes },
	{ "reference-buffer", test_reference_buffer },
	{ "ten-writes", test_ten_writes },
	{ "lowest-first", test_lowest_first },
	{ "holes-are-filled", test_holes_are_filled },
	{ "frees-all", test_frees_all },
	{ "many-callers", test_many_callers },
	{ "frees-all-again", test_frees_all },
	{ "cma-free-returns", test_cma_free_returns },
	{ "unload-refused", test_unload_refused },
	{ "left-in-use", test_left_in_use },
};

int main(int argc, char **argv)
{
	static const struct option options[] = { { "area", required_argument, NULL, 'a' }, {} };
	struct device d = { 0 };
	bool told = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) == 'a')
		told = area_parse(optarg, &d.area);
	if (option != -1 || !told || optind != argc - 1) {
		fprintf(stderr, "usage: %s --area BASE,SIZE DEVICE\n", argv[0]);
		return 2;
	}
	d.path = argv[optind];
	d.fd = open(d.path, O_RDWR | O_CLOEXEC);
	if (d.fd < 0) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", d.path, strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &d) ? 1 : 0;
}

/* #endregion slots-test-table */
