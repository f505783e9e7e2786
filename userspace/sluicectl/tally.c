// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SIZE 1024 /* a power of two */

int tally_init(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	if (getrandom(&t->secret, sizeof(t->secret), 0) == -1)
		return -errno;
	t->rows = calloc(FIRST_SIZE, sizeof(*t->rows));
	t->size = FIRST_SIZE;
	return t->rows != NULL ? 0 : -ENOMEM;
}

void tally_free(struct tally *t)
{
	free(t->rows);
	t->rows = NULL;
}

/* Where @word is, or would be. */
static struct tally_row *place_of(const struct tally *t, struct str word)
{
	size_t i = siphash(&t->secret, word.p, word.len) & (t->size - 1);

	while (t->rows[i].word[0] != '\0' &&
	       (memcmp(t->rows[i].word, word.p, word.len) != 0 ||
		t->rows[i].word[word.len] != '\0'))
		i = (i + 1) & (t->size - 1);
	return &t->rows[i];
}

/* False without memory, or when there are enough. */
static bool grow(struct tally *t)
{
	struct tally old = *t;

	if (t->count >= TALLY_ROWS)
		return false;
	t->rows = calloc(old.size * 2, sizeof(*t->rows));
	if (t->rows == NULL) {
		t->rows = old.rows;
		return false;
	}
	t->size = old.size * 2;
	for (size_t i = 0; i < old.size; i++)
		if (old.rows[i].word[0] != '\0')
			*place_of(t, str_of(old.rows[i].word)) = old.rows[i];
	free(old.rows);
	return true;
}

void tally_sum_add(struct tally_sum *sum, const struct usage_line *u)
{
	sum->bytes[u->direction] += u->bytes;
	sum->packets[u->direction] += u->packets;
	sum->flows[u->direction] += u->flows;
}

void tally_add(struct tally *t, struct str word, struct str group,
	       const struct usage_line *u)
{
	struct tally_row *row = place_of(t, word);

	tally_sum_add(&t->total, u);
	if (row->word[0] == '\0' && t->count >= t->size / 2) {
		if (!grow(t)) {
			t->crowded = true;
			tally_sum_add(&t->crowd, u);
			return;
		}
		row = place_of(t, word);
	}
	if (row->word[0] == '\0') {
		str_copy_view(row->word, sizeof(row->word), word);
		str_copy_view(row->group, sizeof(row->group), group);
		t->count++;
	}
	tally_sum_add(&row->sum, u);
}

const struct tally_row *tally_find(const struct tally *t, struct str word)
{
	const struct tally_row *row = place_of(t, word);

	return row->word[0] != '\0' ? row : NULL;
}

/* Free rows last. */
static int by_bytes(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;
	uint64_t n = tally_bytes(&x->sum), m = tally_bytes(&y->sum);

	if ((x->word[0] == '\0') != (y->word[0] == '\0'))
		return x->word[0] == '\0' ? 1 : -1;
	if (n != m)
		return n > m ? -1 : 1;
	return strcmp(x->word, y->word);
}

void tally_sort(struct tally *t)
{
	qsort(t->rows, t->size, sizeof(*t->rows), by_bytes);
}
