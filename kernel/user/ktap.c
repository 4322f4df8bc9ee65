// SPDX-License-Identifier: GPL-2.0-only
/*
 * The printing of KTAP: see ktap.h.
 */

/* #region ktap-run */
#include <stdarg.h>
#include <stdio.h>

#include "ktap.h"

static const char *running;	/* name of the test that runs */
static char reason[128];	/* of the newest SKIP */

static void say(const char *format, va_list args)
{
	printf("# %s: ", running);
	vprintf(format, args);
	putchar('\n');
}

void ktap_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

enum ktap_result ktap_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return KTAP_FAIL;
}

enum ktap_result ktap_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return KTAP_SKIP;
}

int ktap_run(const struct ktap_test *tests, size_t count, void *context)
{
	int failed = 0;

	printf("KTAP version 1\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		enum ktap_result result;

		/* Each line out at once: the next test may stop the kernel. */
		fflush(stdout);
		running = tests[i].name;
		result = tests[i].run(context);
		failed += result == KTAP_FAIL;
		printf("%s %zu %s", result == KTAP_FAIL ? "not ok" : "ok", i + 1, running);
		if (result == KTAP_SKIP)
			printf(" # SKIP %s", reason);
		putchar('\n');
	}
	fflush(stdout);

	return failed;
}

/* #endregion ktap-run */
