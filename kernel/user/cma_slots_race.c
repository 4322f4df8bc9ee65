// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several processes at the device at once. Each counts what it was told; in the
 * end the module's counters must have grown by exactly that, the slots must hold
 * what was got and not given back, and no two may overlap.
 */

/* #region slots-race-includes */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cma_slots_test.h"

#define CALLERS 3
#define CALLS 60

/**
 * struct tally - what one process was told
 * @allocated: writes that succeeded
 * @freed: reads that succeeded
 * @failed: -ENOMEM
 * @interrupted: -EINTR, where nothing must have happened
 * @other: any errno that has no place here, the newest of them
 */
struct tally {
	long long allocated, freed, failed, interrupted;
	int other;
};

static void on_alarm(int signal)
{
	(void)signal;
}

/* Alarms without SA_RESTART: a caller that waits for the mutex gets EINTR. */
static void call(const char *path, unsigned int seed, int to_parent)
{
	const struct sigaction alarm = { .sa_handler = on_alarm };
	const struct itimerval every = { { 0, 2000 }, { 0, 2000 } };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct tally tally = { 0 };
	char byte = 0;

	sigaction(SIGALRM, &alarm, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < CALLS; i++) {
		bool writes = (seed = seed * 1103515245 + 12345) >> 16 & 1;
		ssize_t got = writes ? write(fd, &byte, 1) : read(fd, &byte, 1);

		if (got >= 0 && writes)
			tally.allocated++;
		else if (got >= 0)
			tally.freed++;
		else if (errno == ENOMEM && writes)
			tally.failed++;
		else if (errno == EINTR)
			tally.interrupted++;
		else if (errno != (writes ? ENOSPC : ENOENT))
			tally.other = errno;
	}
	setitimer(ITIMER_REAL, &(struct itimerval) { 0 }, NULL);
	_exit(write(to_parent, &tally, sizeof(tally)) != sizeof(tally));
}

/* Start the callers and add up what they tell. Return: false if one was lost. */
static bool run_callers(const struct device *d, struct tally *sum)
{
	struct tally tally;
	bool all = true;
	int pipes[2];

	if (pipe2(pipes, 0))
		return false;
	for (unsigned int i = 0; i < CALLERS; i++)
		if (!fork())
			call(d->path, i + 1, pipes[1]);
	close(pipes[1]);
	for (int i = 0; i < CALLERS; i++) {
		all &= read(pipes[0], &tally, sizeof(tally)) == sizeof(tally);
		if (!all)
			break;
		sum->allocated += tally.allocated;
		sum->freed += tally.freed;
		sum->failed += tally.failed;
		sum->interrupted += tally.interrupted;
		sum->other = tally.other ?: sum->other;
	}
	close(pipes[0]);
	while (wait(NULL) > 0)
		;

	return all;
}

/* Return: whether two slots share memory. */
static bool overlap(const struct cma_slots *now)
{
	for (size_t i = 0; i < now->count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct slot *a = &now->slot[i], *b = &now->slot[j];

			if (a->address && b->address && a->address < b->address + b->size &&
			    b->address < a->address + a->size)
				return true;
		}
	}

	return false;
}

/* Bytes of all slots in use. */
static long long held_by(const struct cma_slots *now)
{
	long long held = 0;

	for (size_t i = 0; i < now->count; i++)
		held += now->slot[i].address ? now->slot[i].size : 0;

	return held;
}

/* #endregion slots-race-includes */

/* #region test-many-callers */
enum ktap_result test_many_callers(void *device)
{
	struct cma_slots before, now;
	struct tally sum = { 0 };
	long long used;

	if (!cma_slots_read(&before) || !run_callers(device, &sum) || !cma_slots_read(&now))
		return ktap_fail("callers or slots were lost: %s", strerror(errno));
	used = cma_slots_used(&now);
	ktap_note("%d callers: %lld allocated, %lld freed, %lld failed, %lld interrupted", CALLERS,
		  sum.allocated, sum.freed, sum.failed, sum.interrupted);
	if (sum.other)
		return ktap_fail("a caller was told %s", strerrorname_np(sum.other));
	if (now.allocated - before.allocated != sum.allocated ||
	    now.freed - before.freed != sum.freed || now.failed - before.failed != sum.failed)
		return ktap_fail("the module counts %lld allocated, %lld freed, %lld failed",
				 now.allocated - before.allocated, now.freed - before.freed,
				 now.failed - before.failed);
	if (used != (long long)cma_slots_used(&before) + sum.allocated - sum.freed ||
	    now.held != held_by(&now))
		return ktap_fail("%lld slots in use, %lld bytes held", used, now.held);
	if (overlap(&now) || now.spoiled)
		return ktap_fail("memory was handed out twice");
	if (!sum.interrupted)
		return ktap_fail("no caller was ever interrupted while it waited");

	return KTAP_OK;
}

/* #endregion test-many-callers */
