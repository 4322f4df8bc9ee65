// SPDX-License-Identifier: GPL-2.0-only
/*
 * what_changed
 *
 * Looks at the places where Linux 6.1 and 6.12 show the same thing differently,
 * and expects what the running one has. Reports in KTAP. Exit status: 0 when no
 * test failed, 1 when one did, 2 on another kernel.
 */

/* #region changed-includes */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"
/* #endregion changed-includes */

/* #region changed-types */
#define EVENTS "/sys/kernel/tracing/events/"

/* Which release a line belongs to. */
enum release { V6_1, V6_12, BOTH };

/* A file, and words that stand in it from some release on, or up to one. */
struct place {
	const char *file;
	const char *words;	/* NULL: that there is such a file */
	enum release in;
};

static enum release running;

/* #endregion changed-types */

/* #region changed-stands */
/* Whether one line of the file has the words. */
static bool stands(const char *path, const char *words)
{
	FILE *file = fopen(path, "re");
	bool found = file && !words;
	char line[1024];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, words);
	if (file)
		fclose(file);

	return found;
}

/* Of each place up to the one without a file. */
static enum ktap_result check(const struct place *p)
{
	for (; p->file; p++) {
		bool expected = p->in == BOTH || p->in == running;

		if (stands(p->file, p->words) != expected)
			return ktap_fail("%s: \"%s\" is %s there", p->file, p->words ?: "the file",
					 expected ? "not" : "already");
	}

	return KTAP_OK;
}

/* #endregion changed-stands */

/* #region test-trace-fields */
/* An event gets new fields, not always at its end; the old ones keep their names. */
static enum ktap_result test_trace_fields(void *context)
{
	static const struct place places[] = {
		{ EVENTS "cma/cma_alloc_start/format", "int align", BOTH },
		{ EVENTS "cma/cma_alloc_finish/format", "int align", BOTH },
		{ EVENTS "cma/cma_alloc_finish/format", "int errorno", V6_12 },
		{ EVENTS "migrate/mm_migrate_pages/format", "thp_split", BOTH },
		{ EVENTS "migrate/mm_migrate_pages/format", "large_folio_split", V6_12 },
		{ EVENTS "page_isolation/test_pages_isolated/format", "fin_pfn", BOTH },
		{ EVENTS "kmem/mm_alloc_contig_migrate_range_info/format", NULL, V6_12 },
		{ EVENTS "dma/dma_alloc/format", NULL, V6_12 },
		{ EVENTS "dma/dma_map_page/format", NULL, V6_12 },
		{ .file = NULL },
	};

	(void)context;
	return check(places);
}

/* #endregion test-trace-fields */

/* #region test-changed-counters */
static enum ktap_result test_counters(void *context)
{
	static const struct place places[] = {
		{ "/proc/vmstat", "cma_alloc_success ", BOTH },
		{ "/proc/vmstat", "cma_alloc_fail ", BOTH },
		{ "/proc/vmstat", "nr_free_cma ", BOTH },
		{ "/proc/zoneinfo", "        boost ", BOTH },
		{ "/proc/zoneinfo", "        promo ", V6_12 },
		{ "/proc/meminfo", "CmaTotal: ", BOTH },
		{ .file = NULL },
	};

	(void)context;
	return check(places);
}

/* #endregion test-changed-counters */

/* #region test-memblock-flags */
/* 6.12 says of a region what it is: NONE, NOMAP, …; 6.1 gives its bounds alone. */
static enum ktap_result test_memblock_flags(void *context)
{
	static const struct place places[] = {
		{ "/sys/kernel/debug/memblock/memory", "0x0000000070000000..0x000000007fffffff",
		  BOTH },
		{ "/sys/kernel/debug/memblock/memory", " NONE", V6_12 },
		{ "/sys/kernel/debug/memblock/memory", " NOMAP", V6_12 },
		{ .file = NULL },
	};

	(void)context;
	return check(places);
}

/* #endregion test-memblock-flags */

/* #region test-misc-minor */
/* Dynamic minors: 127 and down on 6.1, 256 and up on 6.12. */
static enum ktap_result test_misc_minor(void *context)
{
	FILE *file = fopen("/proc/misc", "re");
	int minor = -1, number;
	char name[64];

	(void)context;
	while (file && minor < 0 && fscanf(file, "%d %63s", &number, name) == 2) {
		if (!strcmp(name, "reserved-memremap"))
			minor = number;
	}
	if (file)
		fclose(file);
	ktap_note("reserved-memremap has minor %d", minor);
	if (minor < 0 || (running == V6_1 ? minor > 127 : minor < 256))
		return ktap_fail("minor %d", minor);

	return KTAP_OK;
}

/* #endregion test-misc-minor */

/* #region test-image-head */
/* The head of the image: 6.1 leaves its 64 KiB out of Kernel code, 6.12 does not. */
static enum ktap_result test_image_head(void *context)
{
	static struct iomem lines[MAX_IOMEM];
	int count = read_iomem(lines);

	(void)context;
	for (int i = 0; i < count; i++) {
		unsigned long long start = lines[i].start;

		if (strcmp(lines[i].name, "Kernel code"))
			continue;
		ktap_note("Kernel code begins at %#llx", start);
		if (start % (2 << 20) != (running == V6_1 ? 0x10000 : 0))
			return ktap_fail("not where it should");
		return KTAP_OK;
	}

	return ktap_fail("no Kernel code in /proc/iomem");
}

/* #endregion test-image-head */

/* #region changed-main */
static const struct ktap_test tests[] = {
	{ "trace-fields", test_trace_fields },
	{ "counters", test_counters },
	{ "memblock-flags", test_memblock_flags },
	{ "misc-minor", test_misc_minor },
	{ "image-head", test_image_head },
};

int main(void)
{
	struct utsname name;

	if (uname(&name))
		return 2;
	if (!strncmp(name.release, "6.1.", 4))
		running = V6_1;
	else if (!strncmp(name.release, "6.12.", 5))
		running = V6_12;
	else
		return fprintf(stderr, "%s: neither 6.1 nor 6.12\n", name.release), 2;
	if (mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL) && errno != EBUSY)
		return fprintf(stderr, "tracefs: %s\n", strerror(errno)), 2;

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), NULL) ? 1 : 0;
}

/* #endregion changed-main */
