/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers that the kernel shows in /proc, /sys and debugfs.
 */
/* #region proc-value-functions */
#ifndef PROC_VALUE_H
#define PROC_VALUE_H

#include <stdbool.h>

/*
 * The number behind the first word @key of a line, such as "CmaFree:" of
 * /proc/meminfo; with @key NULL, the first number of the file.
 * Return: -1 if there is no such file, line or number.
 */
long long proc_value(const char *file, const char *key);

/* Make what each CPU counts for itself part of the sums that /proc shows. */
void proc_refresh(void);

#endif /* PROC_VALUE_H */
/* #endregion proc-value-functions */
