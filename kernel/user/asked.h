/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child process that waits to be asked: one byte asks, an answer of fixed size
 * comes back. Pipes, for a small kernel may have no sockets.
 */
/* #region asked */
#ifndef ASKED_H
#define ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct asked - one end of the conversation
 * @pid: the child, 0 in the child itself
 * @to: write what is said here
 * @from: read what is answered here
 */
struct asked {
	pid_t pid;
	int to, from;
};

/* fork(): @a->pid is 0 in the child. Return: false with errno, in the parent. */
bool asked_start(struct asked *a);

/* Ask, and wait for the answer. Return: false if the child is gone. */
bool asked_for(const struct asked *a, char what, void *answer, size_t size);

/* Let the child end, and wait for that. */
void asked_stop(struct asked *a);

#endif /* ASKED_H */
/* #endregion asked */
