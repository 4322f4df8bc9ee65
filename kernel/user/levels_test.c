// SPDX-License-Identifier: GPL-2.0-only
/*
 * levels_test keep|same FILE
 *
 * keep: writes down what the kernel has in use. same: it must be so again. KTAP;
 * exit status 0 when no test failed, 1 when one did, 2 for words that it does not
 * know or a file that cannot be read or written.
 */

/* #region levels-test-includes */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "levels.h"
/* #endregion levels-test-includes */

/* #region levels-test-state */
struct pair {
	struct levels before;
	struct levels after;
};

static enum ktap_result unchanged(unsigned long long before, unsigned long long after)
{
	ktap_note("%llu before, %llu after", before, after);

	return before == after ? KTAP_OK : ktap_fail("it was to be the same");
}

/* #endregion levels-test-state */

/* #region levels-test-tests */
static enum ktap_result test_vmalloc(void *context)
{
	const struct pair *p = context;

	/* An area that was waiting to be recycled may be gone by now. */
	if (p->after.vmalloc < p->before.vmalloc)
		return KTAP_OK;
	return unchanged(p->before.vmalloc, p->after.vmalloc);
}

static enum ktap_result test_cma_used(void *context)
{
	const struct pair *p = context;

	if (access("/sys/kernel/debug/cma", F_OK))
		return ktap_skip("without CONFIG_CMA_DEBUGFS");
	return unchanged(p->before.used, p->after.used);
}

/* #endregion levels-test-tests */

/* #region levels-test-chunk */
static enum ktap_result test_cma_chunk(void *context)
{
	const struct pair *p = context;

	if (access("/sys/kernel/debug/cma", F_OK))
		return ktap_skip("without CONFIG_CMA_DEBUGFS");
	return unchanged(p->before.cma_free, p->after.cma_free);
}

/* #endregion levels-test-chunk */

/* #region levels-test-file */
static bool transfer(struct levels *levels, FILE *file, bool keep)
{
	size_t count = keep ? fwrite(levels, sizeof(*levels), 1, file) :
		fread(levels, sizeof(*levels), 1, file);

	return count == 1;
}

/* #endregion levels-test-file */

/* #region levels-test-main */
static const struct ktap_test tests[] = {
	{ "vmalloc-back", test_vmalloc },
	{ "cma-used-back", test_cma_used },
	{ "cma-chunk-back", test_cma_chunk },
};

int main(int argc, char **argv)
{
	bool keep = argc == 3 && !strcmp(argv[1], "keep");
	struct pair p = { };
	FILE *file;

	if (argc != 3 || (!keep && strcmp(argv[1], "same"))) {
		fprintf(stderr, "usage: %s keep|same FILE\n", argv[0]);
		return 2;
	}
	file = fopen(argv[2], keep ? "we" : "re");
	if (keep)
		p.before = levels_take();
	if (!file || !transfer(&p.before, file, keep)) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		return 2;
	}
/* #endregion levels-test-main */
/* #region levels-test-compare */
	fclose(file);
	if (keep)
		return 0;
	p.after = levels_settled(&p.before);

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &p) ? 1 : 0;
}

/* #endregion levels-test-compare */
