// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay_run: reads calls from a file, a line each, makes them through
 * /dev/replay-*, and says after the last one what each gave.
 *
 *	3 alloc 0 replay-area 1536000 0		->	3 0 address=50000000
 *	4 map 0 0 1536000 0 srw			->	4 0 flags=40444fb prot=... pgoff=0 ...
 *	5 unmap 0				->	5 0
 *	6 free 0				->	6 0
 *
 * The number in front comes back with the answer, and goes to trace_marker
 * before the call, so that events are told apart by call. Nothing is judged
 * here, and nothing printed on the way: to write would take pages. A call upon
 * a buffer or mapping that there is not, because it could not be had, is -9,
 * and one that would take a number twice is -16.
 */

/* #region replay-run-includes */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay.h"

#define MANY 64
#define OUTPUT (4 * 1024 * 1024)

struct mapping {
	void *addr;
	size_t length;
};

static int buffers[MANY];
static struct mapping mappings[MANY];
static struct {
	char name[32];
	int fd;
} devices[MANY];

static char output[OUTPUT];
static size_t printed;
static int marker = -1;

/* A mistake in the file, or a board without our devices: no use going on. */
static void __attribute__((noreturn, format(printf, 1, 2))) stop(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("replay_run: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	exit(2);
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(output + printed, OUTPUT - printed, format, args);
	va_end(args);
	if (length < 0 || printed + length >= OUTPUT)
		stop("more than %d bytes to say", OUTPUT);
	printed += length;
}

/* The first word of a line as the number of a buffer or a mapping. */
static unsigned int number_of(const char *line)
{
	char *end;
	unsigned long number = strtoul(line, &end, 10);

	if (end == line || number >= MANY)
		stop("%s: not a number below %d", line, MANY);

	return number;
}

static int open_device(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		stop("%s: %s", path, strerror(errno));

	return fd;
}

/* A file without a buffer, for calls that concern the device. */
static int device(const char *name)
{
	for (size_t i = 0; i < MANY; i++) {
		if (!devices[i].name[0]) {
			snprintf(devices[i].name, sizeof(devices[i].name), "%s", name);
			devices[i].fd = open_device(name);
		}
		if (!strcmp(devices[i].name, name))
			return devices[i].fd;
	}
	stop("more than %d devices", MANY);
}

static int errno_of(int ret)
{
	return ret < 0 ? -errno : 0;
}

/* #endregion replay-run-includes */

/* #region replay-run-alloc */
static void do_alloc(const char *line)
{
	struct replay_alloc want = { 0 };
	unsigned int buffer;
	char name[32];

	if (sscanf(line, "%u %31s %llu %u", &buffer, name, &want.size, &want.flags) != 4 ||
	    buffer >= MANY)
		stop("alloc %s: not a number, a device, a size and flags", line);
	if (buffers[buffer]) {
		say(" %d", -EBUSY);
		return;
	}
	buffers[buffer] = open_device(name);
	if (ioctl(buffers[buffer], REPLAY_ALLOC, &want) == 0) {
		say(" 0 address=%llx", want.address);
		return;
	}
	say(" %d", -errno);
	close(buffers[buffer]);
	buffers[buffer] = 0;
}

static void do_free(const char *line)
{
	unsigned int buffer = number_of(line);

	say(" %d", buffers[buffer] ? errno_of(close(buffers[buffer])) : -EBADF);
	buffers[buffer] = 0;
}

/* A page that stays when its buffer goes. */
static void do_hold(const char *line)
{
	unsigned int buffer;
	unsigned long page;

	if (sscanf(line, "%u %lu", &buffer, &page) != 2 || buffer >= MANY)
		stop("hold %s: not a number and a page", line);
	say(" %d", buffers[buffer] ? errno_of(ioctl(buffers[buffer], REPLAY_HOLD, page)) : -EBADF);
}

#define SPACE " \t\n"

/* Words of the VmFlags line that /proc/self/smaps has for a mapping. */
static void say_flags(const void *addr)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	bool here = false;
	char line[512];

	if (!file)
		stop("/proc/self/smaps: %s", strerror(errno));
	say(" vmflags=");
	while (fgets(line, sizeof(line), file)) {
		uintptr_t start, end;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) == 2)
			here = start == (uintptr_t)addr;
		if (!here || strncmp(line, "VmFlags:", 8))
			continue;
		for (char *word = strtok(line + 8, SPACE); word; word = strtok(NULL, SPACE))
			say("%s,", word);
	}
	fclose(file);
}

