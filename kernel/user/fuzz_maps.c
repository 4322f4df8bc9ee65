// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on mappings. The table knows of every mapping where it lies, what it may
 * and whose words it shows, so that whatever the memory does besides is noticed.
 */

/* #region fuzz-maps */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

sigjmp_buf fuzz_landing;
int fuzz_armed;

struct fuzz_map *fuzz_pick_map(struct fuzz_worker *w, uint64_t chance)
{
	for (int i = 0; i < FUZZ_MAPS; i++) {
		struct fuzz_map *m = &w->maps[(chance + i) % FUZZ_MAPS];

		if (m->at)
			return m;
	}

	return NULL;
}

static struct fuzz_map *free_entry(struct fuzz_worker *w)
{
	for (int i = 0; i < FUZZ_MAPS; i++)
		if (!w->maps[i].at)
			return &w->maps[i];

	return NULL;
}

/*
 * In a child: forget the mappings that it did not inherit (MADV_DONTFORK). Where
 * they lay, mmap(2) may put others, which show another part of the buffer.
 */
void fuzz_keep_inherited(struct fuzz_worker *w)
{
	for (int i = 0; i < FUZZ_MAPS; i++) {
		struct fuzz_map *m = &w->maps[i];

		/* ENOMEM: some of it is not mapped. */
		if (m->at && msync(m->at, m->length, MS_ASYNC) && errno == ENOMEM)
			m->at = NULL;
	}
}

static int most_of(const struct fuzz_file *f)
{
	return f->mode == O_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
}

int fuzz_mmap(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_map *m = free_entry(w);
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	size_t pages, length, offset;
	int prot;
	char *at;

	if (!m || !f)
		return -1;
	pages = fuzz_size(f) / w->page;
	offset = pages ? d->place % pages : 0;
	length = 1 + d->size % 8;
	if (offset + length > pages && offset < pages)
		length = pages - offset;
	prot = d->detail % 4 ? most_of(f) : PROT_READ;
	at = mmap(NULL, length * w->page, prot, MAP_SHARED, f->fd, offset * w->page);
	if (at == MAP_FAILED)
		return errno;
	*m = (struct fuzz_map) {
		.at = at,
		.length = length * w->page,
		.offset = offset * w->page,
		.prot = prot,
		.most = most_of(f),
		.group = f->object->group,
	};
	/* The sizes of files that all share change between two calls. */
	if (!pages && !f->object->shared)
		fuzz_wrong(w, "mmap of a file without a byte");

	return 0;
}

/* What no device may map: a copy, what lies past the end, offsets that wrap. */
int fuzz_mmap_bad(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	const int pgshift = __builtin_ctzl(w->page);
	size_t length = w->page, size;
	off_t offset = 0;
	int flags = MAP_SHARED;
	char *at;

	if (!f)
		return -1;
	/* Another process may let a shared file's buffer grow meanwhile. */
	size = f->object->shared ? 1UL << 30 : (fuzz_size(f) + w->page - 1) & -w->page;
	switch (d->detail % 4) {
	case 0:
		flags = MAP_PRIVATE;
		break;
	case 1:
		offset = size + (d->place % 4) * w->page;
		break;
	case 2:
		length = size + (1 + d->size % 4) * w->page;
		break;
	default:
		offset = (off_t)((d->place | 1ULL << 50) & (~0ULL >> 1)) >> pgshift << pgshift;
	}
	at = mmap(NULL, length, PROT_READ, flags, f->fd, offset);
	if (at == MAP_FAILED)
		return errno;
	fuzz_wrong(w, "mmap of %#zx bytes at %#llx with flags %#x", length,
		   (unsigned long long)offset, flags);
	munmap(at, length);

	return 0;
}

/* A whole mapping, or some pages at its start, its end or from its middle. */
int fuzz_munmap(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_map *m = fuzz_pick_map(w, d->target), *rest = free_entry(w), whole;
	size_t pages, from = 0, count;

	if (!m)
		return -1;
	whole = *m;
	pages = m->length / w->page;
	count = pages;
	if (rest && pages > 2 && d->detail % 2) {
		from = d->place % pages;
		count = 1 + d->size % (pages - from);
	}
	if (munmap(whole.at + from * w->page, count * w->page))
		return errno;
	m->at = NULL;
	if (from) {
		*m = whole;
		m->length = from * w->page;
	}
	if (from + count < pages) {
		if (from)
			m = rest;
		*m = whole;
		m->at += (from + count) * w->page;
		m->offset += (from + count) * w->page;
		m->length -= (from + count) * w->page;
	}

	return 0;
}

