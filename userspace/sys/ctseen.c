// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/ctseen.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_MIN   64
/* Beyond three quarters, looking for a place takes long. */
#define ROOM(size) ((size) - (size) / 4)

/* Open addressing, linear probing; removing closes the gap. */
struct ctseen {
	struct ctseen_entry *entry; /* key 0: free */
	uint32_t size;		    /* a power of two */
	uint32_t count;
	uint32_t max;
};

struct ctseen *ctseen_new(uint32_t max)
{
	struct ctseen *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->size = SIZE_MIN;
	s->max = max;
	s->entry = calloc(s->size, sizeof(s->entry[0]));
	if (s->entry != NULL)
		return s;
	free(s);
	return NULL;
}

void ctseen_free(struct ctseen *s)
{
	if (s == NULL)
		return;
	free(s->entry);
	free(s);
}

uint32_t ctseen_count(const struct ctseen *s)
{
	return s->count;
}

/* Where it is, or the free place where it would be. */
static uint32_t place_of(const struct ctseen *s, uint64_t key)
{
	uint32_t at = (uint32_t)key & (s->size - 1);

	while (s->entry[at].key != 0 && s->entry[at].key != key)
		at = (at + 1) & (s->size - 1);
	return at;
}

struct ctseen_entry *ctseen_find(const struct ctseen *s, uint64_t key)
{
	struct ctseen_entry *e = &s->entry[place_of(s, key)];

	return e->key != 0 ? e : NULL;
}

/* False without memory: then the table stays as it is. */
static bool grow(struct ctseen *s)
{
	struct ctseen bigger = *s;

	bigger.size = s->size * 2;
	bigger.entry = calloc(bigger.size, sizeof(bigger.entry[0]));
	if (bigger.entry == NULL)
		return false;
	for (uint32_t i = 0; i < s->size; i++)
		if (s->entry[i].key != 0)
			bigger.entry[place_of(&bigger, s->entry[i].key)] =
				s->entry[i];
	free(s->entry);
	*s = bigger;
	return true;
}

struct ctseen_entry *ctseen_add(struct ctseen *s, uint64_t key)
{
	struct ctseen_entry *e;

	if (s->count >= s->max || (s->count >= ROOM(s->size) && !grow(s)))
		return NULL;
	e = &s->entry[place_of(s, key)];
	memset(e, 0, sizeof(*e));
	e->key = key;
	s->count++;
	return e;
}

/*
 * Entries behind the gap move into it, unless they would come to stand before
 * the place where the search for them begins.
 */
void ctseen_remove(struct ctseen *s, struct ctseen_entry *e)
{
	uint32_t mask = s->size - 1;
	uint32_t gap = (uint32_t)(e - s->entry);
	uint32_t at = gap;

	for (;;) {
		uint32_t home;

		at = (at + 1) & mask;
		if (s->entry[at].key == 0)
			break;
		home = (uint32_t)s->entry[at].key & mask;
		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		s->entry[gap] = s->entry[at];
		gap = at;
	}
	s->entry[gap].key = 0;
	s->count--;
}

/* A place that was removed from is looked at again: something moved there. */
uint32_t ctseen_sweep(struct ctseen *s, ctseen_fn over, void *arg)
{
	uint32_t removed = 0;
	uint32_t at = 0;

	while (at < s->size) {
		struct ctseen_entry *e = &s->entry[at];

		if (e->key == 0 || !over(e, arg)) {
			at++;
			continue;
		}
		ctseen_remove(s, e);
		removed++;
	}
	return removed;
}
