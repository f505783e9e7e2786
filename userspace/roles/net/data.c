// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "roles/net/pairs.h"
#include "sys/log.h"
#include "sys/nft_pairs.h"
#include "sys/tproxy.h"

/* Time for relays to announce what they hold to a new process of this role. */
#define CLAIM_MS  10000
#define AGAIN_MS  60000 /* until the same trouble is logged again */
/*
 * How long a pair lingers: some retransmissions of what ends its connections.
 * LOOK_MS later at most, it is gone.
 */
#define LINGER_MS 30000
#define LOOK_MS	  5000

static bool is_due(uint64_t *last_ms, uint64_t now_ms)
{
	if (*last_ms != 0 && now_ms - *last_ms < AGAIN_MS)
		return false;
	*last_ms = now_ms;
	return true;
}

/* --- what relays say ---------------------------------------------------------------- */

/* An address as all of ours are: of one of two families, unused bytes zero. */
static bool is_sound(const struct ip_addr *addr)
{
	static const uint8_t zero[16];
	size_t n = ip_addr_len(addr);
	struct ip_addr mapped;

	if (n == 16) {
		ip_addr_from_mapped(&mapped, addr->bytes);
		return mapped.family == AF_INET6;
	}
	return n == 4 && memcmp(addr->bytes + n, zero, sizeof(zero) - n) == 0;
}

static bool take_pair(const struct msg_pair *msg, struct nft_pair *pair)
{
	/* Byte by byte, as memory of its own has no padding that differs. */
	memset(pair, 0, sizeof(*pair));
	pair->client = msg->client;
	pair->server = msg->server;
	return is_sound(&msg->client) && is_sound(&msg->server) &&
	       msg->client.family == msg->server.family;
}

/* --- in the kernel ------------------------------------------------------------------- */

static bool is_in_kernel(const struct data *d)
{
	return d->rules->installed && d->rules->wanted->data;
}

static void publish(const struct data *d)
{
	stats_set(d->role->stats, NET_PAIRS, pairs_count(d->rules->pairs));
}

/*
 * Whatever went wrong, rules and pairs are put in place anew within a second:
 * -ENOENT, somebody took table or elements away, and of several none was taken.
 */
static void changed(struct data *d, int rc)
{
	if (rc == 0)
		return;
	d->rules->pairs_differ = true;
	if (rc != -ENOENT)
		log_error(
			"a pair of client and FTP server can't be changed: %s; "
			"rules are put in place anew",
			strerror(-rc));
}

/* Pairs of one family at a time. */
struct gone {
	struct data *d;
	size_t count;
	struct nft_pair list[64];
};

static void flush_gone(struct gone *g)
{
	int rc = 0;

	if (is_in_kernel(g->d))
		rc = nft_pairs_del(nft_netlink(g->d->rules->nft), g->list,
				   g->count);
	g->count = 0;
	changed(g->d, rc);
}

static void take_gone(const struct nft_pair *pair, void *arg)
{
	struct gone *g = arg;

	if (g->count == sizeof(g->list) / sizeof(g->list[0]) ||
	    (g->count > 0 && g->list[0].client.family != pair->client.family))
		flush_gone(g);
	g->list[g->count++] = *pair;
}

static void expire(struct data *d, uint64_t before_ms)
{
	struct gone g = {.d = d};

	pairs_expire(d->rules->pairs, before_ms, take_gone, &g);
	flush_gone(&g);
}

static void on_look(struct timer *t, uint64_t now_ms)
{
	struct data *d = list_entry(&t->node, struct data, look.node);

	if (now_ms > LINGER_MS)
		expire(d, now_ms - LINGER_MS);
	timer_arm(&d->role->loop.wheel, t, now_ms + LOOK_MS);
}

/* What lingers gives way where there is no room. */
static void hold(struct data *d, const struct nft_pair *pair, uint32_t index)
{
	uint64_t now_ms = d->role->loop.now_ms;
	int rc = pairs_hold(d->rules->pairs, pair, index);

	if (rc == -ENOSPC) {
		expire(d, now_ms);
		rc = pairs_hold(d->rules->pairs, pair, index);
	}
	if (rc == -ENOSPC && is_due(&d->full_ms, now_ms))
		log_error("%u pairs of clients and FTP servers are known, "
			  "which is all there can be: others get no data "
			  "connection",
			  PAIRS_MAX);
	if (rc == 1 && is_in_kernel(d))
		rc = nft_pairs_add(nft_netlink(d->rules->nft), pair, 1);
	else
		rc = 0;
	changed(d, rc);
}

