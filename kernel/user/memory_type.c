// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes on what fills page tables, and what they have seen: see memory_type.h.
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
 * The fifth argument of remap_pfn_range() is the protection, in register x4. The
 * compiler has put a copy of it into vm_iomap_memory(), in the same file; that
 * takes what the vma says, whose vm_page_prot stands behind two addresses and the
 * vm_mm, 24 bytes from its start, in 6.1 as in 6.12.
 */
#define PROBED 2
static const char *const probes[PROBED] = {
	"p:contiguous/prot0 remap_pfn_range prot=%x4:x64\n",
	"p:contiguous/prot1 vm_iomap_memory prot=+24(%x0):x64\n",
};

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
	bool all = true;

	/* A 32-bit program may be told armv8l; the registers are the kernel's. */
	if (uname(&machine) || (strcmp(machine.machine, "aarch64") &&
				strcmp(machine.machine, "armv8l")))
		return false;
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	if (access(PROBES, W_OK) || !trace_log_open())
		return false;
	for (int i = 0; all && i < PROBED; i++) {
		char event[64];

		snprintf(event, sizeof(event), "contiguous/prot%d", i);
		all = command(probes[i]) && trace_log_enable(event);
	}
	if (!all)
		memory_type_close();

	return all;
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
