// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of /dev/cma_mem, with arguments good and bad.
 */

/* #region fuzz-cma-mem */
#include <sys/ioctl.h>

#include "cma_mem.h"
#include "fuzz.h"

/* Up to 16 pages, now and then far too many; a new buffer is a new group. */
static int cma_allocate(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	struct cma_mem_allocate req = {
		.size = fuzz_number(d->size, 16 * w->page),
		.flags = d->place % 16 ? d->place / 16 % 2 : d->place,
		.reserved = d->place % 32 == 17,
	};
	int error;

	if (!f)
		return -1;
	error = fuzz_command(w, d, CMA_MEM_ALLOCATE, &req, sizeof(req));
	if (!error && !f->object->shared)
		f->object->group = fuzz_new_group(w);

	return error;
}

/* A shared file never gets a buffer that is one process's own: that one is judged. */
static int cma_connect(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct fuzz_file *f = fuzz_pick_file(w, d->target);
	struct fuzz_file *other = fuzz_pick_file(w, d->place);
	struct cma_mem_connect req = { .reserved = d->size % 32 == 17 };
	int error;

	if (!f || !other || (f->object->shared && !other->object->shared))
		return -1;
	req.fd = d->size % 16 ? other->fd : (int)d->size;
	error = fuzz_command(w, d, CMA_MEM_CONNECT, &req, sizeof(req));
	if (!error && !f->object->shared)
		f->object->group = other->object->group;

	return error;
}

static int cma_free(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	return fuzz_command(w, d, CMA_MEM_FREE, "", 0);
}

static int cma_phys(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct cma_mem_phys info = { };

	return fuzz_command(w, d, CMA_MEM_GET_PHYS, &info, sizeof(info));
}

static int cma_size(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct cma_mem_size info = { };

	return fuzz_command(w, d, CMA_MEM_GET_SIZE, &info, sizeof(info));
}

static int cma_total(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct cma_mem_total info = { };

	return fuzz_command(w, d, CMA_MEM_GET_TOTAL_SIZE, &info, sizeof(info));
}

static int cma_map(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct cma_mem_map req = {
		.how = d->size % 8 ? 1 + d->size / 8 % 2 : d->size,
		.reserved = d->place % 32 == 17,
	};

	return fuzz_command(w, d, CMA_MEM_MAP, &req, sizeof(req));
}

static int cma_unmap(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	return fuzz_command(w, d, CMA_MEM_UNMAP, "", 0);
}

static int cma_flush(struct fuzz_worker *w, const struct fuzz_draw *d)
{
	struct cma_mem_range range = {
		.offset = fuzz_number(d->place, 4 * w->page) - 1,
		.length = fuzz_number(d->size, w->page),
	};

	return fuzz_command(w, d, CMA_MEM_CACHE_FLUSH, &range, sizeof(range));
}

static const struct fuzz_kind kinds[] = {
	{ "ALLOCATE", 70, FUZZ_MUST, cma_allocate },
	{ "FREE", 40, FUZZ_MUST, cma_free },
	{ "CONNECT", 30, FUZZ_MUST, cma_connect },
	{ "MAP", 20, FUZZ_MUST, cma_map },
	{ "UNMAP", 6, FUZZ_MUST, cma_unmap },
	{ "GET_PHYS", 15, FUZZ_MUST, cma_phys },
	{ "GET_SIZE", 15, FUZZ_MUST, cma_size },
	{ "GET_TOTAL_SIZE", 15, FUZZ_MUST, cma_total },
	{ "CACHE_FLUSH", 15, FUZZ_MUST, cma_flush },
};

const struct fuzz_kinds fuzz_cma_mem = { kinds, sizeof(kinds) / sizeof(*kinds) };
/* #endregion fuzz-cma-mem */