/* The mapping that a call is about; NULL, and answered, when it is not as wanted. */
static struct mapping *mapping_of(const char *line, bool used)
{
	unsigned int number = number_of(line);

	if (!!mappings[number].addr == used)
		return &mappings[number];
	say(" %d", used ? -EBADF : -EBUSY);
	return NULL;
}

static int map_buffer(struct mapping *mapping, int fd, size_t bytes, off_t offset, const char *how)
{
	int prot = (strchr(how, 'r') ? PROT_READ : 0) | (strchr(how, 'w') ? PROT_WRITE : 0);
	int flags = strchr(how, 'p') ? MAP_PRIVATE : MAP_SHARED;
	void *addr = mmap(NULL, bytes, prot, flags, fd, offset);

	if (addr == MAP_FAILED)
		return -errno;
	*mapping = (struct mapping){ .addr = addr, .length = bytes };
	return 0;
}

static void do_map(const char *line)
{
	struct mapping *mapping = mapping_of(line, false);
	unsigned long long bytes, page;
	struct replay_vma vma;
	unsigned int buffer;
	char how[8];
	int ret;

	if (sscanf(line, "%*u %u %llu %llu %7s", &buffer, &bytes, &page, how) != 4 ||
	    buffer >= MANY)
		stop("map %s: not a buffer, a length, a page and s or p, r, w", line);
	if (!mapping)
		return;
	if (!buffers[buffer]) {
		say(" %d", -EBADF);
		return;
	}
	ret = map_buffer(mapping, buffers[buffer], bytes, page * sysconf(_SC_PAGESIZE), how);
	if (ioctl(buffers[buffer], REPLAY_VMA, &vma))
		stop("REPLAY_VMA: %s", strerror(errno));
	say(" %d flags=%llx prot=%llx pgoff=%llx", ret, vma.flags, vma.prot, vma.pgoff);
	if (!ret)
		say_flags(mapping->addr);
}

static void do_unmap(const char *line)
{
	struct mapping *mapping = mapping_of(line, true);

	if (!mapping)
		return;
	say(" %d", errno_of(munmap(mapping->addr, mapping->length)));
	mapping->addr = NULL;
}

/* One page more than there is; moving would be all right. */
static void do_grow(const char *line)
{
	struct mapping *mapping = mapping_of(line, true);
	size_t more;
	void *addr;

	if (!mapping)
		return;
	more = mapping->length + sysconf(_SC_PAGESIZE);
	addr = mremap(mapping->addr, mapping->length, more, MREMAP_MAYMOVE);
	say(" %d", addr == MAP_FAILED ? -errno : 0);
	if (addr != MAP_FAILED)
		*mapping = (struct mapping){ .addr = addr, .length = more };
}

static void do_dontneed(const char *line)
{
	struct mapping *mapping = mapping_of(line, true);

	if (mapping)
		say(" %d", errno_of(madvise(mapping->addr, mapping->length, MADV_DONTNEED)));
}

static void do_lock(const char *line)
{
	struct mapping *mapping = mapping_of(line, true);

	if (mapping)
		say(" %d", errno_of(mlock(mapping->addr, mapping->length)));
}

static void do_fill(const char *line)
{
	struct mapping *mapping = mapping_of(line, true);
	unsigned int byte;

	if (sscanf(line, "%*u %u", &byte) != 1)
		stop("fill %s: no byte", line);
	if (!mapping)
		return;
	memset(mapping->addr, byte, mapping->length);
	say(" 0");
}

/* FNV-1a over the 32-bit words of all pages that are mapped. */
static void do_sum(const char *line)
{
	struct mapping *mapping = mapping_of(line, true);
	size_t page = sysconf(_SC_PAGESIZE), words;
	uint32_t sum = 0x811c9dc5;
	const uint32_t *word;

	if (!mapping)
		return;
	word = mapping->addr;
	words = (mapping->length + page - 1) / page * page / sizeof(*word);
	for (size_t i = 0; i < words; i++)
		sum = (sum ^ word[i]) * 0x01000193;
	say(" 0 sum=%x", sum);
}

