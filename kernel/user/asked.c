// SPDX-License-Identifier: GPL-2.0-only
/*
 * A child that is asked: see asked.h.
 */

/* #region asked-includes */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asked.h"
/* #endregion asked-includes */

/* #region asked-start */
/* Each side closes the ends that are the other's: a closed pipe is the end. */
bool asked_start(struct asked *a)
{
	int asks[2], answers[2];

	a->pid = -1;
	if (pipe2(asks, O_CLOEXEC))
		return false;
	if (pipe2(answers, O_CLOEXEC)) {
		close(asks[0]);
		close(asks[1]);
		return false;
	}
	a->pid = fork();
	a->from = a->pid ? answers[0] : asks[0];
	a->to = a->pid ? asks[1] : answers[1];
	close(a->pid ? asks[0] : asks[1]);
	close(a->pid ? answers[1] : answers[0]);

	return a->pid >= 0;
}

/* #endregion asked-start */

/* #region asked-for */
bool asked_for(const struct asked *a, char what, void *answer, size_t size)
{
	return a->pid > 0 && write(a->to, &what, 1) == 1 &&
	       read(a->from, answer, size) == (ssize_t)size;
}

void asked_stop(struct asked *a)
{
	if (a->pid <= 0)
		return;
	close(a->to);
	close(a->from);
	waitpid(a->pid, NULL, 0);
	a->pid = 0;
}

/* #endregion asked-for */
