/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What a program asks of /dev/replay-*: calls of the DMA API, one at a time.
 *
 * An open file is room for one buffer: allocated by REPLAY_ALLOC, mapped by
 * mmap(2), freed when the last mapping and the last descriptor are gone. What
 * concerns the device itself (masks, regions) can be asked through any file.
 */
/* #region replay-abi-alloc */
#ifndef _UAPI_REPLAY_H
#define _UAPI_REPLAY_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* How to allocate; without REPLAY_ATOMIC the caller may sleep. */
#define REPLAY_ATOMIC		0x1
#define REPLAY_WRITE_COMBINE	0x2
/* The kernel gets no address of its own for the buffer. */
#define REPLAY_NO_MAPPING	0x4
/* A failure is not to be logged. */
#define REPLAY_NO_WARN		0x8
#define REPLAY_FLAGS		0xf

/**
 * struct replay_alloc - one buffer
 * @size: bytes wanted, not rounded: 1 to REPLAY_MAX_SIZE
 * @flags: REPLAY_*
 * @reserved: 0
 * @address: out: first byte as the device counts
 */
struct replay_alloc {
	__u64 size;
	__u32 flags;
	__u32 reserved;
	__u64 address;
};

#define REPLAY_MAX_SIZE		0x40000000ULL

/**
 * struct replay_vma - a mapping as the DMA API left it, also when it refused
 * @flags: the kernel's VM_* bits
 * @prot: page protection, without any address
 * @pgoff: first page within the buffer; of a private mapping its page frame
 */
struct replay_vma {
	__u64 flags;
	__u64 prot;
	__u64 pgoff;
};

/* #endregion replay-abi-alloc */

/* #region replay-abi-commands */
/* All need CAP_SYS_RAWIO (-EPERM): they tell addresses and change devices. */
#define REPLAY_ALLOC		_IOWR(0xbc, 0x20, struct replay_alloc)
/* What this file's last mmap(2) came to. */
#define REPLAY_VMA		_IOR(0xbc, 0x21, struct replay_vma)
/* The coherent mask: that many bits, 0 to 64. */
#define REPLAY_MASK		_IO(0xbc, 0x22)
/* Attach entry number so and so of memory-region; give all of them up. */
#define REPLAY_ATTACH		_IO(0xbc, 0x23)
#define REPLAY_DETACH		_IO(0xbc, 0x24)
/* Keep a page of this file's buffer, by number, beyond the buffer's end. */
#define REPLAY_HOLD		_IO(0xbc, 0x25)
/* Let go of the page that the device has kept longest. */
#define REPLAY_DROP		_IO(0xbc, 0x26)
#define REPLAY_MAX_HELD		8
/* #endregion replay-abi-commands */

/* #region replay-abi-layout */
/* The same bytes from a 32-bit program as from a 64-bit one: no holes. */
_Static_assert(sizeof(struct replay_alloc) == 24, "no padding");
_Static_assert(__builtin_offsetof(struct replay_alloc, address) == 16, "address at 16");
_Static_assert(sizeof(struct replay_vma) == 24, "no padding");
_Static_assert(REPLAY_ALLOC == 0xc018bc20, "the command holds direction and size");
_Static_assert(REPLAY_VMA == 0x8018bc21, "the command holds direction and size");

#endif /* _UAPI_REPLAY_H */
/* #endregion replay-abi-layout */
