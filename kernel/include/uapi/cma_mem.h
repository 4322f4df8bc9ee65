/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What /dev/cma_mem says to a program: one header for the module and for the
 * programs in kernel/user/.
 *
 * A file that was opened holds at most one buffer, and another file never sees
 * it unless CMA_MEM_CONNECT says so:
 *
 *	open -> ALLOCATE -> mmap, read, write, … -> munmap -> FREE -> close
 *	open -> CONNECT  /
 *
 * The contents need no command: read(2), write(2), lseek(2) and mmap(2) work on
 * the file as on one of the buffer's size; before ALLOCATE it is empty.
 *
 * Every structure is the same bytes from a 32-bit program as from a 64-bit one.
 * A field called reserved is for later and must be 0, or the answer is -EINVAL.
 * Of every command: -EFAULT for a pointer that cannot be read or written, and
 * -ENOENT, where a buffer is needed, for a file that holds none.
 */
/* #region cma-mem-abi-includes */
#ifndef _UAPI_CMA_MEM_H
#define _UAPI_CMA_MEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* #endregion cma-mem-abi-includes */

/* #region cma-mem-abi-allocate */
/* Bits of cma_mem_allocate.flags; 0 asks dma_alloc_coherent() for the buffer. */
#define CMA_MEM_WRITE_COMBINE	0x1	/* dma_alloc_wc() */

/**
 * struct cma_mem_allocate - a buffer for this file
 * @size: wish, bytes from 1 to the limit that CMA_MEM_GET_TOTAL_SIZE tells
 * @flags: 0 or CMA_MEM_WRITE_COMBINE
 * @reserved: 0
 * @granted: answer, @size in whole pages: what read, write and mmap can reach
 *
 * The buffer is contiguous and zeroed. On arm64 two pages or more come from CMA
 * while it has room, and a single page never does; on 32-bit ARM every buffer
 * does, and when CMA has no room there is none.
 *
 * Errors: -EINVAL for a size or a flag that is not there; -EBUSY when the file
 * holds a buffer already; -ENOSPC when all buffers together would exceed the
 * limit; -ENOMEM without memory. After any error the file is as it was before.
 */
struct cma_mem_allocate {
	__u64 size;
	__u32 flags;
	__u32 reserved;
	__u64 granted;
};

/* #endregion cma-mem-abi-allocate */

/* #region cma-mem-abi-phys */
/**
 * struct cma_mem_phys - where the buffer lies
 * @address: its first byte as a device addresses it. That is the physical
 *	address too when nothing translates between the device and memory: no
 *	IOMMU, and no dma-ranges that move the bus.
 * @size: bytes from there on, contiguous for the device
 *
 * Errors: -EPERM without CAP_SYS_RAWIO. An address says something of everybody's
 * memory, and whoever can make a device write to it can write anywhere.
 */
struct cma_mem_phys {
	__u64 address;
	__u64 size;
};

/* #endregion cma-mem-abi-phys */

/* #region cma-mem-abi-map */
/* Values of cma_mem_map.how: who fills the page tables of the next mmap(2). */
#define CMA_MEM_MAP_DMA	1	/* dma_mmap_attrs(), as after ALLOCATE and CONNECT */
#define CMA_MEM_MAP_PFN	2	/* remap_pfn_range(), called by the driver */

/**
 * struct cma_mem_map - how mmap(2) of this file maps from now on
 * @how: CMA_MEM_MAP_DMA or CMA_MEM_MAP_PFN
 * @reserved: 0
 *
 * Both show the same pages with the same memory type; mappings that exist stay
 * as they are. CMA_MEM_UNMAP is the opposite: mmap(2) of this file is refused
 * (-EINVAL) until the next CMA_MEM_MAP, so a program can be sure that it maps
 * nothing while a device owns the buffer.
 *
 * Errors of MAP: -EINVAL for another @how. Of UNMAP: -EBUSY while a mapping that
 * was made through this file exists, whichever process has it.
 */
struct cma_mem_map {
	__u32 how;
	__u32 reserved;
};

/* #endregion cma-mem-abi-map */

/* #region cma-mem-abi-size */
/**
 * struct cma_mem_size - what this file holds
 * @size: bytes of the buffer: cma_mem_allocate.granted
 * @flags: as it was allocated
 * @how: as cma_mem_map.how; 0 after CMA_MEM_UNMAP
 * @mappings: mappings made through this file that exist, in all processes
 * @files: open files that hold the buffer, this one among them
 */
struct cma_mem_size {
	__u64 size;
	__u32 flags;
	__u32 how;
	__u32 mappings;
	__u32 files;
};

/* #endregion cma-mem-abi-size */

/* #region cma-mem-abi-total */
/**
 * struct cma_mem_total - what all open files hold together
 * @used: bytes of all buffers, each counted once
 * @limit: the most that @used may become
 */
struct cma_mem_total {
	__u64 used;
	__u64 limit;
};

/* #endregion cma-mem-abi-total */

