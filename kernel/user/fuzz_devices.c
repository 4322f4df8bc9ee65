// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our devices as the fuzzer knows them: which calls each one takes, how often each
 * is made, and what must become of it over a whole run.
 */

/* #region fuzz-devices */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"
#include "reserved_buffer.h"

/*
 * An argument for an ioctl: mostly good memory that holds @value, else memory that
 * cannot be written, ends in the middle, or is not the program's.
 */
static void *argument(const struct fuzz_arguments *args, uint64_t chance, const void *value,
		      size_t size)
{
	static const size_t before[] = { 2, 1 };
	char *to = args->good;

	if (chance % 24 == 0)
		return NULL;
	if (chance % 24 == 1)
		return (void *)(uintptr_t)0xffffffc000000000ULL;
	memcpy(to, value, size);
	if (chance % 24 == 2)
		return args->read_only;
	/* Half of it, or all, in front of the edge; or at an odd address. */
	if (chance % 24 == 3 || chance % 24 == 4) {
		to = args->edge - size / before[chance % 24 - 3];
		memcpy(to, value, args->edge - to);
	} else if (chance % 24 == 5) {
		to++;
		memcpy(to, value, size);
	}

	return to;
}

int fuzz_command(struct fuzz_worker *w, const struct fuzz_draw *d, unsigned int cmd,
		 const void *value, size_t size)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);

	if (!f)
		return -1;

	return ioctl(f->fd, cmd, argument(&w->args, d->detail >> 8, value, size)) ? errno : 0;
}

uint64_t fuzz_number(uint64_t chance, uint64_t most)
{
	switch (chance % 16) {
	case 0:
		return 0;
	case 1:
		return ~0ULL;
	case 2:
		return chance;
	case 3:
		return most + 1;
	}

	return chance / 16 % most + 1;
}

static int buffer_info(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct reserved_buffer_info info = { };

	return fuzz_command(w, d, RESERVED_BUFFER_INFO, &info, sizeof(info));
}

/* Here a write takes memory and a read gives it back. */
static int slots_write(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);

	if (!f)
		return -1;

	return write(f->fd, d->detail % 8 ? w->args.good : NULL, d->size % 8) < 0 ? errno : 0;
}

static int slots_read(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);

	if (!f)
		return -1;

	return read(f->fd, d->detail % 8 ? w->args.good : NULL, d->size % 8) < 0 ? errno : 0;
}

/* The list of slots, read while they change. */
static int slots_list(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	int fd = open("/sys/kernel/debug/cma_test/slots", O_RDONLY | O_CLOEXEC);
	ssize_t got;
	int error;

	if (fd < 0)
		return errno;
	got = pread(fd, w->args.good, d->size % 2 ? w->page : d->size % 64, d->place % 64);
	error = errno;
	close(fd);

	return got < 0 ? error : 0;
}

static const struct fuzz_kind file_kinds[] = {
	{ "open", 40, FUZZ_MUST, fuzz_open },
	{ "close", 50, FUZZ_MUST, fuzz_close },
	{ "dup", 10, FUZZ_MUST, fuzz_dup },
	{ "fork", 3, FUZZ_MUST, fuzz_fork },
	{ "bad-command", 20, FUZZ_NEVER, fuzz_bad_command },
};

static const struct fuzz_kind contents_kinds[] = {
	{ "lseek", 30, FUZZ_MUST, fuzz_lseek },
	{ "read", 60, FUZZ_MUST, fuzz_read },
	{ "write", 60, FUZZ_MUST, fuzz_write },
	{ "read-bad", 15, FUZZ_MAY, fuzz_read_bad },
	{ "write-bad", 15, FUZZ_MAY, fuzz_write_bad },
};

static const struct fuzz_kind mapping_kinds[] = {
	{ "mmap", 100, FUZZ_MUST, fuzz_mmap },
	{ "mmap-bad", 20, FUZZ_NEVER, fuzz_mmap_bad },
	{ "munmap", 90, FUZZ_MUST, fuzz_munmap },
	{ "mremap", 20, FUZZ_MUST, fuzz_mremap },
	{ "mremap-grow", 10, FUZZ_NEVER, fuzz_mremap_grow },
	{ "mprotect", 20, FUZZ_MUST, fuzz_mprotect },
	{ "madvise", 20, FUZZ_MUST, fuzz_madvise },
	{ "touch", 150, FUZZ_MUST, fuzz_touch },
	{ "borrow", 15, FUZZ_MUST, fuzz_borrow },
};

static const struct fuzz_kind reserved_kinds[] = {
	{ "INFO", 20, FUZZ_MUST, buffer_info },
};

static const struct fuzz_kind cma_test_kinds[] = {
	{ "write", 60, FUZZ_MUST, slots_write },
	{ "read", 60, FUZZ_MUST, slots_read },
	{ "slots", 20, FUZZ_MUST, slots_list },
	{ "lseek", 10, FUZZ_MUST, fuzz_lseek },
	{ "mmap", 10, FUZZ_NEVER, fuzz_mmap },
};

static const struct fuzz_kinds files = { file_kinds, sizeof(file_kinds) / sizeof(*file_kinds) };

static const struct fuzz_kinds contents = {
	contents_kinds, sizeof(contents_kinds) / sizeof(*contents_kinds)
};

static const struct fuzz_kinds mappings = {
	mapping_kinds, sizeof(mapping_kinds) / sizeof(*mapping_kinds)
};

static const struct fuzz_kinds reserved = {
	reserved_kinds, sizeof(reserved_kinds) / sizeof(*reserved_kinds)
};

static const struct fuzz_kinds cma_test = {
	cma_test_kinds, sizeof(cma_test_kinds) / sizeof(*cma_test_kinds)
};

#define PLATFORM	"/sys/bus/platform/drivers/"
#define PCI		"/sys/bus/pci/drivers/"

static const struct fuzz_device devices[] = {
	{ "cma_mem", FUZZ_OWNED, NULL, NULL, { &files, &contents, &mappings, &fuzz_cma_mem } },
	{ "cma_test", FUZZ_NOTHING, NULL, NULL, { &files, &cma_test } },
	{ "reserved-coherent", FUZZ_PLACED, PLATFORM "reserved-coherent", "reserved-coherent",
	  { &files, &contents, &mappings, &reserved } },
	{ "reserved-memremap", FUZZ_PLACED, PLATFORM "reserved-memremap", "reserved-memremap",
	  { &files, &contents, &mappings, &reserved } },
	{ "stream-dma0", FUZZ_WRITTEN, PCI "stream-dma", "0000:00:01.0",
	  { &files, &contents, &fuzz_stream_dma } },
};

const struct fuzz_device *fuzz_device_find(const char *path)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
		if (!strcmp(fuzz_device_path(&devices[i]), path))
			return &devices[i];

	return NULL;
}

const char *fuzz_device_path(const struct fuzz_device *device)
{
	static char path[64];

	snprintf(path, sizeof(path), "/dev/%s", device->name);
	return path;
}

const struct fuzz_kind *fuzz_kind(const struct fuzz_device *device, size_t index)
{
	for (int i = 0; device->lists[i]; i++) {
		if (index < device->lists[i]->count)
			return &device->lists[i]->kinds[index];
		index -= device->lists[i]->count;
	}

	return NULL;
}

/* #endregion fuzz-devices */
