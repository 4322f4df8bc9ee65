// SPDX-License-Identifier: GPL-2.0-only
/*
 * choosing_failures DEVICE
 *
 * Two requests that CMA must refuse although its area is as good as empty: one has
 * a pinned page in its way wherever it is put, for the other there is no room to
 * move pages to. DEVICE: /dev/cma_test, with one slot of 100 MiB on a board with an
 * area of 128. Reports in KTAP. Exit status: 0 when no test failed, 1 when one did.
 */

/* #region failures-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"
#include "pagemap.h"
/* #endregion failures-includes */

/* #region failures-types */
#define MIB (1024 * 1024UL)

/**
 * struct failures - the board
 * @fd: /dev/cma_test: a write takes, a read gives back
 * @middle: a pfn in the middle of the area
 */
struct failures {
	int fd;
	uint64_t middle;
};

/* Take the 100 MiB. Return: 0 or an errno. */
static int takes(const struct failures *x)
{
	return write(x->fd, "", 1) == 1 ? 0 : errno;
}

static bool gives_back(const struct failures *x)
{
	char byte;

	return read(x->fd, &byte, 1) == 0;
}

/* #endregion failures-types */

/* #region failures-middle */
/* The page of ours that is nearest to the middle of the area: all places have it. */
static size_t nearest(const struct failures *x, const struct filled *f)
{
	uint64_t *pfns = filled_pfns(f);
	size_t best = 0;

	for (size_t i = 1; pfns && i < f->pages; i++) {
		if (llabs((long long)(pfns[i] - x->middle)) <
		    llabs((long long)(pfns[best] - x->middle)))
			best = i;
	}
	free(pfns);

	return best;
}

/* #endregion failures-middle */

/* #region failures-pinned */
/* One page in a pipe; and when the pipe has been read, the same request again. */
static enum ktap_result test_pinned(void *context)
{
	const struct failures *x = context;
	int pipes[2], with, without;
	unsigned char copy[4096];
	struct filled f;
	struct iovec page;

	if (pipe2(pipes, O_CLOEXEC) || !filled_map(&f, filled_size(64 * MIB), 0))
		return ktap_fail("%s", strerror(errno));
	page = (struct iovec){ f.bytes + nearest(x, &f) * f.page, f.page };
	if (vmsplice(pipes[1], &page, 1, 0) != (ssize_t)f.page)
		return ktap_fail("vmsplice: %s", strerror(errno));
	with = takes(x);
	if (read(pipes[0], copy, sizeof(copy)) != (ssize_t)sizeof(copy))
		return ktap_fail("the pipe: %s", strerror(errno));
	without = takes(x);
	ktap_note("with the page %s, without it %s", strerrorname_np(with),
		  strerrorname_np(without));
	munmap(f.bytes, f.pages * f.page);
	close(pipes[0]);
	close(pipes[1]);

	return with == ENOMEM && !without && gives_back(x) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion failures-pinned */

/* #region failures-no-room */
/* Nobody holds a page, but what lives in the area has nowhere to go. */
static enum ktap_result test_no_room(void *context)
{
	const struct failures *x = context;
	struct filled f;
	int full, empty;
	ssize_t differs;

	if (!filled_map(&f, filled_size(88 * MIB), 0))
		return ktap_fail("%s", strerror(errno));
	full = takes(x);
	differs = filled_differs(&f, 0);
	munmap(f.bytes, f.pages * f.page);
	empty = takes(x);
	ktap_note("full %s, empty %s", strerrorname_np(full), strerrorname_np(empty));
	if (differs >= 0)
		return ktap_fail("page %zd lost its contents", differs);

	return full == ENOMEM && !empty && gives_back(x) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion failures-no-room */

/* #region failures-main */
static const struct ktap_test tests[] = {
	{ "pinned", test_pinned },
	{ "no-room", test_no_room },
};

int main(int argc, char **argv)
{
	struct failures x = { .middle = (0x50000000UL + 64 * MIB) / 4096 };

	if (argc != 2) {
		fprintf(stderr, "usage: %s DEVICE\n", argv[0]);
		return 2;
	}
	x.fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (x.fd < 0) {
		fprintf(stderr, "%s: %s; is the module loaded?\n", argv[1], strerror(errno));
		return 2;
	}

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &x) ? 1 : 0;
}

/* #endregion failures-main */
