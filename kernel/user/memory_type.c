// SPDX-License-Identifier: GPL-2.0-only
/*
 * A probe on remap_pfn_range() and what it has seen: see memory_type.h.
 */

/* #region memory-type-includes */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "memory_type.h"
#include "trace_log.h"

#define PROBES "/sys/kernel/tracing/kprobe_events"
/* #endregion memory-type-includes */

/* #region memory-type-probes */
/*
 * A compiler may have put the body of the first into its callers in the same
 * file; it is the second that they call then. The fifth argument is the
 * protection, in register x4.
 */
static const char *const functions[] = { "remap_pfn_range", "remap_pfn_range_notrack" };

static bool command(const char *line)
{
	int fd = open(PROBES, O_WRONLY | O_APPEND | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);

	if (fd >= 0)
		close(fd);

	return done;
}

/* #endregion memory-type-probes */

/* #region memory-type-open */
bool memory_type_open(void)
{
	struct utsname machine;
	bool any = false;

	/* A 32-bit program may be told armv8l; the registers are the kernel's. */
	if (uname(&machine) || (strcmp(machine.machine, "aarch64") &&
				strcmp(machine.machine, "armv8l")))
		return false;
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	if (access(PROBES, W_OK) || !trace_log_open())
		return false;
	for (int i = 0; i < 2; i++) {
		char line[128], event[64];

		snprintf(line, sizeof(line), "p:contiguous/prot%d %s prot=%%x4:x64\n", i,
			 functions[i]);
		snprintf(event, sizeof(event), "contiguous/prot%d", i);
		any |= command(line) && trace_log_enable(event);
	}
	if (!any)
		memory_type_close();

	return any;
}

/* #endregion memory-type-open */

/* #region memory-type-last */
/* Bits 2 to 4 of an arm64 page-table entry: which of the eight types of MAIR. */
int memory_type_last(void)
{
	struct trace_event events[64];
	long count = trace_log_read(events, sizeof(events) / sizeof(*events));
	int type = -1;

	for (long i = 0; i < count; i++) {
		int one = trace_field(&events[i], "prot", ~0ULL) >> 2 & 7;

		if (i && one != type)
			return -1;
		type = one;
	}
	trace_log_clear();

	return type;
}

/* #endregion memory-type-last */

/* #region memory-type-close */
/* The instance first: a probe in use does not go. */
void memory_type_close(void)
{
	trace_log_close();
	command("-:contiguous/prot0\n");
	command("-:contiguous/prot1\n");
}

/* #endregion memory-type-close */
