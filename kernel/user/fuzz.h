/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer's parts: fuzz.c starts the processes and reports, fuzz_work.c is one
 * process, fuzz_calls.c and fuzz_maps.c make the calls that any device takes,
 * fuzz_contents.c says what memory may hold, fuzz_devices.c knows our devices and
 * fuzz_cma_mem.c and fuzz_stream_dma.c the commands of two of them.
 */
/* #region fuzz-draw */
#ifndef FUZZ_H
#define FUZZ_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct fuzz_draw - the chance that one call is made from
 *
 * Every call takes the same number of them, whatever the calls before came to:
 * so the seed alone decides what a process tries as its thousandth call.
 */
struct fuzz_draw {
	uint64_t kind, target, size, place, detail;
};

/* The next number of a sequence that @state walks through. */
uint64_t fuzz_random(uint64_t *state);

/* #endregion fuzz-draw */

/* #region fuzz-parts */
/**
 * struct fuzz_object - an open file, which several descriptors may name
 * @group: whose words its buffer holds: FUZZ_SHARED, or a number of its own
 * @shared: opened before the processes parted: all of them use it
 * @refs: descriptors in the table that name it
 */
struct fuzz_object {
	uint32_t group;
	bool shared;
	int refs;
};

struct fuzz_file {
	int fd;
	int mode;	/* O_RDONLY, O_WRONLY, O_RDWR */
	struct fuzz_object *object;
};

/**
 * struct fuzz_map - a mapping, or what is left of one
 * @at: where it lies, NULL for a free entry of the table
 * @length: bytes, whole pages
 * @offset: of its first byte in the buffer
 * @prot: PROT_* as it is now
 * @most: PROT_* that its file allows
 * @group: as its file's was when it was mapped
 */
struct fuzz_map {
	char *at;
	size_t length;
	size_t offset;
	int prot;
	int most;
	uint32_t group;
};

#define FUZZ_KINDS	32
#define FUZZ_ERRNOS	140
#define FUZZ_WORKERS	2

/**
 * struct fuzz_progress - how far one worker is
 * @running: the kind of call that it is in
 * @tries: how many calls it thought of; for some there was nothing to make them with
 * @calls: how many it made
 * @digest: over its first tries: the same for the same seed
 */
struct fuzz_progress {
	uint32_t running;
	uint32_t tries;
	uint32_t calls;
	uint64_t digest;
};

/**
 * struct fuzz_tally - what all processes write and the first one reads
 * @count: by kind and errno; errno 0 is success
 * @workers: the two processes
 * @wrong: invariants that did not hold
 * @children: processes that the workers made
 * @injected: calls in which the kernel was made to run out of memory
 * @away: how often the device was taken from its driver
 * @stop: the one that takes it away shall end
 */
struct fuzz_tally {
	uint32_t count[FUZZ_KINDS][FUZZ_ERRNOS];
	struct fuzz_progress workers[FUZZ_WORKERS];
	uint32_t wrong;
	uint32_t children;
	uint32_t injected;
	uint32_t away;
	uint32_t stop;
};

/**
 * struct fuzz_run - what is to be done, and what came of it
 * @device: what is tried
 * @seed: what all chance comes from
 * @failures: let the kernel run out of memory now and then
 * @away: take the device from its driver and give it back meanwhile
 * @wanted: calls that each process should make
 * @tally: what the processes count
 * @workers: the processes, 0 for one that ended
 * @died: processes that did not end with 0
 * @stuck: processes that made no call for too long
 */
struct fuzz_run {
	const struct fuzz_device *device;
	uint64_t seed;
	bool failures, away;
	uint32_t wanted;
	struct fuzz_tally *tally;
	int workers[FUZZ_WORKERS];
	int died, stuck;
};

#define FUZZ_FILES	10
#define FUZZ_MAPS	16

/**
 * struct fuzz_arguments - memory to point an ioctl at
 * @good: a page
 * @read_only: the same page, which cannot be written here
 * @edge: behind the last byte of a page, with nothing there
 */
struct fuzz_arguments {
	char *good;
	char *read_only;
	char *edge;
};

/**
 * struct fuzz_worker - one process
 * @run: what it is part of
 * @index: 0 or 1
 * @child: made by fork(2) in the middle
 * @groups: how many groups it has given out
 * @page: bytes in a page
 * @fail_fd: /proc/thread-self/fail-nth, or -1
 * @args: memory for arguments
 * @files: descriptors, fd -1 for a free entry; @objects: the open files behind them
 * @maps: mappings
 */
struct fuzz_worker {
	const struct fuzz_run *run;
	int index;
	bool child;
	uint32_t groups;
	size_t page;
	int fail_fd;
	struct fuzz_arguments args;
	struct fuzz_file files[FUZZ_FILES];
	struct fuzz_object objects[FUZZ_FILES];
	struct fuzz_map maps[FUZZ_MAPS];
};

