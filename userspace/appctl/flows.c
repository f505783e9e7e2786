// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appctl/pool.h"
#include "policy/app.h"

struct flows {
	struct flow **buckets;
	uint32_t mask; /* buckets - 1; a power of two, at least the flows */
	struct flows_limits limits;
	struct siphash_key secret;
	struct pool pool;
	struct list unlabelled; /* the one with the oldest packet first */
	struct list labelled;	/* the one with the oldest label first */
	struct flows_stats stats;
	flow_gone_fn gone;
	void *arg;
};

/* --- keys ---------------------------------------------------------------------- */

_Static_assert(sizeof(struct flow_key) == 38, "hashed as it lies: no padding");

unsigned int flow_key_make(struct flow_key *key, uint8_t proto,
			   const struct ip_endpoint *src,
			   const struct ip_endpoint *dst)
{
	int order = memcmp(src->addr.bytes, dst->addr.bytes, 16);
	unsigned int at;

	if (order == 0)
		order = src->port < dst->port ? -1 : 1;
	at = order > 0;
	memcpy(key->addr[at], src->addr.bytes, 16);
	memcpy(key->addr[!at], dst->addr.bytes, 16);
	key->port[at] = src->port;
	key->port[!at] = dst->port;
	key->family = src->addr.family;
	key->proto = proto;
	return at;
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	const void *p = a, *q = b;

	return memcmp(p, q, sizeof(*a)) == 0;
}

static struct flow **bucket(const struct flows *f, const struct flow_key *key)
{
	return &f->buckets[siphash(&f->secret, key, sizeof(*key)) & f->mask];
}

/* --- the table ----------------------------------------------------------------- */

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = 1;

	while (n < at_least && n < 1u << 31)
		n <<= 1;
	return n;
}

struct flows *flows_new(const struct flows_limits *limits,
			const struct siphash_key *secret, flow_gone_fn gone,
			void *arg)
{
	struct flows *f = calloc(1, sizeof(*f));
	uint32_t n = power_of_two(limits->max);

	if (f == NULL)
		return NULL;
	f->limits = *limits;
	f->secret = *secret;
	f->mask = n - 1;
	f->gone = gone;
	f->arg = arg;
	list_init(&f->unlabelled);
	list_init(&f->labelled);
	f->buckets = calloc(n, sizeof(struct flow *));
	if (f->buckets == NULL || limits->max == 0 ||
	    pool_init(&f->pool, sizeof(struct flow), limits->max) != 0) {
		free(f->buckets);
		free(f);
		return NULL;
	}
	return f;
}

void flows_free(struct flows *f)
{
	struct list *l, *tmp;

	if (f == NULL)
		return;
	list_for_each_safe(l, tmp, &f->unlabelled)
		flows_remove(f, list_entry(l, struct flow, age));
	list_for_each_safe(l, tmp, &f->labelled)
		flows_remove(f, list_entry(l, struct flow, age));
	pool_fini(&f->pool);
	free(f->buckets);
	free(f);
}

void flows_remove(struct flows *f, struct flow *flow)
{
	struct flow **p = bucket(f, &flow->key);

	if (f->gone != NULL)
		f->gone(f->arg, flow);
	while (*p != flow)
		p = &(*p)->next;
	*p = flow->next;
	list_del(&flow->age);
	f->stats.live--;
	if (flow->app != APP_NONE)
		f->stats.labelled--;
	pool_put(&f->pool, flow);
}

static bool label_is_over(const struct flows *f, const struct flow *flow,
			  uint64_t now_ms)
{
	return flow->app != APP_NONE &&
	       now_ms - flow->since >= f->limits.labelled_ms;
}

struct flow *flows_find(struct flows *f, const struct flow_key *key,
			uint64_t now_ms)
{
	struct flow *flow = *bucket(f, key);

	while (flow != NULL && !same_key(&flow->key, key))
		flow = flow->next;
	if (flow == NULL)
		return NULL;
	if (label_is_over(f, flow, now_ms)) {
		flows_remove(f, flow);
		return NULL;
	}
	if (flow->app == APP_NONE) {
		flow->since = now_ms;
		list_del(&flow->age);
		list_add_tail(&f->unlabelled, &flow->age);
	}
	return flow;
}

/* The table is full: somebody has to go. */
static void displace(struct flows *f)
{
	bool any = list_empty(&f->unlabelled);
	struct list *oldest = any ? f->labelled.next : f->unlabelled.next;

	if (any)
		f->stats.displaced_labelled++;
	else
		f->stats.displaced++;
	flows_remove(f, list_entry(oldest, struct flow, age));
}

static struct flow *add(struct flows *f, const struct flow_key *key,
			uint64_t now_ms)
{
	struct flow **b = bucket(f, key);
	struct flow *flow;

	if (f->stats.live == f->limits.max)
		displace(f);
	flow = pool_get(&f->pool);
	memset(flow, 0, sizeof(*flow));
	flow->key = *key;
	flow->since = now_ms;
	flow->server = FLOW_NO_END;
	flow->next = *b;
	*b = flow;
	list_add_tail(&f->unlabelled, &flow->age);
	f->stats.live++;
	f->stats.added++;
	return flow;
}

struct flow *flows_get(struct flows *f, const struct flow_key *key,
		       uint64_t now_ms)
{
	struct flow *flow = flows_find(f, key, now_ms);

	return flow != NULL ? flow : add(f, key, now_ms);
}

void flows_label(struct flows *f, struct flow *flow, uint16_t app,
		 uint8_t confidence, uint64_t now_ms)
{
	if (flow->app == APP_NONE)
		f->stats.labelled++;
	flow->app = app;
	flow->confidence = confidence;
	flow->since = now_ms;
	list_del(&flow->age);
	list_add_tail(&f->labelled, &flow->age);
}

struct flow *flows_oldest(const struct flows *f)
{
	if (list_empty(&f->unlabelled))
		return NULL;
	return list_entry(f->unlabelled.next, struct flow, age);
}

/* Remove from @ages, oldest first, what is @ms old. */
static uint32_t expire(struct flows *f, struct list *ages, uint64_t now_ms,
		       uint32_t ms, uint32_t max)
{
	uint32_t n = 0;

	while (n < max && !list_empty(ages)) {
		struct flow *flow = list_entry(ages->next, struct flow, age);

		if (now_ms - flow->since < ms)
			break;
		flows_remove(f, flow);
		n++;
	}
	return n;
}

uint32_t flows_expire(struct flows *f, uint64_t now_ms, uint32_t max)
{
	uint32_t labels =
		expire(f, &f->labelled, now_ms, f->limits.labelled_ms, max);
	uint32_t idle = expire(f, &f->unlabelled, now_ms, f->limits.idle_ms,
			       max - labels);

	f->stats.expired += idle;
	return labels + idle;
}

const struct flows_stats *flows_stats(const struct flows *f)
{
	return &f->stats;
}

size_t flows_bytes(const struct flows *f)
{
	return sizeof(*f) + pool_bytes(&f->pool) +
	       ((size_t)f->mask + 1) * sizeof(struct flow *);
}
