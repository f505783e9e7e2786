// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/config.h"

#define BUCKETS 16384
#define NONE	UINT32_MAX

_Static_assert(CONFIG_RELAYS <= 64, "a bit for each relay");

/*
 * The pairs of a family are the first ones of a list, without a gap, as they go
 * to the kernel; the last one takes the place of one that goes. Links are
 * places in the list + 1, so that zeroed memory is an empty table.
 */
struct table {
	uint32_t count;
	uint32_t held;
	uint32_t heads[BUCKETS];
	uint32_t next[PAIRS_MAX];
	uint64_t relays[PAIRS_MAX];
	uint64_t left_ms[PAIRS_MAX]; /* of one without relays: since when */
	struct nft_pair list[PAIRS_MAX];
};

struct pairs {
	struct siphash_key secret;
	struct table v4, v6;
};

struct pairs *pairs_new(const struct siphash_key *secret)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->secret = *secret;
	return p;
}

void pairs_free(struct pairs *p)
{
	free(p);
}

static struct table *table_of(struct pairs *p, const struct nft_pair *pair)
{
	return pair->client.family == AF_INET6 ? &p->v6 : &p->v4;
}

static uint32_t *head_of(const struct pairs *p, struct table *t,
			 const struct nft_pair *pair)
{
	uint8_t key[32];

	memcpy(key, pair->client.bytes, 16);
	memcpy(key + 16, pair->server.bytes, 16);
	return &t->heads[siphash(&p->secret, key, sizeof(key)) % BUCKETS];
}

static bool same(const struct nft_pair *a, const struct nft_pair *b)
{
	return ip_addr_equal(&a->client, &b->client) &&
	       ip_addr_equal(&a->server, &b->server);
}

/* The link to @pair's place, or to where it would be: then it is 0. */
static uint32_t *link_of(const struct pairs *p, struct table *t,
			 const struct nft_pair *pair)
{
	uint32_t *link = head_of(p, t, pair);

	while (*link != 0 && !same(&t->list[*link - 1], pair))
		link = &t->next[*link - 1];
	return link;
}

static uint32_t find(const struct pairs *p, const struct nft_pair *pair)
{
	struct table *t = table_of((struct pairs *)p, pair);
	uint32_t link = *link_of(p, t, pair);

	return link != 0 ? link - 1 : NONE;
}

int pairs_hold(struct pairs *p, const struct nft_pair *pair, uint32_t relay)
{
	struct table *t = table_of(p, pair);
	uint32_t *link = link_of(p, t, pair);
	bool known = *link != 0;
	uint32_t at = known ? *link - 1 : t->count;

	if (at == PAIRS_MAX)
		return -ENOSPC;
	if (!known) {
		t->list[at] = *pair;
		t->relays[at] = 0;
		t->next[at] = 0;
		*link = at + 1;
		t->count++;
	}
	t->held += t->relays[at] == 0;
	t->relays[at] |= UINT64_C(1) << relay;
	return known ? 0 : 1;
}

static void remove_at(struct pairs *p, struct table *t, uint32_t at)
{
	uint32_t last = t->count - 1;
	uint32_t *link = link_of(p, t, &t->list[at]);

	*link = t->next[at];
	t->count--;
	if (at == last)
		return;
	link = link_of(p, t, &t->list[last]);
	*link = at + 1;
	t->next[at] = t->next[last];
	t->relays[at] = t->relays[last];
	t->left_ms[at] = t->left_ms[last];
	t->list[at] = t->list[last];
}

static void drop_at(struct table *t, uint32_t at, uint32_t relay,
		    uint64_t now_ms)
{
	if ((t->relays[at] >> relay & 1) == 0)
		return;
	t->relays[at] &= ~(UINT64_C(1) << relay);
	if (t->relays[at] != 0)
		return;
	t->left_ms[at] = now_ms;
	t->held--;
}

void pairs_drop(struct pairs *p, const struct nft_pair *pair, uint32_t relay,
		uint64_t now_ms)
{
	uint32_t at = find(p, pair);

	if (at != NONE)
		drop_at(table_of(p, pair), at, relay, now_ms);
}

void pairs_drop_all(struct pairs *p, uint32_t relay, uint64_t now_ms)
{
	for (uint32_t at = 0; at < p->v4.count; at++)
		drop_at(&p->v4, at, relay, now_ms);
	for (uint32_t at = 0; at < p->v6.count; at++)
		drop_at(&p->v6, at, relay, now_ms);
}

/* From the end, as the last one takes the place of one that goes. */
static void expire(struct pairs *p, struct table *t, uint64_t before_ms,
		   void (*gone)(const struct nft_pair *pair, void *arg),
		   void *arg)
{
	for (uint32_t at = t->count; at-- > 0;) {
		if (t->relays[at] != 0 || t->left_ms[at] > before_ms)
			continue;
		gone(&t->list[at], arg);
		remove_at(p, t, at);
	}
}

void pairs_expire(struct pairs *p, uint64_t before_ms,
		  void (*gone)(const struct nft_pair *pair, void *arg),
		  void *arg)
{
	expire(p, &p->v4, before_ms, gone, arg);
	expire(p, &p->v6, before_ms, gone, arg);
}

bool pairs_known(const struct pairs *p, const struct nft_pair *pair)
{
	return find(p, pair) != NONE;
}

bool pairs_held_by(const struct pairs *p, const struct nft_pair *pair,
		   uint32_t relay)
{
	const struct table *t = table_of((struct pairs *)p, pair);
	uint32_t at = find(p, pair);

	return at != NONE && (t->relays[at] >> relay & 1) != 0;
}

void pairs_all(const struct pairs *p, struct nft_pairs *all)
{
	*all = (struct nft_pairs){
		.list4 = p->v4.list,
		.count4 = p->v4.count,
		.list6 = p->v6.list,
		.count6 = p->v6.count,
	};
}

size_t pairs_count(const struct pairs *p)
{
	return p->v4.held + p->v6.held;
}
