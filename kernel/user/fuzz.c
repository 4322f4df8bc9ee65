// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz [--seed N] [--calls N] [--failures] [--away] DEVICE
 *
 * Two processes make calls of all kinds on one device, with arguments good and bad,
 * through files of their own and files that both share; now and then one forks.
 * What the kernel's own checks (KASAN, lockdep, kmemleak, DMA-API) report is in
 * its log. What this program checks: that each kind of call succeeds now and then,
 * or never; that memory shows what was written to it and nothing else; and that
 * nothing gets stuck. The report is KTAP: exit status 0 when no test failed, 1 when
 * one did, 2 for words that it does not know.
 *
 * --seed: what all chance comes from; taken from the clock if absent, and printed.
 * --calls: how many, the processes' together (default 100000).
 * --failures: now and then have the kernel run out of memory in the middle of a
 * call, if it was built to (CONFIG_FAULT_INJECTION).
 * --away: a third process takes the device from its driver and gives it back, over
 * and over, while the other two have it open and mapped.
 */

/* #region fuzz-processes */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "ktap.h"

#define SHARED_FILES	3
#define PATIENCE_S	120

static bool tell_driver(const struct fuzz_device *device, const char *verb)
{
	size_t length = strlen(device->node);
	char path[128];
	bool told;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", device->driver, verb);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	told = fd >= 0 && write(fd, device->node, length) == (ssize_t)length;
	if (fd >= 0)
		close(fd);

	return told;
}

/* Away and back, until told to stop; it ends with the device in place. */
static void take_away(const struct fuzz_run *run)
{
	uint64_t state = ~run->seed;

	while (!__atomic_load_n(&run->tally->stop, __ATOMIC_RELAXED)) {
		usleep(fuzz_random(&state) % 400000);
		run->tally->away += tell_driver(run->device, "unbind");
		usleep(fuzz_random(&state) % 20000);
		/* A probe may fail when memory is short: once more, then. */
		for (int i = 0; i < 100 && !tell_driver(run->device, "bind"); i++)
			usleep(10000);
	}
	_exit(0);
}

/* Return: how many workers still run. */
static int reap(struct fuzz_run *run)
{
	int left = 0, status;

	for (int i = 0; i < FUZZ_WORKERS; i++) {
		if (!run->workers[i])
			continue;
		if (waitpid(run->workers[i], &status, WNOHANG) <= 0) {
			left++;
			continue;
		}
		run->died += status != 0;
		run->workers[i] = 0;
	}

	return left;
}

/* Wait for the workers; those that make no call for too long are stuck. */
static void watch(struct fuzz_run *run)
{
	uint64_t before = 0;
	int idle = 0;

	while (reap(run) && idle < 10 * PATIENCE_S) {
		uint64_t now = 0;

		usleep(100000);
		for (int i = 0; i < FUZZ_WORKERS; i++)
			now += run->tally->workers[i].tries;
		idle = now == before ? idle + 1 : 0;
		before = now;
	}
	run->stuck = reap(run);
	for (int i = 0; i < FUZZ_WORKERS; i++)
		if (run->workers[i])
			kill(run->workers[i], SIGKILL);
}

/* Files that all processes share are opened before they part. */
static bool start(struct fuzz_run *run)
{
	static struct fuzz_worker w;

	w.run = run;
	for (int i = 0; i < FUZZ_FILES; i++)
		w.files[i].fd = -1;
	for (int i = 0; i < SHARED_FILES; i++) {
		int fd = open(fuzz_device_path(run->device), O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return false;
		fuzz_add_file(&w, fd, O_RDWR, fuzz_new_object(&w, true));
	}
	for (w.index = 0; w.index < FUZZ_WORKERS; w.index++) {
		run->workers[w.index] = fork();
		if (!run->workers[w.index])
			fuzz_work(&w);
	}
	for (int i = 0; i < SHARED_FILES; i++)
		close(w.files[i].fd);
	return true;
}

static void play(struct fuzz_run *run)
{
	if (run->away && !fork())
		take_away(run);
	watch(run);
	run->tally->stop = 1;
	while (wait(NULL) > 0)
		continue;
}

/* Return: whether every worker made all its calls. */
static bool all_made(const struct fuzz_run *run)
{
	bool made = true;

	for (int i = 0; i < FUZZ_WORKERS; i++) {
		const struct fuzz_progress *p = &run->tally->workers[i];

		ktap_note("worker %d: %u calls, digest %016llx; the last was %s", i, p->calls,
			  (unsigned long long)p->digest,
			  fuzz_kind(run->device, p->running)->name);
		made = made && p->calls == run->wanted;
	}

	return made;
}

static enum ktap_result test_calls_made(void *context)
{
	struct fuzz_run *run = context;
	const struct fuzz_tally *t = run->tally;

	ktap_note("%s: seed %#llx", run->device->name, (unsigned long long)run->seed);
	fflush(stdout);
	if (!start(run))
		return ktap_fail("it cannot be opened: %s; is the module loaded?",
				 strerror(errno));
	play(run);
	if (!all_made(run))
		return ktap_fail("%u calls were wanted of each", run->wanted);
	ktap_note("%u children, %u calls without memory", t->children, t->injected);
	if (run->away)
		ktap_note("%u times away", t->away);

	return !run->away || t->away ? KTAP_OK : ktap_fail("it cannot be unbound");
}

static enum ktap_result test_nobody_stuck(void *context)
{
	const struct fuzz_run *run = context;

	if (run->stuck || run->died)
		return ktap_fail("%d processes stuck, %d died", run->stuck, run->died);

	return KTAP_OK;
}

static void tell_kind(const struct fuzz_kind *kind, const uint32_t *count)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "%s: ok %u", kind->name, count[0]);

	for (int e = 1; e < FUZZ_ERRNOS; e++)
		if (count[e] && length < (int)sizeof(line) - 40)
			length += snprintf(line + length, sizeof(line) - length, ", %s %u",
					   strerrorname_np(e) ?: "?", count[e]);
	ktap_note("%s", line);
}

