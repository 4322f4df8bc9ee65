// SPDX-License-Identifier: GPL-2.0-only
/*
 * where_memory_is [--limit MIB]
 *
 * Asks four witnesses where this board's RAM is, and compares what they say: the
 * device tree, /proc/iomem, the zones, and memblock. Reports in KTAP. Exit
 * status: 0 when no test failed, 1 when one did.
 *
 * --limit: the kernel was told to use no more than this (mem=).
 */

/* #region where-includes */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "memory_files.h"
/* #endregion where-includes */

/* #region where-types */
#define TREE "/proc/device-tree"
#define MEMBLOCK "/sys/kernel/debug/memblock/"

struct range {
	uint64_t start, end;	/* first byte, first byte behind */
};

/* What all tests look at; read once. */
struct witnesses {
	struct iomem iomem[MAX_IOMEM];
	int lines;
	struct zone zones[MAX_ZONES];
	int zone_count;
	struct range banks[16];
	int bank_count;
	uint64_t limit;		/* bytes, 0 for none */
};

/* #endregion where-types */

/* #region where-cells */
/* A cell of the device tree: 32 bits, highest byte first. */
static uint64_t cells(const unsigned char *bytes, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count * 4; i++)
		value = value << 8 | bytes[i];

	return value;
}

/* #endregion where-cells */

