/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another process, which takes memory through /dev/cma_test and gives it back
 * when it is told to. Start it before filling memory: it shares no page of ours.
 */
/* #region taker */
#ifndef TAKER_H
#define TAKER_H

#include "asked.h"

/* Return: false with errno. */
bool taker_start(struct asked *taker, const char *path);

/* Let it write to the device, or read. Return: 0 or an errno; ESRCH: it is gone. */
int taker_takes(const struct asked *taker);
int taker_gives(const struct asked *taker);

#endif /* TAKER_H */
/* #endregion taker */
