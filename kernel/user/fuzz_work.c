// SPDX-License-Identifier: GPL-2.0-only
/*
 * One process of the fuzzer: call after call, each out of five numbers.
 */

/* #region fuzz-work-head */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

uint64_t fuzz_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* Which kind of call a chance means, by their weights. */
static size_t choose(const struct fuzz_device *device, uint64_t chance)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; fuzz_kind(device, i); i++)
		total += fuzz_kind(device, i)->weight;
	chance %= total;
	for (i = 0; chance >= (uint64_t)fuzz_kind(device, i)->weight; i++)
		chance -= fuzz_kind(device, i)->weight;

	return i;
}

/* #endregion fuzz-work-head */

/* #region fuzz-failures */
/* In one call of eight the nth allocation of this thread fails. */
static bool arm_failure(struct fuzz_worker *w, uint64_t chance)
{
	char text[8];

	if (w->child || w->fail_fd < 0 || chance % 8)
		return false;
	snprintf(text, sizeof(text), "%u", (unsigned int)(1 + chance / 8 % 12));
	return pwrite(w->fail_fd, text, strlen(text), 0) > 0;
}

/* 0 is read when the allocation came and failed. */
static void disarm_failure(struct fuzz_worker *w)
{
	char text[8] = "";

	if (pread(w->fail_fd, text, sizeof(text) - 1, 0) > 0 && text[0] == '0')
		__atomic_fetch_add(&w->run->tally->injected, 1, __ATOMIC_RELAXED);
	if (pwrite(w->fail_fd, "0", 1, 0) < 0)
		fuzz_wrong(w, "fail-nth cannot be switched off");
}

/* #endregion fuzz-failures */

/* #region fuzz-work */
/* What a worker is about to do, for whoever watches it. */
static void note_try(struct fuzz_worker *w, const struct fuzz_draw *d, size_t kind)
{
	struct fuzz_progress *p = &w->run->tally->workers[w->index];

	p->running = kind;
	if (p->tries++ < w->run->wanted)
		p->digest = p->digest * 31 + (d->kind ^ d->detail);
}

void fuzz_one(struct fuzz_worker *w, uint64_t *state)
{
	struct fuzz_draw d = { fuzz_random(state), fuzz_random(state), fuzz_random(state),
			       fuzz_random(state), fuzz_random(state) };
	struct fuzz_tally *tally = w->run->tally;
	size_t kind = choose(w->run->device, d.kind);
	bool armed;
	int error;

	if (!w->child)
		note_try(w, &d, kind);
	armed = arm_failure(w, d.kind >> 32);
	error = fuzz_kind(w->run->device, kind)->run(w, &d);
	if (armed)
		disarm_failure(w);
	if (error < 0)
		return;
	if (!w->child)
		tally->workers[w->index].calls++;
	__atomic_fetch_add(&tally->count[kind][error < FUZZ_ERRNOS ? error : 0], 1,
			   __ATOMIC_RELAXED);
}

static void on_fault(int number)
{
	if (__atomic_load_n(&fuzz_armed, __ATOMIC_SEQ_CST))
		siglongjmp(fuzz_landing, 1);
	/* A fault of our own: let it end us. */
	signal(number, SIG_DFL);
}

static char *page_of(int fd, int prot, size_t length)
{
	char *at = mmap(NULL, length, prot, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED,
			fd, 0);

	if (at == MAP_FAILED)
		exit(2);
	return at;
}

static void make_arguments(struct fuzz_worker *w)
{
	int fd = memfd_create("arguments", MFD_CLOEXEC);

	w->page = sysconf(_SC_PAGESIZE);
	if (fd < 0 || ftruncate(fd, w->page))
		exit(2);
	w->args.good = page_of(fd, PROT_READ | PROT_WRITE, w->page);
	w->args.read_only = page_of(fd, PROT_READ, w->page);
	w->args.edge = page_of(-1, PROT_READ | PROT_WRITE, 2 * w->page) + w->page;
	/* Not unmapped: a mapping of the device would come to lie there. */
	mprotect(w->args.edge, w->page, PROT_NONE);
	close(fd);
}

void fuzz_work(struct fuzz_worker *w)
{
	const struct fuzz_run *run = w->run;
	uint64_t state = run->seed ^ (uint64_t)(w->index + 1) << 56;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	make_arguments(w);
	w->fail_fd = run->failures ? open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC) : -1;
	while (run->tally->workers[w->index].calls < run->wanted)
		fuzz_one(w, &state);
	while (wait(NULL) > 0)
		continue;
	_exit(0);
}

/* #endregion fuzz-work */
