// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the fuzzer writes, and what it may read. Every word says whose it is and
 * where it belongs:
 *
 *	63      48 47        24 23         0
 *	| 0xc047 |    group    | offset / 8 |
 *
 * So a word of another file's buffer, one of the right buffer at a wrong place,
 * and one that no program ever wrote are told apart from what is right: zero, or
 * the word that belongs there.
 */

/* #region fuzz-contents-includes */
#include <stdarg.h>
#include <stdio.h>

#include "fuzz.h"

#define MAGIC	0xc047ULL
/* #endregion fuzz-contents-includes */

/* #region fuzz-word */
uint64_t fuzz_word(uint32_t group, size_t offset)
{
	return MAGIC << 48 | (uint64_t)group << 24 | (offset / sizeof(uint64_t));
}

static bool word_fits(enum fuzz_rule rule, uint32_t group, size_t offset, uint64_t word)
{
	if (!word || rule == FUZZ_NOTHING)
		return true;
	if (word >> 48 != MAGIC)
		return false;
	if (rule == FUZZ_WRITTEN)
		return true;
	if ((word & 0xffffff) != offset / sizeof(uint64_t))
		return false;
	return rule == FUZZ_PLACED || (word >> 24 & 0xffffff) == group;
}

/* #endregion fuzz-word */

/* #region fuzz-judge */
void fuzz_judge(struct fuzz_worker *w, uint32_t group, size_t offset, uint64_t word,
		const char *how)
{
	/* The groups are its parent's to change: a child cannot know. */
	if (w->child && group != FUZZ_SHARED)
		return;
	if (!word_fits(w->run->device->rule, group, offset, word))
		fuzz_wrong(w, "%s: %#llx at offset %#zx, which belongs to group %#x", how,
			   (unsigned long long)word, offset, group);
}

void fuzz_wrong(struct fuzz_worker *w, const char *format, ...)
{
	char line[256];
	va_list args;
	int length;

	/* The first few say it all; one write each, for processes print at once. */
	if (__atomic_fetch_add(&w->run->tally->wrong, 1, __ATOMIC_RELAXED) >= 10)
		return;
	length = snprintf(line, sizeof(line), "# wrong: worker %d%s: ", w->index,
			  w->child ? "'s child" : "");
	va_start(args, format);
	length += vsnprintf(line + length, sizeof(line) - length, format, args);
	va_end(args);
	printf("%.*s\n", length, line);
	fflush(stdout);
}

/* #endregion fuzz-judge */
