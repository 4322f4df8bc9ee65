/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What /dev/reserved-coherent and /dev/reserved-memremap say to a program.
 *
 * One header for both sides: the modules answer with it, the programs in
 * kernel/user/ ask with it. The contents of a buffer need no ioctl: read(2),
 * write(2), lseek(2) and mmap(2) work on the device as on a file of fixed size.
 */
/* #region reserved-buffer-abi */
#ifndef _UAPI_RESERVED_BUFFER_H
#define _UAPI_RESERVED_BUFFER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct reserved_buffer_info - where the buffer lies
 * @size: length in bytes, a whole number of pages
 * @address: first byte as the device counts: a DMA address from
 *	/dev/reserved-coherent, a physical one from /dev/reserved-memremap
 */
struct reserved_buffer_info {
	__u64 size;
	__u64 address;
};

/* Needs CAP_SYS_RAWIO (-EPERM): addresses are not for everybody. */
#define RESERVED_BUFFER_INFO	_IOR(0xbc, 0x00, struct reserved_buffer_info)
/* #endregion reserved-buffer-abi */

/* #region reserved-buffer-layout */
/* The same bytes from a 32-bit program as from a 64-bit one: no holes. */
_Static_assert(sizeof(struct reserved_buffer_info) == 16, "no padding");
_Static_assert(__builtin_offsetof(struct reserved_buffer_info, size) == 0, "size at 0");
_Static_assert(__builtin_offsetof(struct reserved_buffer_info, address) == 8, "address at 8");
_Static_assert(RESERVED_BUFFER_INFO == 0x8010bc00, "the command holds direction and size");

#endif /* _UAPI_RESERVED_BUFFER_H */
/* #endregion reserved-buffer-layout */
