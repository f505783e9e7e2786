// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/resolve/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cached {
	struct list node; /* in its bucket */
	struct list used; /* in the order of use */
	uint64_t ends_ms;
	struct msg_resolved answer;
	char name[]; /* with its NUL */
};

void name_cache_init(struct name_cache *cache, const struct siphash_key *key)
{
	cache->key = *key;
	cache->count = 0;
	list_init(&cache->used);
	for (unsigned int i = 0; i < CACHE_BUCKETS; i++)
		list_init(&cache->buckets[i]);
}

static struct list *bucket(struct name_cache *cache, const char *name)
{
	return &cache->buckets[siphash(&cache->key, name, strlen(name)) %
			       CACHE_BUCKETS];
}

static struct cached *find(struct name_cache *cache, const char *name)
{
	struct list *list = bucket(cache, name), *pos;

	list_for_each(pos, list) {
		struct cached *c = list_entry(pos, struct cached, node);

		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void forget(struct name_cache *cache, struct cached *c)
{
	list_del(&c->node);
	list_del(&c->used);
	cache->count--;
	free(c);
}

void name_cache_clear(struct name_cache *cache)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &cache->used)
		forget(cache, list_entry(pos, struct cached, used));
}

bool name_cache_find(struct name_cache *cache, const char *name,
		     uint64_t now_ms, struct msg_resolved *answer)
{
	struct cached *c = find(cache, name);

	if (c == NULL)
		return false;
	if (c->ends_ms <= now_ms) {
		forget(cache, c);
		return false;
	}
	list_del(&c->used);
	list_add_tail(&cache->used, &c->used);
	*answer = c->answer;
	return true;
}

static uint64_t time_to_keep(const struct msg_resolved *answer, uint32_t ttl_s)
{
	uint64_t ms = (uint64_t)ttl_s * 1000;

	if (answer->status == -ENOENT)
		return CACHE_ABSENCE_MS;
	if (ms < CACHE_LEAST_MS)
		return CACHE_LEAST_MS;
	return ms < CACHE_MOST_MS ? ms : CACHE_MOST_MS;
}

void name_cache_keep(struct name_cache *cache, const char *name,
		     const struct msg_resolved *answer, uint32_t ttl_s,
		     uint64_t now_ms)
{
	size_t size = strlen(name) + 1;
	struct cached *c;

	if (answer->status != 0 && answer->status != -ENOENT)
		return;
	c = find(cache, name);
	if (c != NULL)
		forget(cache, c);
	if (cache->count == CACHE_NAMES)
		forget(cache,
		       list_entry(cache->used.next, struct cached, used));
	c = malloc(sizeof(*c) + size);
	if (c == NULL)
		return;
	c->ends_ms = now_ms + time_to_keep(answer, ttl_s);
	c->answer = *answer;
	c->answer.id = 0;
	memcpy(c->name, name, size);
	list_add_tail(bucket(cache, name), &c->node);
	list_add_tail(&cache->used, &c->used);
	cache->count++;
}
