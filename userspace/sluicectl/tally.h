/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums by a word (an application, a client). Memory is bounded whatever the
 * words are: those that come when TALLY_ROWS are known share a row, so that the
 * total is right all the same.
 */
#ifndef SLUICE_SLUICECTL_TALLY_H
#define SLUICE_SLUICECTL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/str.h"
#include "ipc/usage.h"
#include "store/usage_json.h"

#define TALLY_ROWS (1u << 17)

struct tally_sum {
	uint64_t bytes[USAGE_DIRECTIONS];
	uint64_t packets[USAGE_DIRECTIONS];
	uint64_t flows[USAGE_DIRECTIONS];
};

struct tally_row {
	char word[USAGE_WORD_MAX + 1]; /* "": free */
	char group[32];		       /* of an application; may be "" */
	struct tally_sum sum;
};

/* Lifetime: its user's, tally_init() to tally_free(). */
struct tally {
	struct tally_row *rows; /* open addressing, half full at most */
	size_t size;
	size_t count;
	struct siphash_key secret; /* clients may choose their addresses */
	struct tally_sum total;
	struct tally_sum crowd; /* of words for which there was no room */
	bool crowded;
};

/* 0 or -ENOMEM. */
int tally_init(struct tally *t) __attribute__((warn_unused_result));
void tally_free(struct tally *t);
/* @word of at most USAGE_WORD_MAX bytes, not empty. */
void tally_add(struct tally *t, struct str word, struct str group,
	       const struct usage_line *u);
void tally_sum_add(struct tally_sum *sum, const struct usage_line *u);
static inline uint64_t tally_bytes(const struct tally_sum *sum)
{
	return sum->bytes[USAGE_UP] + sum->bytes[USAGE_DOWN];
}
/* The row of @word, or NULL. */
const struct tally_row *tally_find(const struct tally *t, struct str word);
/* The rows, most bytes first, by word where equal; @t takes no more after it. */
void tally_sort(struct tally *t);

#endif