static void do_device(const char *line, unsigned int command)
{
	unsigned long arg = 0;
	char name[32];

	if (sscanf(line, "%31s %lu", name, &arg) < 1)
		stop("%s: no device", line);
	say(" %d", errno_of(ioctl(device(name), command, arg)));
}

static void do_mask(const char *line)
{
	do_device(line, REPLAY_MASK);
}

static void do_drop(const char *line)
{
	do_device(line, REPLAY_DROP);
}

static void do_attach(const char *line)
{
	do_device(line, REPLAY_ATTACH);
}

static void do_detach(const char *line)
{
	do_device(line, REPLAY_DETACH);
}

/* Whatever a worker has to do, it does now: the atomic pools grow in one. */
static void do_wait(const char *line)
{
	(void)line;
	usleep(100 * 1000);
	say(" 0");
}

/* Numbers of a /proc file that are named like this. */
static void say_counters(const char *path, const char *prefix)
{
	FILE *file = fopen(path, "re");
	unsigned long long value;
	char name[64], line[128];

	if (!file)
		stop("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, prefix, strlen(prefix)) &&
		    sscanf(line, "%63[^: ]%*[: ]%llu", name, &value) == 2)
			say(" %s=%llx", name, value);
	fclose(file);
}

/* Counters are kept for each CPU; writing stat_refresh adds them up. */
static void do_count(const char *line)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	(void)line;
	if (fd < 0 || write(fd, "1", 1) != 1)
		stop("/proc/sys/vm/stat_refresh: %s", strerror(errno));
	close(fd);
	say(" 0");
	say_counters("/proc/vmstat", "nr_free_cma");
	say_counters("/proc/vmstat", "cma_alloc_");
	say_counters("/proc/meminfo", "CmaTotal");
}

/* #endregion replay-run-alloc */

/* #region replay-run-calls */
static const struct call {
	const char *name;
	void (*make)(const char *line);
} calls[] = {
	{ "alloc", do_alloc },
	{ "free", do_free },
	{ "map", do_map },
	{ "unmap", do_unmap },
	{ "grow", do_grow },
	{ "dontneed", do_dontneed },
	{ "lock", do_lock },
	{ "fill", do_fill },
	{ "sum", do_sum },
	{ "hold", do_hold },
	{ "drop", do_drop },
	{ "mask", do_mask },
	{ "attach", do_attach },
	{ "detach", do_detach },
	{ "wait", do_wait },
	{ "count", do_count },
};

/* The line of one call: its number, its name, its arguments. */
static void make_call(const char *line)
{
	unsigned int number;
	char name[16], mark[32];
	int length, rest = 0;

	if (sscanf(line, "%u %15s %n", &number, name, &rest) != 2 || !rest)
		stop("%s: no number and no call", line);
	length = snprintf(mark, sizeof(mark), "call %u", number);
	if (marker >= 0 && write(marker, mark, length) != length)
		stop("trace_marker: %s", strerror(errno));
	say("%u", number);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (!strcmp(calls[i].name, name)) {
			calls[i].make(line + rest);
			say("\n");
			return;
		}
	}
	stop("%s: there is no call %s", line, name);
}

static char *read_whole(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	char *text;

	if (fd < 0 || fstat(fd, &about))
		stop("%s: %s", path, strerror(errno));
	text = calloc(1, about.st_size + 1);
	if (!text || read(fd, text, about.st_size) != about.st_size)
		stop("%s: cannot be read whole", path);
	close(fd);

	return text;
}

/* #endregion replay-run-calls */

/* #region replay-run-whole */
int main(int argc, char **argv)
{
	char *text, *line;

	if (argc != 2)
		stop("expected the file of calls");
	text = read_whole(argv[1]);
	marker = open("/sys/kernel/tracing/trace_marker", O_WRONLY | O_CLOEXEC);
	/* From here on no page of ours comes or goes, for it might be one of CMA. */
	if (mlockall(MCL_CURRENT))
		stop("mlockall: %s", strerror(errno));
	while ((line = strsep(&text, "\n")) && *line)
		make_call(line);

	return fwrite(output, 1, printed, stdout) == printed ? 0 : 1;
}

/* #endregion replay-run-whole */
