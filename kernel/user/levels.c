// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what the kernel has in use: see levels.h.
 */

/* #region levels-includes */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "levels.h"
/* #endregion levels-includes */

/* #region levels-meminfo */
/* The number behind a key of /proc/meminfo, in KiB. */
static unsigned long long value_of(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long value = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			value = strtoull(line + strlen(key) + 1, NULL, 10);
	if (file)
		fclose(file);

	return value;
}

/* #endregion levels-meminfo */

/* #region levels-write */
static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Where it fails, the levels are less exact, and no test passes for that. */
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* #endregion levels-write */

/* #region levels-vmalloc-line */
/*
 * 0xffffffc008000000-0xffffffc008005000   20480 caller+0x10/0x20 pages=4 vmalloc
 *
 * Threads of the kernel's own come and go, each with a stack.
 */
static unsigned long long bytes_of(const char *line)
{
	static const char * const others[] = { "unpurged", "vm_map_ram", "dup_task_struct",
		"copy_process", "alloc_thread_stack", "kernel_clone" };
	unsigned long long bytes;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strstr(line, others[i]))
			return 0;

	return sscanf(line, "%*s %llu", &bytes) == 1 ? bytes : 0;
}

/* #endregion levels-vmalloc-line */

/* #region levels-vmalloc */
static unsigned long long vmalloc_bytes(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	unsigned long long sum = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		sum += bytes_of(line);
	if (file)
		fclose(file);

	return sum;
}

/* #endregion levels-vmalloc */

/* #region levels-cma */
#define AREAS "/sys/kernel/debug/cma/*"

/* A number in one of an area's files. */
static unsigned long long area_value(const char *area, const char *name)
{
	unsigned long long value = 0;
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", area, name);
	file = fopen(path, "re");
	if (file && fscanf(file, "%llu", &value) != 1)
		value = 0;
	if (file)
		fclose(file);

	return value;
}

/* #endregion levels-cma */

/* #region levels-cma-ask */
static void area_ask(const char *area, const char *name, unsigned long long pages)
{
	char path[256], text[32];

	snprintf(path, sizeof(path), "%s/%s", area, name);
	snprintf(text, sizeof(text), "%llu", pages);
	write_text(path, text);
}

/* #endregion levels-cma-ask */

/* #region levels-cma-chunk */
/*
 * What CmaFree tells is no measure: pages of programs may lie in a CMA area for a
 * while, and freed ones wait in lists of each CPU, uncounted. All of them give way
 * to an allocation: so take the longest stretch that no driver holds, look what is
 * free beside it, and give it back.
 */
static void take_area(struct levels *levels, const char *area)
{
	unsigned long long used = area_value(area, "used");
	unsigned long long chunk = area_value(area, "maxchunk");

	area_ask(area, "alloc", chunk);
	if (area_value(area, "used") == used + chunk) {
		levels->cma_free += chunk;
		area_ask(area, "free", chunk);
	}
	levels->used += used;
}

/* #endregion levels-cma-chunk */

/* #region levels-take */
struct levels levels_take(void)
{
	struct levels levels = {
		.vmalloc = vmalloc_bytes(),
		.unreclaimable = value_of("SUnreclaim"),
	};
	glob_t found;

	if (glob(AREAS, 0, NULL, &found))
		return levels;
	for (size_t i = 0; i < found.gl_pathc; i++)
		take_area(&levels, found.gl_pathv[i]);
	globfree(&found);

	return levels;
}

/* #endregion levels-take */

/* #region levels-settled */
struct levels levels_settled(const struct levels *before)
{
	struct levels now = levels_take();

	for (int i = 0; i < 50; i++) {
		if (now.vmalloc <= before->vmalloc && now.used <= before->used &&
		    now.cma_free >= before->cma_free)
			break;
		usleep(100000);
		now = levels_take();
	}

	return now;
}

/* #endregion levels-settled */
