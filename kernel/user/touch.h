/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Touching memory that may not be there: the signal comes back as a number.
 */
/* #region touch-functions */
#ifndef TOUCH_H
#define TOUCH_H

#include <stdint.h>

/* Read *@word, into *@value unless that is NULL. Return: 0, SIGBUS or SIGSEGV. */
int touch_read(const uint64_t *word, uint64_t *value);

/* Write @value to *@word. Return: 0, SIGBUS or SIGSEGV. */
int touch_write(uint64_t *word, uint64_t value);

#endif /* TOUCH_H */
/* #endregion touch-functions */
