// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that takes: see taker.h.
 */

/* #region taker-includes */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "taker.h"
/* #endregion taker-includes */

/* #region taker-process */
static void serve(const char *path, const struct asked *parent)
{
	int device = open(path, O_RDWR | O_CLOEXEC), answer;
	char what;

	while (read(parent->from, &what, 1) == 1) {
		bool done = what == 'w' ? write(device, &what, 1) == 1 : !read(device, &what, 1);

		answer = done ? 0 : errno;
		if (write(parent->to, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(0);
}

bool taker_start(struct asked *taker, const char *path)
{
	if (!asked_start(taker))
		return false;
	if (!taker->pid)
		serve(path, taker);

	return true;
}

/* #endregion taker-process */

/* #region taker-ask */
static int ask(const struct asked *taker, char what)
{
	int answer;

	return asked_for(taker, what, &answer, sizeof(answer)) ? answer : ESRCH;
}

int taker_takes(const struct asked *taker)
{
	return ask(taker, 'w');
}

int taker_gives(const struct asked *taker)
{
	return ask(taker, 'r');
}

/* #endregion taker-ask */
