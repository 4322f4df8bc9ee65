/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KTAP version 1, the part that our programs print.
 *
 * A program is a table of tests; ktap_run() prints the plan, runs them in order
 * and prints one line each. A test says why it failed before its line:
 *
 *	# whole-buffer: mmap of 536870912 bytes: No such device or address
 *	not ok 5 whole-buffer
 *
 * Names are one word, so that a log reader can take them as they are.
 */
/* #region ktap-types */
#ifndef KTAP_H
#define KTAP_H

#include <stddef.h>

enum ktap_result { KTAP_FAIL, KTAP_OK, KTAP_SKIP };

/**
 * struct ktap_test - one line of the report
 * @name: one word with dashes, unique in the program
 * @run: does the work; its argument is what ktap_run() was given
 */
struct ktap_test {
	const char *name;
	enum ktap_result (*run)(void *context);
};

/* Say why and fail, or skip: `return ktap_fail("…", …)`. */
enum ktap_result ktap_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
enum ktap_result ktap_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say something that the reader of the report should see. */
void ktap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Return: the number of tests that failed. */
int ktap_run(const struct ktap_test *tests, size_t count, void *context);

#endif /* KTAP_H */
/* #endregion ktap-types */