/* It may be gone in part, and what it was to replace, too: give up all of it. */
static int give_up(struct fuzz_map *m, char *to, size_t length)
{
	int error = errno;

	munmap(to, length);
	munmap(m->at, m->length);
	m->at = NULL;

	return error;
}

/* Move it to a fresh place, or make it shorter. */
int fuzz_mremap(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_map *m = fuzz_pick_map(w, d->target);
	size_t length;
	char *at, *to;

	if (!m)
		return -1;
	length = d->detail % 2 ? m->length : w->page * (1 + d->size % (m->length / w->page));
	to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return errno;
	at = mremap(m->at, m->length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (at == MAP_FAILED)
		return give_up(m, to, length);
	m->at = at;
	m->length = length;

	return 0;
}

int fuzz_mremap_grow(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_map *m = fuzz_pick_map(w, d->target);
	size_t length;
	char *at;

	if (!m)
		return -1;
	length = m->length + w->page * (1 + d->size % 16);
	at = mremap(m->at, m->length, length, MREMAP_MAYMOVE);
	if (at == MAP_FAILED)
		return errno;
	fuzz_wrong(w, "a mapping grew from %#zx to %#zx bytes", m->length, length);
	m->at = at;
	m->length = length;

	return 0;
}

int fuzz_mprotect(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	static const int wishes[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ };
	struct fuzz_map *m = fuzz_pick_map(w, d->target);
	int wish = wishes[d->detail % 4];

	if (!m)
		return -1;
	if (mprotect(m->at, m->length, wish)) {
		/* Of several pieces some may have changed: take all back. */
		if (mprotect(m->at, m->length, PROT_READ) == 0)
			m->prot = PROT_READ;
		return wish & ~m->most ? EACCES : errno;
	}
	if (wish & ~m->most)
		fuzz_wrong(w, "mprotect made a read-only file's mapping writable");
	m->prot = wish;

	return 0;
}

/* None of it may change what the mapping shows. */
int fuzz_madvise(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, 25 /* MADV_COLLAPSE */, 999,
	};
	struct fuzz_map *m = fuzz_pick_map(w, d->target);

	if (!m)
		return -1;

	return madvise(m->at, m->length, advice[d->detail % (sizeof(advice) / sizeof(*advice))]) ?
		errno : 0;
}

/* Read a word and judge it, then write the right one. Return: false for a fault. */
static bool touch_word(struct fuzz_worker *w, const struct fuzz_map *m, size_t inside, bool write)
{
	uint64_t *word = (uint64_t *)(m->at + inside), found;

	if (sigsetjmp(fuzz_landing, 1)) {
		__atomic_store_n(&fuzz_armed, 0, __ATOMIC_SEQ_CST);
		return false;
	}
	__atomic_store_n(&fuzz_armed, 1, __ATOMIC_SEQ_CST);
	found = __atomic_load_n(word, __ATOMIC_RELAXED);
	if (write)
		__atomic_store_n(word, fuzz_word(m->group, m->offset + inside), __ATOMIC_RELAXED);
	__atomic_store_n(&fuzz_armed, 0, __ATOMIC_SEQ_CST);
	fuzz_judge(w, m->group, m->offset + inside, found, "mapping");

	return true;
}

/* Only what a device showed that was taken away may be gone. */
static int judge_fault(struct fuzz_worker *w, const struct fuzz_map *m, size_t inside)
{
	if (m->prot & PROT_READ && !w->run->away)
		fuzz_wrong(w, "a fault at offset %#zx of a readable mapping", m->offset + inside);

	errno = EFAULT;
	return errno;
}

/* The first and last word, and some in between. */
int fuzz_touch(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_map *m = fuzz_pick_map(w, d->target);
	uint64_t state = d->place;
	bool write;

	if (!m)
		return -1;
	write = m->prot & PROT_WRITE && (!w->child || m->group == FUZZ_SHARED);
	for (int i = 0; i < 6; i++) {
		size_t inside = i == 0 ? 0 : i == 1 ? m->length - 8 :
			fuzz_random(&state) % m->length & ~7UL;

		if (!touch_word(w, m, inside, write))
			return judge_fault(w, m, inside);
	}

	return 0;
}

/*
 * Read the device into a mapping of it: the driver copies to memory that it has
 * mapped itself, or that has gone. The right words at the right place, so that
 * the contents stay in order.
 */
int fuzz_borrow(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	struct fuzz_map *m = fuzz_pick_map(w, d->place);

	if (!f || !m || f->object->group != m->group)
		return -1;
	if (w->child && m->group != FUZZ_SHARED)
		return -1;

	return pread(f->fd, m->at, m->length, m->offset) < 0 ? errno : 0;
}

/* #endregion fuzz-maps */
