/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share. The first bytes of an input choose how it is
 * used (sizes, options, where it is cut), the rest is what is parsed.
 */
#ifndef SLUICE_TESTS_FUZZ_H
#define SLUICE_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A property that must hold; libFuzzer keeps the input for which it didn't. */
#define FUZZ_CHECK(condition)                                              \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			abort();                                           \
		}                                                          \
	} while (0)

struct fuzz {
	const uint8_t *p;
	size_t len;
	uint32_t seed; /* of the places where the input is cut */
};

/* The input's next byte; 0 past its end. */
static inline uint8_t fuzz_byte(struct fuzz *f)
{
	if (f->len == 0)
		return 0;
	f->len--;
	return *f->p++;
}

/* The input's next line, without its LF. */
static inline struct str fuzz_line(struct fuzz *f)
{
	const uint8_t *start = f->p;
	const uint8_t *lf = f->len > 0 ? memchr(f->p, '\n', f->len) : NULL;
	size_t n = lf != NULL ? (size_t)(lf - start) : f->len;

	f->p += lf != NULL ? n + 1 : n;
	f->len -= lf != NULL ? n + 1 : n;
	return (struct str){(const char *)start, n};
}

static inline struct fuzz fuzz_input(const uint8_t *data, size_t len)
{
	struct fuzz f = {data, len, 0};

	f.seed = 1 + fuzz_byte(&f);
	return f;
}

/*
 * The length of the next piece of an input with @left bytes to go, at least 1.
 * Seed 1 cuts it into single bytes (a long one only at its end, to save time).
 */
static inline size_t fuzz_piece(struct fuzz *f, size_t left)
{
	size_t n;

	if (f->seed == 1)
		return left > 512 ? left - 512 : 1;
	f->seed = f->seed * 1103515245U + 12345U;
	n = 1 + (f->seed >> 16) % 64;
	return n < left ? n : left;
}

/* A copy on the heap whose end AddressSanitizer watches; free() it. */
static inline uint8_t *fuzz_copy(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, p, len);
	return copy;
}

#endif
