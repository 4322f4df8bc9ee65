// SPDX-License-Identifier: GPL-2.0-only
/*
 * Touching memory that may not be there: see touch.h. For one thread a process.
 */

/* #region touch-catch */
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "touch.h"

static sigjmp_buf before;	/* the touch that is under way */

static void jump_back(int signal)
{
	siglongjmp(before, signal);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_handler = jump_back };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

static void leave_faults(void)
{
	signal(SIGBUS, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
}

/* Return: 0, or the signal that came instead of the value. */
static int touch(uint64_t *word, uint64_t *value, bool write)
{
	int signal;

	catch_faults();
	signal = sigsetjmp(before, 1);
	if (!signal && write)
		*word = *value;
	else if (!signal)
		*value = *word;
	/* The access is to happen here, not where the compiler needs its value. */
	asm volatile("" ::: "memory");
	leave_faults();

	return signal;
}

int touch_read(const uint64_t *word, uint64_t *value)
{
	uint64_t unused;

	return touch((uint64_t *)word, value ? value : &unused, false);
}

int touch_write(uint64_t *word, uint64_t value)
{
	return touch(word, &value, true);
}

/* #endregion touch-catch */
