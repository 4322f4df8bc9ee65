/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of the kernel, recorded into an instance of our own, so that
 * whoever else traces is not disturbed.
 *
 *	trace_log_open()	a new instance, nothing switched on
 *	trace_log_enable()	an event, or a group of them
 *	trace_log_clear()	forget what was recorded
 *	trace_log_read()	the lines, oldest first
 *	trace_log_close()	the instance goes
 */
/* #region trace-log-types */
#ifndef TRACE_LOG_H
#define TRACE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct trace_event - one line
 * @name: of the event
 * @fields: what stands behind the name, name=value …
 */
struct trace_event {
	char name[40];
	char fields[216];
};

/* #endregion trace-log-types */

/* #region trace-log-functions */
/* Return: false with errno. ENOENT: no tracefs anywhere. */
bool trace_log_open(void);

/* @event: such as "cma" or "migrate/mm_migrate_pages". Return: false with errno. */
bool trace_log_enable(const char *event);

void trace_log_clear(void);

/*
 * The events recorded so far, oldest first, up to @limit of them.
 * Return: how many, -1 with errno; EOVERFLOW if the kernel lost any.
 */
long trace_log_read(struct trace_event *events, size_t limit);

void trace_log_close(void);

/* The number behind @field in the event; @missing if it has no such field. */
uint64_t trace_field(const struct trace_event *event, const char *field, uint64_t missing);

#endif /* TRACE_LOG_H */
/* #endregion trace-log-functions */
