// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/quota_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1U

struct cell {
	uint64_t bytes;
	uint64_t check; /* 0: never written */
};

/* In the file. A slot that is all zero is free. */
struct slot {
	struct ip_addr client;
	uint16_t subject;
	uint32_t zero;
	int64_t start_s;
	struct cell cells[2];
};

struct header {
	char magic[8];
	uint32_t version;
	uint32_t slots;
	uint64_t spare[6];
};

_Static_assert(sizeof(struct slot) == QUOTA_SLOT_SIZE, "the file's layout");
_Static_assert(sizeof(struct header) == QUOTA_SLOT_SIZE, "the file's layout");

static const char magic[8] = "SLQUOTA";

struct quota_table {
	struct header *header;
	struct slot *slots;
	uint32_t count; /* of slots */
	struct siphash_key secret;
	uint32_t first_free; /* no slot before it is free */
	uint32_t mask;
	uint32_t *index; /* slot + 1 by its hash; 0: nothing */
};

/* --- a slot ------------------------------------------------------------------------ */

/* Against damage, not against forgers: the key is no secret. */
static uint64_t check_of(const struct slot *s, uint64_t bytes)
{
	static const struct siphash_key nothing_secret;
	struct {
		struct ip_addr client;
		uint16_t subject;
		int64_t start_s;
		uint64_t bytes;
	} what;

	memset(&what, 0, sizeof(what));
	what.client = s->client;
	what.subject = s->subject;
	what.start_s = s->start_s;
	what.bytes = bytes;
	return siphash(&nothing_secret, &what, sizeof(what)) | 1;
}

static bool is_good(const struct slot *s, const struct cell *c)
{
	return c->check != 0 && c->check == check_of(s, c->bytes);
}

/* The good cell with the larger sum, or NULL. */
static const struct cell *best(const struct slot *s)
{
	const struct cell *a = is_good(s, &s->cells[0]) ? &s->cells[0] : NULL;
	const struct cell *b = is_good(s, &s->cells[1]) ? &s->cells[1] : NULL;

	if (a == NULL || (b != NULL && b->bytes > a->bytes))
		return b;
	return a;
}

/*
 * Into the cell that is not the best. Killed in between, that one is bad and
 * the other as before; the compiler must not change the order.
 */
static void write_sum(struct slot *s, uint64_t bytes)
{
	struct cell *c = best(s) == &s->cells[0] ? &s->cells[1] : &s->cells[0];

	__atomic_store_n(&c->check, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->bytes, bytes, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->check, check_of(s, bytes), __ATOMIC_SEQ_CST);
}

static bool is_free(const struct slot *s)
{
	return s->client.family == 0;
}

/* Without its family it is free, whatever else is still there. */
static void clear(struct slot *s)
{
	__atomic_store_n(&s->client.family, 0, __ATOMIC_SEQ_CST);
	memset(s, 0, sizeof(*s));
}

/* The family comes last: before it the slot is free. */
static void begin(struct slot *s, const struct quota_sum *sum)
{
	clear(s);
	memcpy(s->client.bytes, sum->client.bytes, sizeof(s->client.bytes));
	s->subject = sum->subject;
	s->start_s = sum->start_s;
	__atomic_store_n(&s->client.family, sum->client.family,
			 __ATOMIC_SEQ_CST);
}

static void read_slot(const struct slot *s, struct quota_sum *out)
{
	const struct cell *c = best(s);

	memset(out, 0, sizeof(*out));
	out->client = s->client;
	out->subject = s->subject;
	out->start_s = s->start_s;
	out->bytes = c != NULL ? c->bytes : 0;
}

/* --- the index --------------------------------------------------------------------- */

static uint32_t hash(const struct quota_table *t, const struct ip_addr *client,
		     uint16_t subject)
{
	struct {
		struct ip_addr client;
		uint16_t subject;
	} key;

	memset(&key, 0, sizeof(key));
	key.client = *client;
	key.subject = subject;
	return (uint32_t)siphash(&t->secret, &key, sizeof(key));
}

/* Its entry, or the free one where it would be: half of them always are. */
static uint32_t *entry(const struct quota_table *t,
		       const struct ip_addr *client, uint16_t subject)
{
	for (uint32_t at = hash(t, client, subject);; at++) {
		uint32_t *e = &t->index[at & t->mask];
		const struct slot *s;

		if (*e == 0)
			return e;
		s = &t->slots[*e - 1];
		if (s->subject == subject && ip_addr_equal(&s->client, client))
			return e;
	}
}