/* #region where-property */
/* Return: how many bytes of the property were read. */
static int read_property(const char *node, const char *name, unsigned char *bytes, int max)
{
	char path[512];
	int fd, got;

	snprintf(path, sizeof(path), TREE "/%s/%s", node, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? 0 : read(fd, bytes, max);
	if (fd >= 0)
		close(fd);

	return got < 0 ? 0 : got;
}

/* #endregion where-property */

/* #region where-banks */
/* The banks that one memory node names: pairs of address and size. */
static void read_banks(struct witnesses *w, const char *node)
{
	unsigned char reg[256], count[4];
	int address_cells, size_cells, step, length;

	read_property("", "#address-cells", count, 4);
	address_cells = cells(count, 1);
	read_property("", "#size-cells", count, 4);
	size_cells = cells(count, 1);
	step = 4 * (address_cells + size_cells);
	length = read_property(node, "reg", reg, sizeof(reg));
	for (int at = 0; at + step <= length && w->bank_count < 16; at += step) {
		struct range *bank = &w->banks[w->bank_count++];

		bank->start = cells(reg + at, address_cells);
		bank->end = bank->start + cells(reg + at + 4 * address_cells, size_cells);
	}
}

/* #endregion where-banks */

/* #region where-tree */
static void read_tree(struct witnesses *w)
{
	DIR *root = opendir(TREE);
	struct dirent *entry;
	unsigned char type[16];

	while (root && (entry = readdir(root))) {
		int length = read_property(entry->d_name, "device_type", type, sizeof(type));

		if (length == sizeof("memory") && !memcmp(type, "memory", length))
			read_banks(w, entry->d_name);
	}
	if (root)
		closedir(root);
}

/* #endregion where-tree */

/* #region where-ram */
/* RAM, as a top-level line shows it: used by the kernel, or set aside (no-map). */
static bool is_ram(const struct iomem *line)
{
	return line->depth == 0 &&
	       (!strcmp(line->name, "System RAM") || !strcmp(line->name, "reserved"));
}

static uint64_t ram_bytes(const struct witnesses *w)
{
	uint64_t bytes = 0;

	for (int i = 0; i < w->lines; i++) {
		if (is_ram(&w->iomem[i]))
			bytes += w->iomem[i].end - w->iomem[i].start + 1;
	}

	return bytes;
}

/* The RAM line that holds this byte; NULL when none does. */
static const struct iomem *ram_line(const struct witnesses *w, uint64_t address)
{
	for (int i = 0; i < w->lines; i++) {
		const struct iomem *line = &w->iomem[i];

		if (is_ram(line) && address >= line->start && address <= line->end)
			return line;
	}

	return NULL;
}

/* #endregion where-ram */

/* #region test-tree-is-ram */
/* Lines of /proc/iomem follow each other through every bank of the tree. */
static enum ktap_result test_tree_is_ram(void *context)
{
	const struct witnesses *w = context;
	uint64_t told = 0, left = w->limit ? w->limit : UINT64_MAX;

	if (!w->bank_count)
		return ktap_fail("no memory node with a reg in %s", TREE);
	for (int i = 0; i < w->bank_count; i++) {
		uint64_t at = w->banks[i].start, size = w->banks[i].end - at;
		uint64_t end = at + (size < left ? size : left);

		ktap_note("bank %#llx-%#llx", (unsigned long long)at,
			  (unsigned long long)w->banks[i].end - 1);
		for (const struct iomem *line; at < end; at = line->end + 1) {
			line = ram_line(w, at);
			if (!line || line->start != at)
				return ktap_fail("no line begins at %#llx", (unsigned long long)at);
		}
		if (at != end)
			return ktap_fail("a line goes on behind %#llx", (unsigned long long)end);
		told += end - w->banks[i].start;
		left -= end - w->banks[i].start;
	}
	if (told != ram_bytes(w))
		return ktap_fail("the tree has %llu bytes, /proc/iomem %llu",
				 (unsigned long long)told, (unsigned long long)ram_bytes(w));

	return KTAP_OK;
}

/* #endregion test-tree-is-ram */

/* #region test-kernel-image */
/* Kernel code lies before Kernel data, both inside one line of System RAM. */
static enum ktap_result test_kernel_image(void *context)
{
	const struct witnesses *w = context;
	const struct iomem *code = NULL, *data = NULL, *outer;

	for (int i = 0; i < w->lines; i++) {
		if (!strcmp(w->iomem[i].name, "Kernel code"))
			code = &w->iomem[i];
		if (!strcmp(w->iomem[i].name, "Kernel data"))
			data = &w->iomem[i];
	}
	if (!code || !data || code->depth != 1 || data->depth != 1)
		return ktap_fail("no Kernel code and Kernel data below a System RAM");
	outer = ram_line(w, code->start);
	if (!outer || strcmp(outer->name, "System RAM") || data->end > outer->end)
		return ktap_fail("the image leaves its RAM");

	return code->end < data->start ? KTAP_OK : ktap_fail("data lies before code");
}

/* #endregion test-kernel-image */

/* #region test-zones-tile */
/* Zones do not overlap, lie in RAM at both ends, and have all of it. */
static enum ktap_result test_zones_tile(void *context)
{
	const struct witnesses *w = context;
	uint64_t page = sysconf(_SC_PAGESIZE), behind = 0, present = 0;

	for (int i = 0; i < w->zone_count; i++) {
		const struct zone *zone = &w->zones[i];
		uint64_t start = zone->start_pfn * page, end = start + zone->spanned * page;

		ktap_note("zone %s %#llx-%#llx", zone->name, (unsigned long long)start,
			  (unsigned long long)end - 1);
		if (start < behind)
			return ktap_fail("zone %s begins inside the one before", zone->name);
		if (!ram_line(w, start) || !ram_line(w, end - 1))
			return ktap_fail("zone %s leaves RAM", zone->name);
		if (!strncmp(zone->name, "DMA", 3) && end > 1ULL << 32)
			return ktap_fail("zone %s is beyond 32 bits", zone->name);
		behind = end;
		present += zone->present * page;
	}
	if (present != ram_bytes(w))
		return ktap_fail("zones have %llu bytes, /proc/iomem %llu",
				 (unsigned long long)present, (unsigned long long)ram_bytes(w));

	return KTAP_OK;
}

/* #endregion test-zones-tile */

/* #region test-managed-is-memtotal */
/* MemTotal is what the page allocator has, so less than there is. */
static enum ktap_result test_managed_is_memtotal(void *context)
{
	const struct witnesses *w = context;
	long total = read_number("/proc/meminfo", "MemTotal:");
	long pages = 0;

	for (int i = 0; i < w->zone_count; i++) {
		const struct zone *zone = &w->zones[i];

		if (zone->managed > zone->present || zone->present > zone->spanned)
			return ktap_fail("zone %s: managed %lu of %lu of %lu", zone->name,
					 zone->managed, zone->present, zone->spanned);
		pages += zone->managed;
	}
	if (pages * (sysconf(_SC_PAGESIZE) >> 10) != total)
		return ktap_fail("MemTotal is %ld kB, the zones have %ld pages", total, pages);

	return KTAP_OK;
}

/* #endregion test-managed-is-memtotal */

/* #region where-as-nobody */
/* Do something as a child without rights. Return: what it answered, 0 … 255. */
static int as_nobody(int (*work)(void *context), void *context)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(255);
		_exit(work(context));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 255;

	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* #endregion where-as-nobody */

/* #region test-nobody-sees-zeros */
/* Return: 0 when there are the same lines with no address in any. */
static int look_at_zeros(void *context)
{
	static struct iomem lines[MAX_IOMEM];
	const struct witnesses *w = context;
	int count = read_iomem(lines);

	for (int i = 0; i < count; i++) {
		if (lines[i].start || lines[i].end || strcmp(lines[i].name, w->iomem[i].name))
			return 1;
	}

	return count == w->lines ? 0 : 2;
}

static enum ktap_result test_nobody_sees_zeros(void *context)
{
	static const char * const wrong[] = { "", "an address was shown", "lines are missing" };
	int answer = as_nobody(look_at_zeros, context);

	if (answer)
		return ktap_fail("%s", answer < 3 ? wrong[answer] : "the child failed");

	return KTAP_OK;
}

/* #endregion test-nobody-sees-zeros */

/* #region where-own-page */
/* The page frame behind an address of this program; 0 when it is not told. */
static uint64_t frame_of(const void *address)
{
	uintptr_t page = (uintptr_t)address / sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, sizeof(entry), page * sizeof(entry)) != sizeof(entry))
		entry = 0;
	if (fd >= 0)
		close(fd);

	/* Bit 63: present. Bits 0 … 54: the frame. */
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

