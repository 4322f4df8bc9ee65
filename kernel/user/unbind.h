/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver that is unbound and bound again by way of sysfs, and what programs
 * that hold its buffer meanwhile must see.
 */
/* #region unbind-types */
#ifndef UNBIND_H
#define UNBIND_H

#include "buffer.h"
#include "ktap.h"

/**
 * struct unbind - the driver under test
 * @b: its buffer; @b.fd is open while the driver is bound
 * @driver: the driver's folder in sysfs
 * @device: the device's name, as unbind and bind want it
 * @rounds: how often the hammer unbinds
 * @seed: of the hammer's random numbers
 * @old: a file opened before the first unbind
 * @map: all of the buffer, mapped through @old
 * @node: another node of the same device, of our own making
 */
struct unbind {
	struct buffer b;
	char driver[256];
	char device[64];
	unsigned int rounds;
	uint64_t seed;
	int old;
	uint64_t *map;
	const char *node;
};

/* Find the driver of @u->b in sysfs. Return: false, with a note said. */
bool unbind_find(struct unbind *u);

/* Write the device's name to the driver's unbind or bind. Return: 0 or an errno. */
int driver_unbind(const struct unbind *u);
int driver_bind(const struct unbind *u);

/* Every operation on @fd must fail with ENODEV. */
enum ktap_result expect_gone(int fd, size_t page);

/* The pages of @words must be a SIGBUS, to read and to write. */
enum ktap_result expect_sigbus(uint64_t *words, size_t length, size_t page);

/* Programs that use the buffer while it is taken away, again and again. */
enum ktap_result test_hammer(void *unbind);
enum ktap_result test_reader_finishes(void *unbind);

#endif /* UNBIND_H */
/* #endregion unbind-types */
