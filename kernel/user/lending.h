/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/stream-dma0 as its test programs hold it: lend bytes of the file to the
 * device, have it copy, take them back.
 *
 * Each helper that returns false has said why, as KTAP wants it.
 */
/* #region lending-types */
#ifndef LENDING_H
#define LENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ktap.h"
#include "stream_dma.h"

/* How the device gets to the memory of this board. */
enum way { WAY_DIRECT, WAY_BOUNCED, WAY_IOMMU, WAY_NONE, WAY_UNSAID };

/**
 * struct lending - the device under test
 * @path: the device, such as /dev/stream-dma0
 * @fd: @path, opened for reading and writing
 * @way: how it gets to memory
 * @bits: its address lines
 * @line: it interrupts by a line, not by a message
 * @forced: bounced although it could reach the memory
 * @area_start: physical address of the default CMA area
 * @area_bytes: its length; 0 when it was not said
 */
struct lending {
	const char *path;
	int fd;
	enum way way;
	unsigned int bits;
	bool line;
	bool forced;
	uint64_t area_start, area_bytes;
};

/*
 * Options and the device of a command line. Return: false after a usage line, or
 * a line about a device that is not there.
 */
bool lending_arguments(struct lending *l, int argc, char **argv);

/* Run tests, each with @l->fd opened anew. Return: exit status, 0 or 1. */
int lending_run(struct lending *l, const struct ktap_test *tests, size_t count);

/* Open the device once more. Return: -1 after saying why. */
int lending_open(const struct lending *l);

/* Read the device's counters. */
bool look(int fd, struct stream_dma_info *info);

/* Slots of the bounce buffer in use; -1 where there is none. */
long long slots_used(void);

/* A request of one piece; more are added to its arrays. */
struct stream_dma_map piece(uint32_t kind, uint32_t direction, uint32_t offset, uint32_t length);
void add_piece(struct stream_dma_map *map, uint32_t offset, uint32_t length);

/* Lend, with the answer in @map, and take back. */
bool lend(int fd, struct stream_dma_map *map);
bool take_back(int fd);

/* Hand a part of what is lent, or all with @length 0, to STREAM_DMA_FOR_…. */
bool hand_over(int fd, uint32_t owner, uint32_t offset, uint32_t length);

/*
 * The device copies @length bytes out of or into what is lent, from its byte
 * @offset on; its own bytes are those from @inside on.
 */
bool copy_out(int fd, uint32_t offset, uint32_t length, uint32_t inside);
bool copy_in(int fd, uint32_t offset, uint32_t length, uint32_t inside);

/* The same by a loan of their own, from and to these bytes of the file. */
bool send_bytes(int fd, uint32_t offset, uint32_t length);
bool fetch_bytes(int fd, uint32_t offset, uint32_t length);

/* Write a pattern to the file, or compare the file with it. */
bool put_pattern(int fd, uint32_t offset, uint32_t length, uint8_t seed);
bool same_pattern(int fd, uint32_t offset, uint32_t length, uint8_t seed);

/* Bytes @skip and on of the pattern, where a piece has a part of it. */
bool same_pattern_from(int fd, uint32_t offset, uint32_t length, uint8_t seed, uint32_t skip);

/* Write one value to every byte, or ask whether every byte has it. */
bool put_value(int fd, uint32_t offset, uint32_t length, uint8_t value);
bool same_value(int fd, uint32_t offset, uint32_t length, uint8_t value);

#endif /* LENDING_H */
/* #endregion lending-types */