/* What becomes of a kind of call over the whole run. */
enum fuzz_outcome {
	FUZZ_MAY,	/* both are fine */
	FUZZ_MUST,	/* succeeds at least once, or the run proves nothing */
	FUZZ_NEVER,	/* succeeds not a single time */
};

/**
 * struct fuzz_kind - a kind of call
 * @name: one word
 * @weight: how often it is made, against the others
 * @outcome: what must become of it
 * @run: makes the call. Return: 0 or its errno, -1 when there was none to make
 */
struct fuzz_kind {
	const char *name;
	int weight;
	enum fuzz_outcome outcome;
	int (*run)(struct fuzz_worker *w, const struct fuzz_draw *d);
};

/* How much is known of the words that a device's memory shows. */
enum fuzz_rule {
	FUZZ_NOTHING,	/* reading is no reading of memory */
	FUZZ_WRITTEN,	/* a program wrote them, somewhere: the device moves them */
	FUZZ_PLACED,	/* and at this offset: one buffer for all files */
	FUZZ_OWNED,	/* and through a file that holds this buffer */
};

#define FUZZ_LISTS 4

/* A table of kinds; several devices may take the same. */
struct fuzz_kinds {
	const struct fuzz_kind *kinds;
	size_t count;
};

/**
 * struct fuzz_device - a device of ours
 * @name: as in /dev
 * @rule: what its contents may be
 * @driver: where sysfs has its driver, NULL when that cannot be unbound
 * @node: the device by its name on the bus
 * @lists: the calls it takes, up to the first NULL
 */
struct fuzz_device {
	const char *name;
	enum fuzz_rule rule;
	const char *driver;
	const char *node;
	const struct fuzz_kinds *lists[FUZZ_LISTS + 1];
};

/* By its path in /dev. Return: NULL for one that is none of ours. */
const struct fuzz_device *fuzz_device_find(const char *path);
const char *fuzz_device_path(const struct fuzz_device *device);

/* Its kinds of calls, counted through all lists. Return: NULL behind the last. */
const struct fuzz_kind *fuzz_kind(const struct fuzz_device *device, size_t index);

extern const struct fuzz_kinds fuzz_cma_mem;
extern const struct fuzz_kinds fuzz_stream_dma;

/* An ioctl on any file, with an argument that is mostly good. */
int fuzz_command(struct fuzz_worker *w, const struct fuzz_draw *d, unsigned int cmd,
		 const void *value, size_t size);

/* A number: mostly from 1 to @most, else 0, the largest, or anything. */
uint64_t fuzz_number(uint64_t chance, uint64_t most);

struct fuzz_file *fuzz_pick_file(struct fuzz_worker *w, uint64_t chance);
struct fuzz_map *fuzz_pick_map(struct fuzz_worker *w, uint64_t chance);

/* An own file's entry. Return: NULL when the table is full. */
struct fuzz_file *fuzz_add_file(struct fuzz_worker *w, int fd, int mode,
				struct fuzz_object *object);
struct fuzz_object *fuzz_new_object(struct fuzz_worker *w, bool shared);

/* Bytes that the file has now. */
size_t fuzz_size(const struct fuzz_file *f);

/* A number for a group that no other process uses. */
uint32_t fuzz_new_group(struct fuzz_worker *w);

/* The group of buffers that every process may write to. */
#define FUZZ_SHARED	0x800000u

/* The word that belongs at byte @offset of a buffer of @group. */
uint64_t fuzz_word(uint32_t group, size_t offset);

/* Whether a word may be there; where it may not, that is told and counted. */
void fuzz_judge(struct fuzz_worker *w, uint32_t group, size_t offset, uint64_t word,
		const char *how);

/* Something that must not be, told as a line of the report. */
void fuzz_wrong(struct fuzz_worker *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Where a fault jumps to while armed: this program is never killed by one. */
extern sigjmp_buf fuzz_landing;
extern int fuzz_armed;

/* Calls that any device takes; see fuzz_calls.c. */
int fuzz_open(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_close(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_dup(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_fork(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_lseek(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_read(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_write(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_read_bad(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_write_bad(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_bad_command(struct fuzz_worker *w, const struct fuzz_draw *d);

/* Mappings; see fuzz_maps.c. */
int fuzz_mmap(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_mmap_bad(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_munmap(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_mremap(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_mremap_grow(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_mprotect(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_madvise(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_touch(struct fuzz_worker *w, const struct fuzz_draw *d);
int fuzz_borrow(struct fuzz_worker *w, const struct fuzz_draw *d);

/* In a new child: forget the mappings that it does not have. */
void fuzz_keep_inherited(struct fuzz_worker *w);

/* One call of a worker; its children are made of these too. */
void fuzz_one(struct fuzz_worker *w, uint64_t *state);

/* All calls of a worker; does not return. */
void fuzz_work(struct fuzz_worker *w);

#endif /* FUZZ_H */
/* #endregion fuzz-parts */