static void make_index(struct quota_table *t)
{
	memset(t->index, 0, ((size_t)t->mask + 1) * sizeof(*t->index));
	t->first_free = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct slot *s = &t->slots[i];

		if (!is_free(s))
			*entry(t, &s->client, s->subject) = i + 1;
	}
}

/* --- what was there ------------------------------------------------------------------ */

static bool all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0 && *b == 0) {
		b++;
		n--;
	}
	return n == 0;
}

/* Whether all that follows from it is as we write it. */
static bool is_sound(const struct slot *s)
{
	return (s->client.family == AF_INET || s->client.family == AF_INET6) &&
	       best(s) != NULL;
}

static void look_at_slots(struct quota_table *t, struct quota_found *found)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct slot *s = &t->slots[i];

		if (is_free(s) && all_zero(s->cells, sizeof(s->cells)))
			continue;
		if (is_sound(s)) {
			found->sums++;
			continue;
		}
		/* One whose first sum was just being written is none. */
		if (!all_zero(s->cells, sizeof(s->cells)))
			found->damaged++;
		clear(s);
	}
}

static void look(struct quota_table *t, size_t size, struct quota_found *found)
{
	const struct header want = {.version = VERSION, .slots = t->count};
	struct header *h = t->header;

	memset(found, 0, sizeof(*found));
	if (memcmp(h->magic, magic, sizeof(magic)) == 0 &&
	    h->version == want.version && h->slots == want.slots) {
		look_at_slots(t, found);
		return;
	}
	found->fresh = all_zero(h, size);
	found->foreign = !found->fresh;
	memset(h, 0, size);
	*h = want;
	memcpy(h->magic, magic, sizeof(magic));
}

struct quota_table *quota_table_new(void *memory, size_t size,
				    const struct siphash_key *secret,
				    struct quota_found *found)
{
	struct quota_table *t = calloc(1, sizeof(*t));
	uint32_t entries = 4;

	if (t == NULL)
		return NULL;
	t->header = memory;
	t->slots = (struct slot *)(t->header + 1);
	t->count = (uint32_t)(size / sizeof(struct slot)) - 1;
	t->secret = *secret;
	while (entries < 2 * t->count)
		entries *= 2;
	t->mask = entries - 1;
	t->index = calloc(entries, sizeof(*t->index));
	if (t->index == NULL) {
		free(t);
		return NULL;
	}
	look(t, size, found);
	make_index(t);
	return t;
}

void quota_table_free(struct quota_table *t)
{
	if (t == NULL)
		return;
	free(t->index);
	free(t);
}

/* --- use ----------------------------------------------------------------------------- */

static struct slot *take_free(struct quota_table *t)
{
	while (t->first_free < t->count && !is_free(&t->slots[t->first_free]))
		t->first_free++;
	return t->first_free < t->count ? &t->slots[t->first_free] : NULL;
}

int quota_table_add(struct quota_table *t, const struct quota_sum *add,
		    uint64_t *before, uint64_t *after)
{
	uint32_t *e = entry(t, &add->client, add->subject);
	struct slot *s = *e != 0 ? &t->slots[*e - 1] : take_free(t);
	const struct cell *c;

	if (s == NULL)
		return -ENOSPC;
	if (*e == 0 || s->start_s != add->start_s)
		begin(s, add);
	*e = (uint32_t)(s - t->slots) + 1;
	c = best(s);
	*before = c != NULL ? c->bytes : 0;
	*after = *before + add->bytes;
	if (*after < *before)
		*after = UINT64_MAX;
	write_sum(s, *after);
	return 0;
}

uint32_t quota_table_sweep(struct quota_table *t,
			   bool (*keep)(const struct quota_sum *sum, void *arg),
			   void *arg)
{
	uint32_t gone = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		struct quota_sum sum;

		if (is_free(&t->slots[i]))
			continue;
		read_slot(&t->slots[i], &sum);
		if (keep(&sum, arg))
			continue;
		clear(&t->slots[i]);
		gone++;
	}
	make_index(t);
	return gone;
}

uint32_t quota_table_next(const struct quota_table *t, uint32_t at,
			  struct quota_sum *out)
{
	for (; at < t->count; at++) {
		if (is_free(&t->slots[at]))
			continue;
		read_slot(&t->slots[at], out);
		return at + 1;
	}
	return 0;
}
