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

int data_check(const struct ip_addr *client, const struct ip_addr *server)
{
	return is_sound(client) && is_sound(server) &&
			       client->family == server->family
		       ? 0
		       : -EPROTO;
}

/* Byte by byte, as memory of its own has no padding that differs. */
static void make_pair(struct nft_pair *pair, const struct ip_addr *client,
		      const struct ip_addr *server)
{
	memset(pair, 0, sizeof(*pair));
	pair->client = *client;
	pair->server = *server;
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
static int hold(struct data *d, const struct nft_pair *pair, uint32_t index)
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
	return rc;
}

int data_pair_hold(struct data *d, uint32_t index, const struct msg_pair *msg)
{
	struct nft_pair pair;
	int rc;

	make_pair(&pair, &msg->client, &msg->server);
	rc = hold(d, &pair, index);
	if (rc < 0)
		return rc;
	if (rc == 1 && is_in_kernel(d))
		changed(d, nft_pairs_add(nft_netlink(d->rules->nft), &pair, 1));
	publish(d);
	/* What is not there yet comes with the rules. */
	return is_in_kernel(d) && !d->rules->pairs_differ ? 0 : -EAGAIN;
}

void data_pair_drop(struct data *d, uint32_t index, const struct msg_pair *msg)
{
	struct nft_pair pair;

	make_pair(&pair, &msg->client, &msg->server);
	pairs_drop(d->rules->pairs, &pair, index, d->role->loop.now_ms);
	publish(d);
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

int data_socket(struct data *d, uint32_t index, const struct msg_data *want)
{
	const struct ip_endpoint local = {want->server, want->port};
	struct nft_pair pair;
	int fd;

	make_pair(&pair, &want->client, &want->server);
	if (!pairs_held_by(d->rules->pairs, &pair, index))
		return -ENOENT;
	fd = tproxy_data_call(&local);
	if (fd >= 0)
		stats_add(d->role->stats, NET_DATA_GIVEN, 1);
	else if (fd != -EADDRINUSE &&
		 is_due(&d->failed_ms, d->role->loop.now_ms))
		log_error("a socket for a data connection from port %u can't "
			  "be made: %s",
			  want->port, strerror(-fd));
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
