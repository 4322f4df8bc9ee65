// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers that the kernel shows: see proc_value.h.
 */

/* #region proc-value-includes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc_value.h"

long long proc_value(const char *file, const char *key)
{
	FILE *lines = fopen(file, "re");
	long long value = -1;
	char line[256];
	char *end;

	if (!lines)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), lines)) {
		char *word = line;

		if (key) {
			size_t length = strlen(key);

			if (strncmp(line, key, length) || !strchr(" \t", line[length]))
				continue;
			word += length;
		}
		value = strtoll(word, &end, 0);
		if (end == word)
			value = -1;
	}
	fclose(lines);

	return value;
}

/* #endregion proc-value-includes */

/* #region proc-refresh */
/* Reading the file is what refreshes; it has no contents. */
void proc_refresh(void)
{
	FILE *file = fopen("/proc/sys/vm/stat_refresh", "re");

	if (!file)
		return;
	fgetc(file);
	fclose(file);
}

/* #endregion proc-refresh */
