// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that every device takes: descriptors and their contents. A call returns
 * 0 or the errno it got; -1 says that there was nothing to make it with.
 */

/* #region fuzz-calls */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

uint32_t fuzz_new_group(struct fuzz_worker *w)
{
	return (uint32_t)(w->index + 1) << 18 | (++w->groups & 0x3ffff);
}

struct fuzz_object *fuzz_new_object(struct fuzz_worker *w, bool shared)
{
	for (int i = 0; i < FUZZ_FILES; i++) {
		struct fuzz_object *o = &w->objects[i];

		if (o->refs)
			continue;
		/* A child's own files are nobody else's to judge either. */
		o->shared = shared || w->child;
		o->group = o->shared ? FUZZ_SHARED : fuzz_new_group(w);
		return o;
	}

	return NULL;
}

struct fuzz_file *fuzz_add_file(struct fuzz_worker *w, int fd, int mode,
				struct fuzz_object *object)
{
	for (int i = 0; object && i < FUZZ_FILES; i++) {
		struct fuzz_file *f = &w->files[i];

		if (f->fd >= 0)
			continue;
		f->fd = fd;
		f->mode = mode;
		f->object = object;
		object->refs++;
		return f;
	}

	return NULL;
}

/* Any open file; in a child one that is not its parent's alone. */
struct fuzz_file *fuzz_pick_file(struct fuzz_worker *w, uint64_t chance)
{
	for (int i = 0; i < FUZZ_FILES; i++) {
		struct fuzz_file *f = &w->files[(chance + i) % FUZZ_FILES];

		if (f->fd >= 0 && (!w->child || f->object->shared))
			return f;
	}

	return NULL;
}

size_t fuzz_size(const struct fuzz_file *f)
{
	off_t end = lseek(f->fd, 0, SEEK_END);

	return end > 0 ? end : 0;
}

int fuzz_open(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	static const int modes[] = { O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY };
	int mode = modes[d->detail % 5];
	int fd = open(fuzz_device_path(w->run->device), mode | O_CLOEXEC);

	/* Away: it will be back. Such calls try nothing, and are not counted. */
	if (fd < 0 && errno == ENOENT && w->run->away) {
		usleep(1000);
		return -1;
	}
	if (fd < 0)
		return errno;
	if (!fuzz_add_file(w, fd, mode, fuzz_new_object(w, false)))
		close(fd);

	return 0;
}

/* The files that all share stay: they are what the processes meet on. */
int fuzz_close(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	int fd;

	if (!f || (f->object->shared && !w->child && !w->run->away && f->object->refs == 1))
		return -1;
	fd = f->fd;
	f->fd = -1;
	f->object->refs--;

	return close(fd) ? errno : 0;
}

int fuzz_dup(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	int fd;

	if (!f)
		return -1;
	fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (!fuzz_add_file(w, fd, f->mode, f->object))
		close(fd);

	return 0;
}

/* Sometimes back to the start, or reading and writing would end at the end. */
int fuzz_lseek(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	static const int whence[] = { SEEK_SET, SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, 99 };
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	off_t offset = (d->place % (8 * w->page)) & ~7ULL;

	if (!f)
		return -1;
	if (d->size % 8 == 0)
		offset = -offset;
	if (d->size % 32 == 1)
		offset = (off_t)(d->place & ~7ULL);

	return lseek(f->fd, offset, whence[d->detail % 6]) < 0 ? errno : 0;
}

/* Where to read or write, and how much: whole words, near the start or the end. */
static size_t io_place(struct fuzz_worker *w, const struct fuzz_file *f, const struct fuzz_draw *d,
		       off_t *at)
{
	size_t size = fuzz_size(f);
	size_t length = (d->size % (w->page / 2)) & ~7ULL;

	*at = (d->place % (4 * w->page)) & ~7ULL;
	if (d->detail % 4 == 1 && size >= w->page)
		*at = size - w->page / 4;
	else if (d->detail % 16 == 2)
		*at = size;

	return length ? length : 8;
}

int fuzz_read(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	uint64_t words[512];
	uint32_t group;
	ssize_t got;
	size_t length;
	off_t at;

	if (!f)
		return -1;
	length = io_place(w, f, d, &at);
	if (length > sizeof(words))
		length = sizeof(words);
	group = f->object->group;
	got = pread(f->fd, words, length, at);
	if (got < 0)
		return errno;
	for (ssize_t i = 0; i < got / 8; i++)
		fuzz_judge(w, group, at + i * 8, words[i], "read");

	return 0;
}

int fuzz_write(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	uint64_t words[512];
	size_t length;
	off_t at;

	if (!f)
		return -1;
	length = io_place(w, f, d, &at);
	if (length > sizeof(words))
		length = sizeof(words);
	for (size_t i = 0; i < length / 8; i++)
		words[i] = fuzz_word(f->object->group, at + i * 8);

	return pwrite(f->fd, words, length, at) < 0 ? errno : 0;
}

/* Pointers that end, are read-only, or are the kernel's; counts of all sizes. */
static void *bad_pointer(struct fuzz_worker *w, uint64_t chance)
{
	switch (chance % 4) {
	case 0:
		return w->args.edge - 8;
	case 1:
		return (void *)(uintptr_t)0xffff000012345678ULL;
	case 2:
		return w->args.read_only;
	default:
		return NULL;
	}
}

int fuzz_read_bad(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	size_t count = d->size % 3 ? d->size % (2 * w->page) : d->size;

	if (!f)
		return -1;

	return pread(f->fd, bad_pointer(w, d->detail), count, d->place % w->page) < 0 ? errno : 0;
}

/* A pointer to one good word with nothing behind it, or to none at all. */
int fuzz_write_bad(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	size_t count = d->size % 3 ? d->size % (2 * w->page) : d->size;
	off_t at = d->place % w->page & ~7UL;
	uint64_t word;
	char *from;

	if (!f)
		return -1;
	from = bad_pointer(w, d->detail);
	if (from == w->args.read_only)
		from = w->args.edge;
	word = fuzz_word(f->object->group, at);
	memcpy(w->args.edge - sizeof(word), &word, sizeof(word));

	/* Where a copy ends early the kernel writes zeroes: whole words of them. */
	return pwrite(f->fd, from, (count & ~7UL) + 8, at) < 0 ? errno : 0;
}

int fuzz_bad_command(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	unsigned int number = 0x80 + d->detail % 0x80;

	if (!f)
		return -1;

	/* No device of ours has a command with so high a number. */
	return ioctl(f->fd, _IOC(d->size % 4, 0xbc, number, d->place % 512), w->args.good) ?
		errno : 0;
}

#define CHILD_CALLS 24

/*
 * A child has the same files and copies of the mappings, and goes on for a while
 * as its parent does; then it ends with everything open.
 */
int fuzz_fork(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	static int living;
	uint64_t state = d->detail;
	pid_t pid;

	while (living && waitpid(-1, NULL, living > 2 ? 0 : WNOHANG) > 0)
		living--;
	if (w->child)
		return -1;
	pid = fork();
	if (pid < 0)
		return errno;
	if (pid) {
		living++;
		__atomic_fetch_add(&w->run->tally->children, 1, __ATOMIC_RELAXED);
		return 0;
	}
	w->child = true;
	/* The switch for failures is a thread's own, and the parent's. */
	w->fail_fd = -1;
	fuzz_keep_inherited(w);
	for (int i = 0; i < CHILD_CALLS; i++)
		fuzz_one(w, &state);
	_exit(0);
}

/* #endregion fuzz-calls */
