/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a driver lends to programs as a file: see buffer_file.c.
 */
/* #region buffer-file-header */
#ifndef BUFFER_FILE_H
#define BUFFER_FILE_H

#include <linux/types.h>

struct device;
struct vm_area_struct;
/* #endregion buffer-file-header */

/* #region buffer-file-memory */
/**
 * struct buffer_memory - what the driver lends, and how it is mapped
 * @dev: the device that is bound to the driver
 * @name: what the file is called in /dev
 * @cpu_addr: the memory as the kernel reads and writes it
 * @address: the same memory as RESERVED_BUFFER_INFO tells it
 * @size: length in bytes, whole pages
 * @map: maps all pages that a vma asks for, or refuses those that are not there
 */
struct buffer_memory {
	struct device *dev;
	const char *name;
	void *cpu_addr;
	u64 address;
	size_t size;
	int (*map)(const struct buffer_memory *memory, struct vm_area_struct *vma);
};

int devm_buffer_file_create(const struct buffer_memory *memory);

#endif /* BUFFER_FILE_H */
/* #endregion buffer-file-memory */
