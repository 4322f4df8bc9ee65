// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracing instance and its lines: see trace_log.h.
 */

/* #region trace-log-includes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_log.h"
/* #endregion trace-log-includes */

/* #region trace-log-files */
static char folder[64];		/* of the instance, empty while there is none */

static bool put(const char *file, const char *words)
{
	size_t length = strlen(words);
	char path[160];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, words, length) == (ssize_t)length;
	close(fd);

	return done;
}

/* #endregion trace-log-files */

/* #region trace-log-open */
bool trace_log_open(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(folder, sizeof(folder), "%s/instances/contiguous", places[i]);
		rmdir(folder);	/* what an interrupted run left */
		if (!mkdir(folder, 0700))
			return put("buffer_size_kb", "4096");
	}
	folder[0] = '\0';

	return false;
}

/* #endregion trace-log-open */

/* #region trace-log-enable */
bool trace_log_enable(const char *event)
{
	char file[96];

	snprintf(file, sizeof(file), "events/%s/enable", event);
	return put(file, "1");
}

void trace_log_clear(void)
{
	put("trace", "\n");
}

void trace_log_close(void)
{
	if (folder[0])
		rmdir(folder);
	folder[0] = '\0';
}

/* #endregion trace-log-enable */

/* #region trace-log-parse */
/*
 * "   task-12   [000] .....   2.304: name: fields": the event's name is the word
 * before the second ": ", for the first one ends the time. A task may have colons
 * in its name, so look behind the CPU.
 */
static bool parse(const char *line, struct trace_event *event)
{
	const char *cpu = strstr(line, "] "), *name, *colon;

	name = cpu ? strstr(cpu, ": ") : NULL;
	colon = name ? strstr(name + 2, ": ") : NULL;
	if (!colon)
		return false;
	snprintf(event->name, sizeof(event->name), "%.*s", (int)(colon - name - 2), name + 2);
	snprintf(event->fields, sizeof(event->fields), "%.*s", (int)strcspn(colon + 2, "\n"),
		 colon + 2);

	return true;
}

/* #endregion trace-log-parse */

/* #region trace-log-read */
long trace_log_read(struct trace_event *events, size_t limit)
{
	unsigned long kept, written;
	bool lost = false;
	long count = 0;
	char path[160], line[512];
	FILE *lines;

	snprintf(path, sizeof(path), "%s/trace", folder);
	lines = fopen(path, "re");
	if (!lines)
		return -1;
	while (fgets(line, sizeof(line), lines)) {
		if (sscanf(line, "# entries-in-buffer/entries-written: %lu/%lu", &kept,
			   &written) == 2)
			lost |= kept != written || kept > limit;
		else if (line[0] != '#' && !lost && parse(line, &events[count]))
			count++;
	}
	fclose(lines);
	errno = EOVERFLOW;

	return lost ? -1 : count;
}

/* #endregion trace-log-read */

/* #region trace-field */
uint64_t trace_field(const struct trace_event *event, const char *field, uint64_t missing)
{
	const size_t length = strlen(field);
	const char *at = event->fields;

	while ((at = strstr(at, field))) {
		if ((at == event->fields || at[-1] == ' ') && at[length] == '=')
			return strtoull(at + length + 1, NULL, 0);
		at += length;
	}

	return missing;
}

/* #endregion trace-field */