int data_pair(struct data *d, uint32_t index, const struct msg_pair *msg)
{
	struct nft_pair pair;

	if (!take_pair(msg, &pair) || msg->held > 1)
		return -EPROTO;
	if (msg->held != 0)
		hold(d, &pair, index);
	else
		pairs_drop(d->rules->pairs, &pair, index, d->role->loop.now_ms);
	publish(d);
	return 0;
}

void data_relay_gone(struct data *d, uint32_t index)
{
	pairs_drop_all(d->rules->pairs, index, d->role->loop.now_ms);
	publish(d);
}

/* --- what an earlier process of this role left ------------------------------------------- */

/* How many were taken out, or -errno. */
static int remove_stale(struct data *d, uint8_t family)
{
	struct netlink *nl = nft_netlink(d->rules->nft);
	struct nft_pair *list;
	size_t count, stale = 0;
	int rc = nft_pairs_list(nl, family, &list, &count);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (!pairs_known(d->rules->pairs, &list[i]))
			list[stale++] = list[i];
	rc = nft_pairs_del(nl, list, stale);
	free(list);
	return rc == 0 ? (int)stale : rc;
}

/* Meanwhile such a pair lets nothing through that finds no socket of ours. */
static void on_stale(struct timer *t, uint64_t now_ms)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct data *d = list_entry(&t->node, struct data, stale.node);

	(void)now_ms;
	for (size_t i = 0; i < 2 && is_in_kernel(d); i++) {
		int n = remove_stale(d, families[i]);

		if (n > 0)
			log_info("%d pairs of clients and FTP servers are "
				 "nobody's any more: removed",
				 n);
		else if (n < 0 && n != -ENOENT)
			log_warn("pairs of an earlier process can't be "
				 "removed: %s",
				 strerror(-n));
	}
}

/* --- sockets -------------------------------------------------------------------------- */

static bool is_address_of(const struct ip_endpoint *local,
			  const struct ip_addr *addr)
{
	return ip_addr_equal(&local->addr, addr);
}

/* On an address that isn't the pair's, bind(2) sees to it that it is ours. */
int data_check(const struct msg_data *want)
{
	struct nft_pair pair;

	if (!take_pair(&want->pair, &pair) || want->kind >= DATA_KIND_COUNT ||
	    !is_sound(&want->local.addr) ||
	    want->local.addr.family != pair.client.family)
		return -EPROTO;
	if (want->kind != DATA_FROM_SERVER &&
	    !is_address_of(&want->local, &pair.server))
		return -EPROTO;
	return 0;
}

static enum tproxy_data kind_of(const struct msg_data *want)
{
	switch (want->kind) {
	case DATA_FROM_CLIENT:
		return TPROXY_FROM_CLIENT;
	case DATA_TO_CLIENT:
		return TPROXY_TO_CLIENT;
	default:
		return is_address_of(&want->local, &want->pair.client)
			       ? TPROXY_FROM_SERVER
			       : TPROXY_FROM_SERVER_HERE;
	}
}

int data_socket(struct data *d, uint32_t index, const struct msg_data *want)
{
	struct nft_pair pair;
	int fd;

	if (!take_pair(&want->pair, &pair) ||
	    !pairs_held_by(d->rules->pairs, &pair, index))
		return -ENOENT;
	fd = tproxy_data(kind_of(want), &want->local);
	if (fd >= 0)
		stats_add(d->role->stats, NET_DATA_GIVEN, 1);
	else if (fd != -EADDRINUSE && fd != -EADDRNOTAVAIL &&
		 is_due(&d->failed_ms, d->role->loop.now_ms))
		log_error("a socket for a data connection on port %u can't be "
			  "made: %s",
			  want->local.port, strerror(-fd));
	return fd;
}

/* --- life ----------------------------------------------------------------------------- */

void data_init(struct data *d, struct role *role, struct rules *rules)
{
	memset(d, 0, sizeof(*d));
	d->role = role;
	d->rules = rules;
	timer_init(&d->stale, on_stale);
	timer_init(&d->look, on_look);
	timer_arm(&role->loop.wheel, &d->look, role->loop.now_ms + LOOK_MS);
	timer_arm(&role->loop.wheel, &d->stale, role->loop.now_ms + CLAIM_MS);
}
