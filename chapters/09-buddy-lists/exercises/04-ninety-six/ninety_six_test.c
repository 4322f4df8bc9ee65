// SPDX-License-Identifier: GPL-2.0-only
/*
 * ninety_six_test before|held|after: how much less is free than before, in pages
 * for each of the 128 buffers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"

#define FILE_NAME "/ninety_six.before"
#define BUFFERS 128
/* Lists of each CPU, slabs, the module itself: 8 MiB at the most. */
#define SLACK 16

static long before;

static long free_pages(void)
{
	/* Empties the lists of each CPU, among other things. */
	FILE *file = fopen("/proc/sys/vm/compact_memory", "we");

	if (file) {
		fputs("1", file);
		fclose(file);
	}
	usleep(300000);
	refresh_counters();

	return read_number("/proc/meminfo", "MemFree:") / (sysconf(_SC_PAGESIZE) / 1024);
}

/* Pages that are gone since before, for each buffer. */
static long gone(void)
{
	long pages = (before - free_pages()) / BUFFERS;

	ktap_note("%ld pages for each buffer", pages);

	return pages;
}

static enum ktap_result keep(void *context)
{
	FILE *file = fopen(FILE_NAME, "we");

	(void)context;
	if (!file || fprintf(file, "%ld\n", free_pages()) < 0 || fclose(file))
		return ktap_fail("%s: %s", FILE_NAME, strerror(errno));

	return KTAP_OK;
}

static enum ktap_result holds_enough(void *context)
{
	(void)context;

	return gone() >= 96 - SLACK ? KTAP_OK : ktap_fail("fewer than 96");
}

static enum ktap_result holds_no_more(void *context)
{
	(void)context;

	return gone() <= 96 + SLACK ? KTAP_OK : ktap_fail("more than 96");
}

static enum ktap_result all_back(void *context)
{
	long pages = gone();

	(void)context;

	return pages <= SLACK ? KTAP_OK : ktap_fail("not all is back");
}

/* Of each buffer more has come back than its first page. */
static enum ktap_result some_back(void *context)
{
	(void)context;

	return gone() < 64 ? KTAP_OK : ktap_fail("nearly nothing is back");
}

int main(int argc, char **argv)
{
	static const struct ktap_test first[] = { { "kept", keep } };
	static const struct ktap_test held[] = {
		{ "holds-enough", holds_enough },
		{ "holds-no-more", holds_no_more },
	};
	static const struct ktap_test after[] = {
		{ "all-back", all_back },
		{ "some-back", some_back },
	};
	FILE *file = fopen(FILE_NAME, "re");

	if (file && fscanf(file, "%ld", &before) != 1)
		before = 0;
	if (argc == 2 && !strcmp(argv[1], "before"))
		return ktap_run(first, 1, NULL) ? 1 : 0;
	if (argc == 2 && !strcmp(argv[1], "held"))
		return ktap_run(held, 2, NULL) ? 1 : 0;
	if (argc == 2 && !strcmp(argv[1], "after"))
		return ktap_run(after, 2, NULL) ? 1 : 0;
	fprintf(stderr, "usage: ninety_six_test before|held|after\n");
	return 2;
}
