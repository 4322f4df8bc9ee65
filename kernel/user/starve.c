// SPDX-License-Identifier: GPL-2.0-only
/*
 * starve
 *
 * Takes memory that cannot be moved until there is none, while a CMA area lies
 * free. The kernel has to kill the taker for it. Reports in KTAP. Exit status: 0
 * when no test failed, 1 when one did.
 */

/* #region starve-includes */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"
/* #endregion starve-includes */

/* #region starve-take */
#define MIB (1024 * 1024)
#define PIPES 500

/* First in line when the kernel looks for somebody to kill. */
static bool volunteer(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "we");

	return file && fputs("1000", file) >= 0 && !fclose(file);
}

/* Pages in pipes cannot be moved: full pipes of 1 MiB each, and no end to them. */
static void take(void)
{
	static char data[65536];

	for (int i = 0; i < PIPES; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) || fcntl(ends[1], F_SETPIPE_SZ, MIB) < MIB)
			return;
		for (size_t done = 0; done < MIB; done += sizeof(data))
			if (write(ends[1], data, sizeof(data)) != sizeof(data))
				return;
	}
}

/* #endregion starve-take */

/* #region test-killed */
struct starve {
	long cma_before, cma_after;	/* KiB free */
};

/* A child takes; this program lives to tell. */
static enum ktap_result test_killed(void *context)
{
	struct starve *s = context;
	int status;
	pid_t child;

	s->cma_before = read_number("/proc/meminfo", "CmaFree:");
	child = fork();
	if (child < 0)
		return ktap_fail("fork: %s", strerror(errno));
	if (!child) {
		if (volunteer())
			take();
		_exit(1);
	}
	if (waitpid(child, &status, 0) != child)
		return ktap_fail("waitpid: %s", strerror(errno));
	s->cma_after = read_number("/proc/meminfo", "CmaFree:");

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? KTAP_OK :
	       ktap_fail("the child ended with status 0x%x, and nobody killed it", status);
}

/* #endregion test-killed */

/* #region test-cma-idle */
/* What the kernel would not give him was there all the time. */
static enum ktap_result test_cma_idle(void *context)
{
	const struct starve *s = context;

	ktap_note("CmaFree: %ld kB, then %ld kB", s->cma_before, s->cma_after);

	return s->cma_before > 0 && s->cma_after > s->cma_before / 10 * 9 ? KTAP_OK :
	       ktap_fail("somebody took of CMA");
}

/* #endregion test-cma-idle */

/* #region starve-main */
int main(void)
{
	static const struct ktap_test tests[] = {
		{ "killed", test_killed },
		{ "cma-idle", test_cma_idle },
	};
	struct starve s = { 0 };

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &s) ? 1 : 0;
}

/* #endregion starve-main */