static int frame_as_nobody(void *page)
{
	return frame_of(page) != 0;
}

/* #endregion where-own-page */

/* #region test-own-page */
/* A page of this program is RAM, in a zone; where, is told to root only. */
static enum ktap_result test_own_page(void *context)
{
	const struct witnesses *w = context;
	size_t size = sysconf(_SC_PAGESIZE);
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct iomem *line;
	const char *zone = NULL;
	uint64_t frame;

	if (page == MAP_FAILED || frame_of(page))
		return ktap_fail("an untouched page has a frame");
	*page = 1;
	frame = frame_of(page);
	line = ram_line(w, frame * size);
	for (int i = 0; i < w->zone_count; i++) {
		if (frame - w->zones[i].start_pfn < w->zones[i].spanned)
			zone = w->zones[i].name;
	}
	if (!frame || !line || strcmp(line->name, "System RAM") || !zone)
		return ktap_fail("frame %#llx is in no RAM or no zone", (unsigned long long)frame);
	if (as_nobody(frame_as_nobody, page))
		return ktap_fail("the frame was told to a user without rights");

	ktap_note("page %#llx of zone %s", (unsigned long long)frame, zone);
	return munmap(page, size) ? KTAP_FAIL : KTAP_OK;
}

/* #endregion test-own-page */

/* #region where-memblock */
/* Regions of memblock as debugfs shows them; -1 when it does not. */
static int read_memblock(const char *list, struct range *ranges, int max)
{
	char path[64], line[128];
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), MEMBLOCK "%s", list);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (count < max && fgets(line, sizeof(line), file)) {
		unsigned long long first, last;

		if (sscanf(line, " %*d: %llx..%llx", &first, &last) != 2)
			continue;
		ranges[count].start = first;
		ranges[count++].end = last + 1;
	}
	fclose(file);

	return count;
}

/* #endregion where-memblock */

/* #region test-memblock-memory */
/* Each region of memblock.memory is one line of /proc/iomem, and the reverse. */
static enum ktap_result test_memblock_memory(void *context)
{
	const struct witnesses *w = context;
	struct range regions[64];
	int count = read_memblock("memory", regions, 64), lines = 0;

	if (count < 0)
		return ktap_skip("no %smemory: %s", MEMBLOCK, strerror(errno));
	for (int i = 0; i < count; i++) {
		const struct iomem *line = ram_line(w, regions[i].start);

		if (!line || line->start != regions[i].start || line->end + 1 != regions[i].end)
			return ktap_fail("region %#llx-%#llx is no line of /proc/iomem",
					 (unsigned long long)regions[i].start,
					 (unsigned long long)regions[i].end - 1);
	}
	for (int i = 0; i < w->lines; i++)
		lines += is_ram(&w->iomem[i]);

	return lines == count ? KTAP_OK : ktap_fail("%d lines, %d regions", lines, count);
}

/* #endregion test-memblock-memory */

/* #region test-memblock-reserved */
/* Every byte of memblock.reserved stands below a System RAM under some name. */
static enum ktap_result test_memblock_reserved(void *context)
{
	const struct witnesses *w = context;
	struct range regions[256];
	int count = read_memblock("reserved", regions, 256);

	if (count < 0)
		return ktap_skip("no %sreserved: %s", MEMBLOCK, strerror(errno));
	for (int i = 0; i < count; i++) {
		uint64_t at = regions[i].start;

		for (int k = 0; k < w->lines && at < regions[i].end; k++) {
			const struct iomem *line = &w->iomem[k];

			if (line->depth == 1 && at >= line->start && at <= line->end)
				at = line->end + 1;
		}
		if (at < regions[i].end)
			return ktap_fail("reserved byte %#llx has no name", (unsigned long long)at);
	}

	ktap_note("%d reserved regions", count);
	return count > 0 ? KTAP_OK : ktap_fail("nothing is reserved, not even the kernel");
}

/* #endregion test-memblock-reserved */

/* #region where-main */
static const struct ktap_test tests[] = {
	{ "tree-is-ram", test_tree_is_ram },
	{ "kernel-image", test_kernel_image },
	{ "zones-tile", test_zones_tile },
	{ "managed-is-memtotal", test_managed_is_memtotal },
	{ "nobody-sees-zeros", test_nobody_sees_zeros },
	{ "own-page", test_own_page },
	{ "memblock-memory", test_memblock_memory },
	{ "memblock-reserved", test_memblock_reserved },
};

int main(int argc, char **argv)
{
	static struct witnesses w;

	if (argc == 3 && !strcmp(argv[1], "--limit"))
		w.limit = strtoull(argv[2], NULL, 10) << 20;
	else if (argc != 1)
		return fprintf(stderr, "usage: %s [--limit MIB]\n", argv[0]), 2;
	w.lines = read_iomem(w.iomem);
	w.zone_count = read_zones(w.zones);
	read_tree(&w);

	return ktap_run(tests, sizeof(tests) / sizeof(*tests), &w) ? 1 : 0;
}

/* #endregion where-main */
