// SPDX-License-Identifier: MIT
//
// The search of a CMA area's bitmap in C, for speed to be measured against: words of 32 bits as in code/lib/bitmap.ts, the same
// sequence of requests as test/bench/bitmap.ts. It prints the nanoseconds that they took and the sum of the places.
//
//     bitmap BITS OPERATIONS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOTS 512

static uint32_t *words;
static unsigned long nbits;

static unsigned long find_next(unsigned long size, unsigned long start, uint32_t flip)
{
	unsigned long word = start >> 5;
	uint32_t bits;

	if (start >= size)
		return size;
	bits = (words[word] ^ flip) & (~0u << (start & 31));
	while (!bits) {
		word++;
		if (word << 5 >= size)
			return size;
		bits = words[word] ^ flip;
	}
	start = (word << 5) + __builtin_ctz(bits);
	return start < size ? start : size;
}

static unsigned long find_area(unsigned long nr, unsigned long mask)
{
	unsigned long start = 0, index, end, taken;

	for (;;) {
		index = (find_next(nbits, start, ~0u) + mask) & ~mask;
		end = index + nr;
		if (end > nbits)
			return end;
		taken = find_next(end, index, 0);
		if (taken >= end)
			return index;
		start = taken + 1;
	}
}

static uint32_t mask_in(unsigned long word, unsigned long start, unsigned long end)
{
	unsigned long first = word << 5;
	unsigned long low = start > first ? start - first : 0;
	unsigned long high = end - first;

	return (high >= 32 ? ~0u : (1u << high) - 1) & (~0u << low);
}

static void change(unsigned long start, unsigned long nr, int set)
{
	unsigned long end = start + nr, word;

	for (word = start >> 5; word << 5 < end; word++) {
		if (set)
			words[word] |= mask_in(word, start, end);
		else
			words[word] &= ~mask_in(word, start, end);
	}
}

static unsigned int state = 1;

static unsigned int next(unsigned int below)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

int main(int argc, char **argv)
{
	static unsigned long at[SLOTS], length[SLOTS];
	unsigned long operations, sum = 0;
	struct timespec from, to;

	if (argc != 3) {
		fprintf(stderr, "usage: bitmap BITS OPERATIONS\n");
		return 2;
	}
	nbits = strtoul(argv[1], NULL, 10);
	operations = strtoul(argv[2], NULL, 10);
	words = calloc((nbits + 31) / 32, sizeof(*words));
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (operations--) {
		unsigned int slot = next(SLOTS);

		if (length[slot]) {
			change(at[slot], length[slot], 0);
			length[slot] = 0;
		} else {
			unsigned long nr = 1 + next(next(8) ? 64 : 1024);
			unsigned long order = nr > 1 ? 32 - __builtin_clz(nr - 1) : 0;
			unsigned long index = find_area(nr, (1UL << (order < 8 ? order : 8)) - 1);

			if (index + nr > nbits)
				continue;
			change(index, nr, 1);
			at[slot] = index;
			length[slot] = nr;
			sum = (sum * 31 + index) % 1000003;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%lld %lu\n", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec, sum);
	return 0;
}
