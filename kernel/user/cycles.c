// SPDX-License-Identifier: GPL-2.0-only
/*
 * cycles [--times N] [--device PATH] MODULE.ko [PARAMETERS]
 *
 * Loads a module and unloads it again, over and over, and looks at what the kernel
 * has left afterwards: memory that it counts as its own, vmalloc areas, pages that
 * CMA areas have given out. KTAP; exit status 0 when no test failed, 1 when one
 * did, 2 for words that it does not know.
 *
 * --times: how often (default 1000).
 * --device: must exist while the module is loaded, and not after.
 */

/* #region cycles-head */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ktap.h"
#include "levels.h"

struct cycles {
	const char *file;
	const char *parameters;
	const char *device;
	char name[64];
	long times;
	struct levels before;
	struct levels after;
};

/* Whoever looks at a new device may have it open for a moment: try for a while. */
static bool unload(const char *name)
{
	for (int i = 0; i < 100; i++) {
		if (!syscall(SYS_delete_module, name, O_NONBLOCK))
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		usleep(1000);
	}

	return false;
}

/* #endregion cycles-head */

/* #region cycles-once */
/* Return: NULL, or what went wrong. */
static const char *cycle(const struct cycles *c)
{
	int fd = open(c->file, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return "cannot be opened";
	ret = syscall(SYS_finit_module, fd, c->parameters, 0);
	close(fd);
	if (ret)
		return "does not load";
	if (c->device && access(c->device, F_OK))
		return "makes no device";
	if (!unload(c->name))
		return "does not unload";
	if (c->device && !access(c->device, F_OK))
		return "leaves its device behind";

	return NULL;
}

/* #endregion cycles-once */

/* #region cycles-test-load */
static enum ktap_result test_load_unload(void *context)
{
	struct cycles *c = context;

	for (long i = 0; i < c->times; i++) {
		const char *wrong = cycle(c);

		if (wrong)
			return ktap_fail("%s: cycle %ld of %ld: %s: %s", c->name, i + 1, c->times,
					 wrong, strerror(errno));
		/* The first ones fill caches of the kernel's own, which stay. */
		if (i == c->times / 10)
			c->before = levels_take();
	}
	c->after = levels_settled(&c->before);
	ktap_note("%s: %ld cycles", c->name, c->times);

	return KTAP_OK;
}

/* #endregion cycles-test-load */

/* #region cycles-test-levels */
static enum ktap_result test_vmalloc_back(void *context)
{
	const struct cycles *c = context;

	ktap_note("%llu bytes before, %llu after", c->before.vmalloc, c->after.vmalloc);
	if (c->after.vmalloc > c->before.vmalloc)
		return ktap_fail("%llu bytes more", c->after.vmalloc - c->before.vmalloc);

	return KTAP_OK;
}

static enum ktap_result test_cma_back(void *context)
{
	const struct cycles *c = context;

	if (access("/sys/kernel/debug/cma", F_OK))
		return ktap_skip("without CONFIG_CMA_DEBUGFS");
	ktap_note("used %llu pages before, %llu after; %llu in one piece before, %llu after",
		  c->before.used, c->after.used, c->before.cma_free, c->after.cma_free);
	if (c->after.used != c->before.used || c->after.cma_free != c->before.cma_free)
		return ktap_fail("pages of a CMA area are not back");

	return KTAP_OK;
}

/* #endregion cycles-test-levels */

/* #region cycles-main */
/* A few KiB come and go with the machine; an object lost each time adds up. */
static enum ktap_result test_slab_back(void *context)
{
	const struct cycles *c = context;
	unsigned long long allowed = 512 + c->times / 32;

	/* KASAN keeps what was freed, for a while; kmemleak looks for what was not. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		return ktap_skip("kmemleak looks there");
	ktap_note("%llu KiB before, %llu after", c->before.unreclaimable, c->after.unreclaimable);
	if (c->after.unreclaimable > c->before.unreclaimable + allowed)
		return ktap_fail("%llu KiB more", c->after.unreclaimable - c->before.unreclaimable);

	return KTAP_OK;
}

static const struct ktap_test tests[] = {
	{ "load-unload", test_load_unload },
	{ "vmalloc-back", test_vmalloc_back },
	{ "cma-back", test_cma_back },
	{ "slab-back", test_slab_back },
};

static bool parse(struct cycles *c, int argc, char **argv)
{
	const char *base;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--times") && i + 1 < argc)
			c->times = strtol(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--device") && i + 1 < argc)
			c->device = argv[++i];
		else if (!c->file && argv[i][0] != '-')
			c->file = argv[i];
		else if (!*c->parameters)
			c->parameters = argv[i];
		else
			return false;
	}
	if (!c->file || c->times < 10)
		return false;
	base = strrchr(c->file, '/') ? strrchr(c->file, '/') + 1 : c->file;
	snprintf(c->name, sizeof(c->name), "%.*s", (int)strcspn(base, "."), base);

	return true;
}

int main(int argc, char **argv)
{
	struct cycles c = { .parameters = "", .times = 1000 };

	if (!parse(&c, argc, argv)) {
		fprintf(stderr, "usage: %s [--times N] [--device PATH] MODULE.ko [PARAMETERS]\n",
			argv[0]);
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &c) ? 1 : 0;
}

/* #endregion cycles-main */
