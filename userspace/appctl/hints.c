// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/hints.h"

#include <stdlib.h>
#include <string.h>

#include "policy/app.h"

#define WAYS 4

/* Of one server's port; @until_ms 0: never used. */
struct entry {
	uint64_t until_ms;
	uint8_t addr[16];
	uint16_t port;
	uint8_t family;
	uint8_t proto;
	uint16_t app; /* APP_NONE: barred */
	uint16_t count;
};

struct hints {
	struct entry *entries;
	uint32_t sets; /* a power of two */
	struct hints_limits limits;
	struct siphash_key secret;
};

struct hints *hints_new(const struct hints_limits *limits,
			const struct siphash_key *secret)
{
	struct hints *h = calloc(1, sizeof(*h));
	uint32_t sets = 1;

	if (h == NULL)
		return NULL;
	while (sets * WAYS < limits->max && sets < 1u << 24)
		sets <<= 1;
	h->sets = sets;
	h->limits = *limits;
	h->secret = *secret;
	h->entries = calloc((size_t)sets * WAYS, sizeof(struct entry));
	if (h->entries == NULL) {
		free(h);
		return NULL;
	}
	return h;
}

void hints_free(struct hints *h)
{
	if (h == NULL)
		return;
	free(h->entries);
	free(h);
}

/*
 * By group: where servers stand behind their own address and port. Streaming,
 * social networks and the like are names; peers come and go; tunnels and calls
 * use ports that mean nothing the next minute.
 */
bool hints_want(uint16_t app, bool by_name)
{
	const struct app *a = app_by_id(app);

	if (a == NULL || by_name)
		return false;
	switch (a->group) {
	case APP_GROUP_MAIL:
	case APP_GROUP_FILE_TRANSFER:
	case APP_GROUP_REMOTE_ACCESS:
	case APP_GROUP_NAME_SERVICE:
	case APP_GROUP_NETWORK:
	case APP_GROUP_DATABASE:
	case APP_GROUP_INDUSTRIAL:
		return app != APP_GATEWAY;
	default:
		return false;
	}
}

static struct entry *set_of(const struct hints *h, uint8_t proto,
			    const struct ip_endpoint *server)
{
	uint8_t key[20] = {0};

	memcpy(key, server->addr.bytes, 16);
	key[16] = (uint8_t)(server->port >> 8);
	key[17] = (uint8_t)server->port;
	key[18] = server->addr.family;
	key[19] = proto;
	return &h->entries[(siphash(&h->secret, key, sizeof(key)) &
			    (h->sets - 1)) *
			   WAYS];
}

static struct entry *find(const struct hints *h, uint8_t proto,
			  const struct ip_endpoint *server)
{
	struct entry *set = set_of(h, proto, server);

	for (int i = 0; i < WAYS; i++)
		if (set[i].until_ms > 0 && set[i].port == server->port &&
		    set[i].proto == proto &&
		    set[i].family == server->addr.family &&
		    memcmp(set[i].addr, server->addr.bytes, 16) == 0)
			return &set[i];
	return NULL;
}

/* In the place of the one in its set that ends first. */
static struct entry *make(struct hints *h, uint8_t proto,
			  const struct ip_endpoint *server)
{
	struct entry *set = set_of(h, proto, server), *e = set;

	for (int i = 1; i < WAYS; i++)
		if (set[i].until_ms < e->until_ms)
			e = &set[i];
	memset(e, 0, sizeof(*e));
	memcpy(e->addr, server->addr.bytes, 16);
	e->port = server->port;
	e->family = server->addr.family;
	e->proto = proto;
	return e;
}

/* Flows that disagree: no hint until the bar is over. */
static bool bar(struct hints *h, struct entry *e, uint64_t now_ms)
{
	e->app = APP_NONE;
	e->count = 0;
	e->until_ms = now_ms + h->limits.lifetime_ms;
	return false;
}

static bool confirm(struct hints *h, struct entry *e, uint64_t now_ms)
{
	e->until_ms = now_ms + h->limits.lifetime_ms;
	if (e->count < h->limits.flows)
		e->count++;
	return e->count >= h->limits.flows;
}

bool hints_learn(struct hints *h, uint8_t proto,
		 const struct ip_endpoint *server, uint16_t app, bool by_name,
		 uint64_t now_ms)
{
	struct entry *e = find(h, proto, server);
	bool want = hints_want(app, by_name);

	if (e != NULL && e->app == APP_NONE && e->until_ms > now_ms)
		return false;
	if (e != NULL && e->app != APP_NONE && (!want || e->app != app))
		return bar(h, e, now_ms);
	if (!want)
		return false;
	if (e == NULL)
		e = make(h, proto, server);
	e->app = app;
	return confirm(h, e, now_ms);
}

void hints_doubt(struct hints *h, uint8_t proto,
		 const struct ip_endpoint *server, uint16_t app,
		 uint64_t now_ms)
{
	struct entry *e = find(h, proto, server);

	if (e != NULL && e->app != APP_NONE && e->app != app)
		bar(h, e, now_ms);
}

bool hints_find(const struct hints *h, uint8_t proto,
		const struct ip_endpoint *server, uint64_t now_ms,
		struct hint *hint)
{
	const struct entry *e = find(h, proto, server);

	if (e == NULL || e->app == APP_NONE || e->until_ms <= now_ms ||
	    e->count < h->limits.flows)
		return false;
	hint->app = e->app;
	hint->left_ms = e->until_ms - now_ms;
	return true;
}

size_t hints_bytes(const struct hints *h)
{
	return sizeof(*h) + (size_t)h->sets * WAYS * sizeof(struct entry);
}