/* #region cma-mem-abi-connect */
/**
 * struct cma_mem_connect - hold another file's buffer too
 * @fd: a descriptor of /dev/cma_mem whose file holds a buffer
 * @reserved: 0
 *
 * Both files are equal from then on: the buffer goes when the last one lets go
 * of it. Who may do that is who has the descriptor: by fork(2), or sent over a
 * socket.
 *
 * Errors: -EBADF for a descriptor that is not open; -EINVAL for one of another
 * device; -EBUSY when this file holds a buffer already; -ENOENT when the other
 * holds none; -EACCES when this file may read or write and the other may not.
 */
struct cma_mem_connect {
	__s32 fd;
	__u32 reserved;
};

/* #endregion cma-mem-abi-connect */

/* #region cma-mem-abi-range */
/**
 * struct cma_mem_range - part of the buffer, for CMA_MEM_CACHE_FLUSH
 * @offset: its first byte
 * @length: bytes, at least one
 *
 * On return, what the calling thread wrote there is where a device reads it.
 * The command flushes no cache: no view of the buffer that the driver hands out
 * is cached, unless the device sees the caches anyway. It waits for the CPU's
 * write buffers, of all bytes, for a barrier knows no addresses.
 *
 * Errors: -EINVAL for a length of 0, -ENXIO for bytes that are not there.
 */
struct cma_mem_range {
	__u64 offset;
	__u64 length;
};

/* #endregion cma-mem-abi-range */

/* #region cma-mem-abi-commands */
#define CMA_MEM_GET_PHYS	_IOR(0xbc, 0x11, struct cma_mem_phys)
#define CMA_MEM_MAP		_IOW(0xbc, 0x12, struct cma_mem_map)
#define CMA_MEM_GET_SIZE	_IOR(0xbc, 0x13, struct cma_mem_size)
#define CMA_MEM_UNMAP		_IO(0xbc, 0x14)
#define CMA_MEM_ALLOCATE	_IOWR(0xbc, 0x15, struct cma_mem_allocate)
#define CMA_MEM_CONNECT		_IOW(0xbc, 0x16, struct cma_mem_connect)
#define CMA_MEM_GET_TOTAL_SIZE	_IOR(0xbc, 0x17, struct cma_mem_total)
#define CMA_MEM_CACHE_FLUSH	_IOW(0xbc, 0x18, struct cma_mem_range)

/*
 * Let go of the buffer; the file can allocate or connect anew. -EBUSY while a
 * mapping that was made through this file exists. close(2) does the same when
 * the last mapping has gone, so a program that ends needs no FREE.
 */
#define CMA_MEM_FREE		_IO(0xbc, 0x19)
/* #endregion cma-mem-abi-commands */

/* #region cma-mem-abi-layout */
/* A compiler that lays a structure out otherwise must not build this. */
#define CMA_MEM_AT(type, field, offset) \
	_Static_assert(__builtin_offsetof(struct type, field) == (offset), #field)
CMA_MEM_AT(cma_mem_allocate, flags, 8);
CMA_MEM_AT(cma_mem_allocate, reserved, 12);
CMA_MEM_AT(cma_mem_allocate, granted, 16);
CMA_MEM_AT(cma_mem_phys, size, 8);
CMA_MEM_AT(cma_mem_map, reserved, 4);
CMA_MEM_AT(cma_mem_size, flags, 8);
CMA_MEM_AT(cma_mem_size, how, 12);
CMA_MEM_AT(cma_mem_size, mappings, 16);
CMA_MEM_AT(cma_mem_size, files, 20);
CMA_MEM_AT(cma_mem_total, limit, 8);
CMA_MEM_AT(cma_mem_connect, reserved, 4);
CMA_MEM_AT(cma_mem_range, length, 8);
#undef CMA_MEM_AT
/* #endregion cma-mem-abi-layout */

/* #region cma-mem-abi-numbers */
/* A number holds direction and size: it changes when a structure grows. */
_Static_assert(CMA_MEM_GET_PHYS == 0x8010bc11, "reads 16 bytes");
_Static_assert(CMA_MEM_MAP == 0x4008bc12, "writes 8 bytes");
_Static_assert(CMA_MEM_GET_SIZE == 0x8018bc13, "reads 24 bytes");
_Static_assert(CMA_MEM_UNMAP == 0x0000bc14, "has no argument");
_Static_assert(CMA_MEM_ALLOCATE == 0xc018bc15, "writes and reads 24 bytes");
_Static_assert(CMA_MEM_CONNECT == 0x4008bc16, "writes 8 bytes");
_Static_assert(CMA_MEM_GET_TOTAL_SIZE == 0x8010bc17, "reads 16 bytes");
_Static_assert(CMA_MEM_CACHE_FLUSH == 0x4010bc18, "writes 16 bytes");
_Static_assert(CMA_MEM_FREE == 0x0000bc19, "has no argument");

#endif /* _UAPI_CMA_MEM_H */
/* #endregion cma-mem-abi-numbers */