/* #endregion fuzz-processes */

/* #region fuzz-test-kinds */
/* A kind that never succeeds proves nothing; one that must never is a hole. */
static enum ktap_result test_outcomes(void *context)
{
	const struct fuzz_run *run = context;
	enum ktap_result result = KTAP_OK;
	const struct fuzz_kind *kind;

	for (size_t i = 0; (kind = fuzz_kind(run->device, i)); i++) {
		const uint32_t *count = run->tally->count[i];

		tell_kind(kind, count);
		/* While the device comes and goes, a rare kind may miss it. */
		if (kind->outcome == FUZZ_MUST && !count[0] && !run->away)
			result = ktap_fail("%s never succeeded", kind->name);
		if (kind->outcome == FUZZ_NEVER && count[0])
			result = ktap_fail("%s succeeded", kind->name);
	}

	return result;
}

/* #endregion fuzz-test-kinds */

/* #region fuzz-main */
static enum ktap_result test_contents_right(void *context)
{
	const struct fuzz_run *run = context;

	if (run->tally->wrong)
		return ktap_fail("%u times, see above", run->tally->wrong);

	return KTAP_OK;
}

static const struct ktap_test tests[] = {
	{ "calls-made", test_calls_made },
	{ "nobody-stuck", test_nobody_stuck },
	{ "outcomes", test_outcomes },
	{ "contents-right", test_contents_right },
};

/* Let any allocation fail, without a word; only what fail-nth names ever does. */
static void prepare_failures(void)
{
	static const char * const quiet[] = {
		"/sys/kernel/debug/failslab/ignore-gfp-wait",
		"/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
		"/sys/kernel/debug/failslab/verbose",
		"/sys/kernel/debug/fail_page_alloc/verbose",
		"/sys/kernel/debug/fail_page_alloc/min-order",
	};

	for (size_t i = 0; i < sizeof(quiet) / sizeof(*quiet); i++) {
		int fd = open(quiet[i], O_WRONLY);

		if (fd < 0)
			continue;
		if (write(fd, "0", 1) < 0)
			perror(quiet[i]);
		close(fd);
	}
}

/* Return: the device's path, NULL for words that make no sense. */
static const char *parse(struct fuzz_run *run, int argc, char **argv)
{
	uint64_t calls = 100000;
	const char *path = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			run->seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--calls") && i + 1 < argc)
			calls = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--failures"))
			run->failures = true;
		else if (!strcmp(argv[i], "--away"))
			run->away = true;
		else if (!path && argv[i][0] != '-')
			path = argv[i];
		else
			return NULL;
	}
	run->wanted = (calls + FUZZ_WORKERS - 1) / FUZZ_WORKERS;

	return calls ? path : NULL;
}

int main(int argc, char **argv)
{
	struct fuzz_run run = { .seed = time(NULL) ^ (uint64_t)getpid() << 32 };
	const char *path = parse(&run, argc, argv);

	run.device = path ? fuzz_device_find(path) : NULL;
	if (!run.device || (run.away && !run.device->driver)) {
		fprintf(stderr, "Usage: %s [--seed N] [--calls N] [--failures] [--away] DEVICE\n",
			argv[0]);
		return 2;
	}
	run.tally = mmap(NULL, sizeof(*run.tally), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.tally == MAP_FAILED)
		return 2;
	if (run.failures)
		prepare_failures();

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &run) ? 1 : 0;
}

/* #endregion fuzz-main */
