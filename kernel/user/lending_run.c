// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the programs that try stream_dma begin: their command line, and a fresh
 * file for each test. See lending.h.
 */

/* #region lending-usage */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lending.h"

static bool usage(const char *program)
{
	fprintf(stderr, "%s: expected --way direct|bounced|forced|iommu|none, %s\n", program,
		"perhaps --bits N, --line, --area START,BYTES, and a device");
	return false;
}

static bool is_way(struct lending *l, const char *word)
{
	static const char *const ways[] = { "direct", "bounced", "iommu", "none" };

	l->forced = !strcmp(word, "forced");
	if (l->forced)
		word = "bounced";
	for (int i = 0; i < 4; i++) {
		l->way = i;
		if (!strcmp(word, ways[i]))
			return true;
	}

	return false;
}

/* An option that has a value. */
static bool is_option(struct lending *l, const char *option, const char *value)
{
	char *end = NULL;

	if (!value)
		return false;
	if (!strcmp(option, "--way"))
		return is_way(l, value);
	if (!strcmp(option, "--bits")) {
		l->bits = strtoul(value, &end, 10);
		return !*end && l->bits >= 12 && l->bits <= 64;
	}
	if (strcmp(option, "--area"))
		return false;
	l->area_start = strtoull(value, &end, 0);
	if (*end != ',')
		return false;
	l->area_bytes = strtoull(end + 1, &end, 0);

	return !*end && l->area_bytes;
}

bool lending_arguments(struct lending *l, int argc, char **argv)
{
	*l = (struct lending) { .fd = -1, .bits = 28, .way = WAY_UNSAID };
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--line"))
			l->line = true;
		else if (is_option(l, argv[i], argv[i + 1]))
			i++;
		else if (argv[i][0] != '-' && !l->path)
			l->path = argv[i];
		else
			return usage(argv[0]);
	}

	if (l->way == WAY_UNSAID || !l->path)
		return usage(argv[0]);
	if (!access(l->path, R_OK | W_OK))
		return true;
	fprintf(stderr, "%s: %s; is the module loaded?\n", l->path, strerror(errno));

	return false;
}

static const struct ktap_test *cases;
static size_t next;	/* of them */

/* Each case with a file of its own: what one leaves lent is no harm to the next. */
static enum ktap_result run_fresh(void *lending)
{
	const struct ktap_test *test = &cases[next++];
	struct lending *l = lending;

	if (l->fd >= 0)
		close(l->fd);
	l->fd = lending_open(l);

	return l->fd < 0 ? KTAP_FAIL : test->run(l);
}

int lending_run(struct lending *l, const struct ktap_test *tests, size_t count)
{
	struct ktap_test fresh[count];

	cases = tests;
	for (size_t i = 0; i < count; i++)
		fresh[i] = (struct ktap_test) { tests[i].name, run_fresh };

	return ktap_run(fresh, count, l) ? 1 : 0;
}

/* #endregion lending-usage */
