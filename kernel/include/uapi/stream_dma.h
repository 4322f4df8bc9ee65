/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What /dev/stream-dma0 says to a program.
 *
 * An open file has a buffer of its own, which read(2), write(2) and lseek(2)
 * treat as a file of fixed size: that is what the CPU sees. The program lends
 * pieces of it to the device (MAP), has the device copy to and from memory
 * of its own (TRANSFER), hands bytes over in between (SYNC) and takes
 * the pieces back (UNMAP).
 *
 *	write(bytes) -> MAP to device -> TRANSFER to device -> UNMAP
 *	MAP from device -> TRANSFER from device -> UNMAP -> read(bytes)
 */
/* #region stream-dma-values */
#ifndef _UAPI_STREAM_DMA_H
#define _UAPI_STREAM_DMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define STREAM_DMA_PIECES	8	/* of one scatterlist, at most */

/*
 * Of memory in the device, from its first byte on. It has one more, which QEMU
 * 7.2 takes for one too many: a copy that ends with it stops the machine.
 */
#define STREAM_DMA_DEVICE_BYTES	4095

/* How the pieces are mapped. */
#define STREAM_DMA_SINGLE	0	/* dma_map_single(), one piece */
#define STREAM_DMA_PAGE		1	/* dma_map_page(), one piece */
#define STREAM_DMA_SG		2	/* dma_map_sg() */
#define STREAM_DMA_COHERENT	3	/* dma_alloc_coherent(), instead of the buffer */

/* Which way bytes go; the numbers of the kernel's enum dma_data_direction. */
#define STREAM_DMA_BIDIRECTIONAL	0
#define STREAM_DMA_TO_DEVICE		1
#define STREAM_DMA_FROM_DEVICE		2

/* read(2) and write(2) look at memory as it is: the program says SYNC itself. */
#define STREAM_DMA_MANUAL_SYNC	1

#define STREAM_DMA_FOR_CPU	0
#define STREAM_DMA_FOR_DEVICE	1
/* #endregion stream-dma-values */

/* #region stream-dma-map */
/**
 * struct stream_dma_piece - one piece of the buffer
 * @offset: where it begins, in bytes; 0 for coherent memory
 * @length: bytes, at least 1
 * @phys_addr: answer: its physical address; 0 for coherent memory, of which
 *	the DMA API does not tell, and for callers without CAP_SYS_RAWIO
 */
struct stream_dma_piece {
	__u32 offset;
	__u32 length;
	__u64 phys_addr;
};

/**
 * struct stream_dma_segment - a stretch of addresses of the device
 * @dma_addr: first one; 0 for callers without CAP_SYS_RAWIO
 * @length: bytes
 * @reserved: 0
 */
struct stream_dma_segment {
	__u64 dma_addr;
	__u32 length;
	__u32 reserved;
};

/**
 * struct stream_dma_map - lend pieces to the device
 * @kind: STREAM_DMA_SINGLE, _PAGE, _SG or _COHERENT
 * @direction: STREAM_DMA_TO_DEVICE, _FROM_DEVICE or _BIDIRECTIONAL; coherent
 *	memory goes both ways
 * @flags: 0 or STREAM_DMA_MANUAL_SYNC
 * @pieces: how many of @piece; 1 except for a scatterlist
 * @segments: answer: how many of @segment; an IOMMU may join pieces
 * @reserved: 0
 * @piece: in rising order, none overlapping; what the device may write shares
 *	no cache line with another piece
 * @segment: answer: how the device sees the pieces, in the same order
 */
struct stream_dma_map {
	__u32 kind;
	__u32 direction;
	__u32 flags;
	__u32 pieces;
	__u32 segments;
	__u32 reserved;
	struct stream_dma_piece piece[STREAM_DMA_PIECES];
	struct stream_dma_segment segment[STREAM_DMA_PIECES];
};

/**
 * struct stream_dma_sync - hand bytes over while they stay lent
 * @owner: who has them next, STREAM_DMA_FOR_CPU or STREAM_DMA_FOR_DEVICE
 * @offset: counted from the first byte lent, and before the last; 0 for a
 *	scatterlist
 * @length: bytes; 0 for all, as a scatterlist must say
 * @reserved: 0
 */
struct stream_dma_sync {
	__u32 owner;
	__u32 offset;
	__u32 length;
	__u32 reserved;
};

/**
 * struct stream_dma_transfer - have the device copy
 * @direction: STREAM_DMA_TO_DEVICE or STREAM_DMA_FROM_DEVICE
 * @device_offset: first byte in the device's own memory
 * @offset: first byte of what is lent, counted over all segments
 * @length: bytes, 1 to STREAM_DMA_DEVICE_BYTES
 */
struct stream_dma_transfer {
	__u32 direction;
	__u32 device_offset;
	__u32 offset;
	__u32 length;
};

/**
 * struct stream_dma_info - the device, and what has gone through it
 * @buffer_size: bytes of each open file's buffer
 * @dma_mask: the highest address that the driver said the device reaches
 * @max_mapping: bytes that one mapping may have; all ones: no limit
 * @commands: copies that the device was told to make since it was probed
 * @interrupts: how often it said that one was done, in time or not
 * @bytes: how many bytes those copied that were done in time
 * @msi: 1 when it says so by a message, 0 when by a line
 * @lent: 1 while this file has lent pieces, or coherent memory
 */
struct stream_dma_info {
	__u64 buffer_size;
	__u64 dma_mask;
	__u64 max_mapping;
	__u64 commands;
	__u64 interrupts;
	__u64 bytes;
	__u32 msi;
	__u32 lent;
};

/*
 * -EINVAL for values that are out of range or do not fit what is lent, -EBUSY
 * for a MAP while something is lent, -ENOENT for the others while nothing is,
 * -ENOMEM when the DMA API refuses, -ETIMEDOUT when the device does not answer
 * and -EIO ever after, -ENODEV when it was taken away.
 */
#define STREAM_DMA_INFO		_IOR(0xbc, 0x40, struct stream_dma_info)
#define STREAM_DMA_MAP		_IOWR(0xbc, 0x41, struct stream_dma_map)
#define STREAM_DMA_SYNC		_IOW(0xbc, 0x42, struct stream_dma_sync)
#define STREAM_DMA_TRANSFER	_IOW(0xbc, 0x43, struct stream_dma_transfer)
#define STREAM_DMA_UNMAP	_IO(0xbc, 0x44)

/* The same bytes from a 32-bit program as from a 64-bit one: no holes. */
_Static_assert(sizeof(struct stream_dma_piece) == 16, "no padding");
_Static_assert(sizeof(struct stream_dma_segment) == 16, "no padding");
_Static_assert(sizeof(struct stream_dma_map) == 24 + 16 * 2 * STREAM_DMA_PIECES, "no padding");
_Static_assert(__builtin_offsetof(struct stream_dma_map, piece) == 24, "pieces at 24");
_Static_assert(sizeof(struct stream_dma_sync) == 16, "no padding");
_Static_assert(sizeof(struct stream_dma_transfer) == 16, "no padding");
_Static_assert(sizeof(struct stream_dma_info) == 56, "no padding");
_Static_assert(STREAM_DMA_MAP == 0xc118bc41, "the command holds direction and size");

#endif /* _UAPI_STREAM_DMA_H */
/* #endregion stream-dma-map */
