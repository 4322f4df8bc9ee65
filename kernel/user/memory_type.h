/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory type a mapping of raw page frames was given, on arm64: cached,
 * not cached, or device memory. No file in /proc tells that of a program's
 * mappings, so it is seen where the kernel fills the page tables: probes on
 * remap_pfn_range() and vm_iomap_memory() record the protection they are given.
 *
 *	memory_type_open()	the probes are set, into an instance of our own
 *	memory_type_last()	of what was mapped since the last call
 *	memory_type_close()	the probes and the instance go
 */
/* #region memory-type-functions */
#ifndef MEMORY_TYPE_H
#define MEMORY_TYPE_H

#include <stdbool.h>

/* MAIR index of ordinary cached memory in arm64's page tables: MT_NORMAL. */
#define MEMORY_CACHED 0

/* Return: false where there are no such probes, and the test should be skipped. */
bool memory_type_open(void);

/*
 * The MAIR index that all mappings had that were made since memory_type_open()
 * or the last call. Return: -1 for no mapping, or for several that differ.
 */
int memory_type_last(void);

void memory_type_close(void);

#endif /* MEMORY_TYPE_H */
/* #endregion memory-type-functions */
