// SPDX-License-Identifier: GPL-2.0-only
/*
 * The child of page_watch: it got every page by fork(), never writes to one, and
 * says when asked what they hold and which they are.
 */

/* #region watch-child-includes */
#include <stdlib.h>
#include <unistd.h>

#include "page_watch.h"
/* #endregion watch-child-includes */

/* #region pfns-digest */
/* Another number for any other list: FNV-1a over 64-bit words. */
uint64_t pfns_digest(const uint64_t *pfns, size_t count)
{
	uint64_t digest = 0xcbf29ce484222325;

	for (size_t i = 0; i < count; i++)
		digest = (digest ^ pfns[i]) * 0x100000001b3;

	return digest;
}

/* #endregion pfns-digest */

/* #region child-serve */
static void serve(const struct filled *filled, const struct asked *parent)
{
	char what;

	while (read(parent->from, &what, 1) == 1) {
		uint64_t *pfns = filled_pfns(filled);
		struct seen seen = { .wrong = filled_differs(filled, 1) };

		if (!pfns)
			break;
		seen.digest = pfns_digest(pfns, filled->pages);
		free(pfns);
		if (write(parent->to, &seen, sizeof(seen)) != sizeof(seen))
			break;
	}
	_exit(0);
}

/* #endregion child-serve */

/* #region child-functions */
bool child_start(struct watch *w)
{
	if (!asked_start(&w->child))
		return false;
	if (!w->child.pid)
		serve(&w->filled, &w->child);

	return true;
}

bool child_looks(const struct watch *w, struct seen *seen)
{
	return asked_for(&w->child, '?', seen, sizeof(*seen));
}

/* #endregion child-functions */
