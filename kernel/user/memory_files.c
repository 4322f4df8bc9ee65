// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reading of the kernel's memory files: see memory_files.h.
 */

/* #region memory-files-includes */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory_files.h"
/* #endregion memory-files-includes */

/* #region memory-files-keys */
/* Words of /proc/zoneinfo, and where their number goes. */
static const struct {
	const char *word;
	size_t offset;
} zone_keys[] = {
	{ "min", offsetof(struct zone, min) },
	{ "low", offsetof(struct zone, low) },
	{ "high", offsetof(struct zone, high) },
	{ "spanned", offsetof(struct zone, spanned) },
	{ "present", offsetof(struct zone, present) },
	{ "managed", offsetof(struct zone, managed) },
	{ "cma", offsetof(struct zone, cma) },
	{ "nr_free_pages", offsetof(struct zone, free) },
	{ "nr_free_cma", offsetof(struct zone, free_cma) },
	{ "start_pfn:", offsetof(struct zone, start_pfn) },
};

/* #endregion memory-files-keys */

/* #region memory-files-zone-line */
static void read_zone_line(struct zone *zone, const char *line)
{
	unsigned long value;
	char word[32];

	if (sscanf(line, " %31[a-z_:] %lu", word, &value) != 2)
		return;
	for (size_t i = 0; i < sizeof(zone_keys) / sizeof(*zone_keys); i++) {
		if (!strcmp(word, zone_keys[i].word))
			*(unsigned long *)((char *)zone + zone_keys[i].offset) = value;
	}
}

/* #endregion memory-files-zone-line */

/* #region memory-files-zones */
int read_zones(struct zone zones[MAX_ZONES])
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	struct zone *zone = NULL;
	char line[256], name[16];
	int count = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %*d, zone %15s", name) == 1) {
			/* The place of a zone without pages is used again. */
			if (zone && zone->present)
				count++;
			if (count == MAX_ZONES)
				break;
			zone = memset(&zones[count], 0, sizeof(*zone));
			snprintf(zone->name, sizeof(zone->name), "%s", name);
		} else if (zone) {
			read_zone_line(zone, line);
		}
	}
	if (file)
		fclose(file);

	return count + (zone && count < MAX_ZONES && zone->present);
}

/* #endregion memory-files-zones */

/* #region memory-files-row */
/* A row of numbers. Return: how many; `>100000` counts as 100001. */
static int read_row(const char *text, unsigned long *numbers, int max)
{
	int count = 0;

	while (count < max) {
		char *end;

		text += strspn(text, " ");
		if (*text == '>') {
			numbers[count++] = 100001;
			text += strcspn(text, "\n ");
			continue;
		}
		numbers[count] = strtoul(text, &end, 10);
		if (end == text)
			break;
		text = end;
		count++;
	}

	return count;
}

/* #endregion memory-files-row */

/* #region memory-files-buddyinfo */
int read_buddyinfo(const char *zone, unsigned long free[MAX_ORDERS])
{
	FILE *file = fopen("/proc/buddyinfo", "re");
	char line[256], name[16];
	int orders = 0, at;

	while (file && !orders && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %*d, zone %15s%n", name, &at) == 1 && !strcmp(name, zone))
			orders = read_row(line + at, free, MAX_ORDERS);
	}
	if (file)
		fclose(file);

	return orders;
}

/* #endregion memory-files-buddyinfo */

/* #region memory-files-read-types-lines */
/* Node    0, zone      DMA, type    Unmovable      1      0 … */
static void read_free_row(struct page_types *t, const char *zone, const char *line)
{
	char name[16], type[16];
	int at;

	if (sscanf(line, "Node %*d, zone %15[^,], type %15s%n", name, type, &at) != 2)
		return;
	if (strcmp(name, zone) || t->types == MAX_TYPES)
		return;
	snprintf(t->name[t->types], sizeof(type), "%s", type);
	t->orders = read_row(line + at, t->free[t->types++], MAX_ORDERS);
}

/* Node 0, zone      DMA           12          207 …: a number for each type. */
static void read_blocks_row(struct page_types *t, const char *zone, const char *line)
{
	char name[16];
	int at;

	if (sscanf(line, "Node %*d, zone %15[^, ]%n", name, &at) == 1 && !strcmp(name, zone))
		read_row(line + at, t->blocks, MAX_TYPES);
}

/* #endregion memory-files-read-types-lines */

/* #region memory-files-read-types */
bool read_page_types(const char *zone, struct page_types *types)
{
	FILE *file = fopen("/proc/pagetypeinfo", "re");
	bool blocks = false;
	char line[512];

	memset(types, 0, sizeof(*types));
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Page block order: %d", &types->block_order) == 1)
			continue;
		if (!strncmp(line, "Number of blocks", 16))
			blocks = true;
		else if (blocks)
			read_blocks_row(types, zone, line);
		else
			read_free_row(types, zone, line);
	}
	if (file)
		fclose(file);

	return types->types > 0;
}

int type_of(const struct page_types *types, const char *name)
{
	for (int i = 0; i < types->types; i++) {
		if (!strcmp(types->name[i], name))
			return i;
	}

	return -1;
}

/* #endregion memory-files-read-types */

/* #region memory-files-iomem-lines */
int read_iomem(struct iomem lines[MAX_IOMEM])
{
	FILE *file = fopen("/proc/iomem", "re");
	char line[256];
	int count = 0;

	while (file && count < MAX_IOMEM && fgets(line, sizeof(line), file)) {
		unsigned long long start, end;
		struct iomem *entry = &lines[count];

		if (sscanf(line, " %llx-%llx : %63[^\n]", &start, &end, entry->name) != 3)
			continue;
		entry->depth = strspn(line, " ") / 2;
		entry->start = start;
		entry->end = end;
		count++;
	}
	if (file)
		fclose(file);

	return count;
}

/* #endregion memory-files-iomem-lines */

/* #region memory-files-number */
long read_number(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(key);
	long value = -1;
	char line[256];

	while (file && value < 0 && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, key, length) && strchr(" \t", line[length]))
			value = strtol(line + length, NULL, 10);
	}
	if (file)
		fclose(file);

	return value;
}

bool refresh_counters(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, "1", 1) == 1;

	if (fd >= 0)
		close(fd);

	return done;
}

/* #endregion memory-files-number */
