// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/resolve/questions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct question {
	struct list node; /* in its bucket */
	struct questions *all;
	struct asker *first; /* who pays for it */
	struct list asks;
	char name[]; /* with its NUL */
};

struct ask {
	struct list node;   /* of its question */
	struct list others; /* of its asker */
	struct asker *asker;
	uint64_t id;
};

static void ask_free(struct ask *ask)
{
	list_del(&ask->node);
	list_del(&ask->others);
	ask->asker->count--;
	free(ask);
}

void asker_init(struct asker *a, asker_fn told)
{
	memset(a, 0, sizeof(*a));
	list_init(&a->asks);
	a->told = told;
}

void asker_forget(struct asker *a)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->asks)
		ask_free(list_entry(pos, struct ask, others));
}

/* --- counters ----------------------------------------------------------------- */

static void count_answer(struct stats *st, int status)
{
	if (status == -ENOENT)
		stats_add(st, RESOLVE_NOT_FOUND, 1);
	else if (status == -EAGAIN)
		stats_add(st, RESOLVE_BUSY, 1);
	else if (status != 0)
		stats_add(st, RESOLVE_FAILURES, 1);
}

static void show_cache(struct questions *q)
{
	stats_set(q->stats, RESOLVE_CACHED, q->cache.count);
}

/* --- answers ------------------------------------------------------------------ */

static void tell(struct questions *q, struct asker *a, uint64_t id,
		 const struct msg_resolved *answer)
{
	struct msg_resolved msg = *answer;

	msg.id = id;
	count_answer(q->stats, msg.status);
	a->told(a, &msg);
}

static void refuse(struct questions *q, struct asker *a, uint64_t id,
		   int status)
{
	struct msg_resolved msg = {.status = status};

	tell(q, a, id, &msg);
}

static void question_free(struct question *n)
{
	n->first->under_way--;
	stats_sub(n->all->stats, RESOLVE_UNDER_WAY, 1);
	list_del(&n->node);
	free(n);
}

static void on_answer(void *user, const struct msg_resolved *answer,
		      uint32_t ttl_s)
{
	struct question *n = user;
	struct questions *q = n->all;
	struct list *node;

	name_cache_keep(&q->cache, n->name, answer, ttl_s, q->loop->now_ms);
	show_cache(q);
	while ((node = list_pop(&n->asks)) != NULL) {
		struct ask *ask = list_entry(node, struct ask, node);
		struct asker *a = ask->asker;
		uint64_t id = ask->id;

		/* Before its asker hears of it: that one may forget its asks. */
		ask_free(ask);
		tell(q, a, id, answer);
	}
	question_free(n);
}

/* --- questions ---------------------------------------------------------------- */

static struct list *bucket(struct questions *q, const char *name)
{
	return &q->buckets[siphash(&q->cache.key, name, strlen(name)) %
			   QUESTIONS_BUCKETS];
}

static struct question *find(struct questions *q, const char *name)
{
	struct list *list = bucket(q, name), *pos;

	list_for_each(pos, list) {
		struct question *n = list_entry(pos, struct question, node);

		if (strcmp(n->name, name) == 0)
			return n;
	}
	return NULL;
}

/* Name servers are asked. NULL and -errno in *@rc when they can't be. */
static struct question *begin(struct questions *q, struct asker *a,
			      const char *name, int *rc)
{
	size_t size = strlen(name) + 1;
	struct question *n;

	*rc = -EAGAIN;
	if (a->under_way >= q->share)
		return NULL;
	*rc = -EIO;
	n = malloc(sizeof(*n) + size);
	if (n == NULL)
		return NULL;
	memcpy(n->name, name, size);
	n->all = q;
	n->first = a;
	list_init(&n->asks);
	*rc = dns_ask(q->dns, n->name, on_answer, n);
	if (*rc != 0) {
		free(n);
		return NULL;
	}
	list_add_tail(bucket(q, name), &n->node);
	a->under_way++;
	stats_add(q->stats, RESOLVE_UNDER_WAY, 1);
	return n;
}

/* @a waits for @n. 0 or -errno. */
static int join(struct question *n, struct asker *a, uint64_t id)
{
	struct ask *ask = malloc(sizeof(*ask));

	if (ask == NULL)
		return -EIO;
	ask->asker = a;
	ask->id = id;
	list_add_tail(&n->asks, &ask->node);
	list_add_tail(&a->asks, &ask->others);
	a->count++;
	return 0;
}

static int wait_for(struct questions *q, struct asker *a, uint64_t id,
		    const char *name)
{
	struct question *n;
	int rc;

	if (a->count >= QUESTIONS_ASKS)
		return -EAGAIN;
	n = find(q, name);
	if (n != NULL) {
		stats_add(q->stats, RESOLVE_SHARED, 1);
		return join(n, a, id);
	}
	n = begin(q, a, name, &rc);
	return n != NULL ? join(n, a, id) : rc;
}

void questions_ask(struct questions *q, struct asker *a, uint64_t id,
		   const char *name)
{
	struct msg_resolved answer;
	int rc;

	stats_add(q->stats, RESOLVE_QUERIES, 1);
	if (name_cache_find(&q->cache, name, q->loop->now_ms, &answer)) {
		stats_add(q->stats, RESOLVE_CACHE_HITS, 1);
		tell(q, a, id, &answer);
		return;
	}
	rc = wait_for(q, a, id, name);
	if (rc != 0)
		refuse(q, a, id, rc);
}

/* --- life ----------------------------------------------------------------------- */

void questions_forget_answers(struct questions *q)
{
	name_cache_clear(&q->cache);
	show_cache(q);
}

void questions_init(struct questions *q, struct dns *dns, struct loop *loop,
		    struct stats *stats, unsigned int askers,
		    const struct siphash_key *key)
{
	q->dns = dns;
	q->loop = loop;
	q->stats = stats;
	name_cache_init(&q->cache, key);
	for (unsigned int i = 0; i < QUESTIONS_BUCKETS; i++)
		list_init(&q->buckets[i]);
	q->share = dns->max / (askers > 0 ? askers : 1);
	if (q->share < QUESTIONS_SHARE)
		q->share = QUESTIONS_SHARE;
}

void questions_close(struct questions *q)
{
	struct list *pos, *tmp;

	for (unsigned int i = 0; i < QUESTIONS_BUCKETS; i++)
		list_for_each_safe(pos, tmp, &q->buckets[i])
			question_free(list_entry(pos, struct question, node));
	name_cache_clear(&q->cache);
}
