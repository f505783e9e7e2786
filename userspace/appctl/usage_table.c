// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/usage_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/app.h"

#define ROWS_MIN   16
/* More than 7/8 full, looking for a place takes long. */
#define FULL(size) ((size) - (size) / 8)

struct row {
	struct usage usage;
	bool used;
};

/* Sums of those for whom there was no room, by application and direction. */
typedef struct usage others[APP_ID_MAX + 1][USAGE_DIRECTIONS];

struct usage_table {
	struct siphash_key secret;
	uint32_t size; /* a power of two */
	uint32_t count;
	uint64_t crowded;
	others others;
	struct row rows[];
};

struct usage_table *usage_table_new(uint32_t rows,
				    const struct siphash_key *secret)
{
	uint32_t size = ROWS_MIN;
	struct usage_table *t;

	while (size < rows && size < 1u << 30)
		size *= 2;
	t = calloc(1, sizeof(*t) + (size_t)size * sizeof(t->rows[0]));
	if (t == NULL)
		return NULL;
	t->secret = *secret;
	t->size = size;
	return t;
}

void usage_table_free(struct usage_table *t)
{
	free(t);
}

static bool same(const struct usage *a, const struct usage *b)
{
	return a->app == b->app && a->direction == b->direction &&
	       ip_addr_equal(&a->client, &b->client);
}

/* Where it is, or the free place where it would be. */
static struct row *place_of(struct usage_table *t, const struct usage *u)
{
	struct {
		struct ip_addr client;
		uint8_t direction;
		uint16_t app;
	} key;
	uint32_t at;

	memset(&key, 0, sizeof(key));
	key.client = u->client;
	key.direction = u->direction;
	key.app = u->app;
	at = (uint32_t)siphash(&t->secret, &key, sizeof(key));
	for (;; at++) {
		struct row *row = &t->rows[at & (t->size - 1)];

		if (!row->used || same(&row->usage, u))
			return row;
	}
}

static void add(struct usage *sum, const struct usage *u)
{
	sum->bytes += u->bytes;
	sum->packets += u->packets;
	sum->flows += u->flows;
}

void usage_table_add(struct usage_table *t, const struct usage *u)
{
	struct row *row = place_of(t, u);

	if (row->used) {
		add(&row->usage, u);
	} else if (t->count < FULL(t->size)) {
		row->usage = *u;
		row->used = true;
		t->count++;
	} else {
		add(&t->others[u->app][u->direction], u);
		t->crowded++;
	}
}

uint32_t usage_table_count(const struct usage_table *t)
{
	return t->count;
}

uint64_t usage_table_crowded(const struct usage_table *t)
{
	return t->crowded;
}

static bool next_other(const struct usage_table *t, uint32_t at,
		       struct usage *u)
{
	uint32_t app = at / USAGE_DIRECTIONS;
	uint32_t direction = at % USAGE_DIRECTIONS;

	*u = t->others[app][direction];
	u->app = (uint16_t)app;
	u->direction = (uint8_t)direction;
	return u->bytes != 0 || u->packets != 0 || u->flows != 0;
}

/* Places from 0 on are rows; those behind them are the others. */
uint32_t usage_table_next(const struct usage_table *t, uint32_t at,
			  uint64_t time_s, struct usage *u)
{
	uint32_t end = t->size + (APP_ID_MAX + 1) * USAGE_DIRECTIONS;

	for (; at < end; at++) {
		bool found;

		if (at < t->size) {
			found = t->rows[at].used;
			*u = t->rows[at].usage;
		} else {
			found = t->crowded > 0 &&
				next_other(t, at - t->size, u);
		}
		if (found) {
			u->time_s = time_s;
			return at + 1;
		}
	}
	return 0;
}

void usage_table_clear(struct usage_table *t)
{
	memset(t->rows, 0, (size_t)t->size * sizeof(t->rows[0]));
	if (t->crowded > 0)
		memset(t->others, 0, sizeof(t->others));
	t->count = 0;
	t->crowded = 0;
}
