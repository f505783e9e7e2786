// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/app/labelling.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "proto/packet.h"
#include "render/marks.h"
#include "sys/log.h"
#include "sys/nft_classify.h"
#include "sys/nft_object.h"

#define RETRY_MS 5000

/* --- packets ------------------------------------------------------------------------ */

static bool is_lan(const struct labelling *l, uint32_t ifindex)
{
	for (size_t i = 0; i < CONFIG_IFACES; i++)
		if (l->lan[i] != 0 && l->lan[i] == ifindex)
			return true;
	return false;
}

/* From one LAN to another both ends are clients; the classifier goes by ports. */
static enum classify_way way_of(const struct labelling *l,
				const struct nfqueue_packet *p)
{
	bool up = is_lan(l, p->in), down = is_lan(l, p->out);

	if (up == down)
		return CLASSIFY_UNKNOWN_WAY;
	return up ? CLASSIFY_UP : CLASSIFY_DOWN;
}

static void set_hint(struct labelling *l, const struct classify_result *r)
{
	uint64_t now_ms = l->role->loop.now_ms;
	struct nft_hint hint = {
		.server = r->server.addr,
		.port = r->server.port,
		.protocol = r->proto,
	};
	struct hint h;
	int rc;

	if (!l->nl_open || now_ms < l->hints_from_ms ||
	    !classify_hint_of(l->classify, r->proto, &r->server, now_ms, &h))
		return;
	hint.mark = (uint32_t)h.app << LABEL_SHIFT | LABEL_HINT;
	hint.timeout_ms = h.left_ms;
	/* Without it the next connection there is looked at, no more. */
	rc = nft_hint_set(&l->nl, &hint);
	if (rc == 0)
		stats_add(l->role->stats, APP_HINTS, 1);
	else /* the set is full: room comes with time */
		l->hints_from_ms = now_ms + RETRY_MS;
}

static void on_packet(const struct nfqueue_packet *p,
		      struct nfqueue_answer *answer, void *arg)
{
	struct labelling *l = arg;
	struct stats *stats = l->role->stats;
	struct classify_result r;
	struct packet packet;

	classify_packet(l->classify, p->data, p->len, way_of(l, p),
			l->role->loop.now_ms, &r);
	if (r.verdict != CLASSIFY_LABEL && r.verdict != CLASSIFY_GIVEN_UP)
		return;
	if (packet_parse(p->data, p->len, &packet) < PACKET_TCP)
		return;
	answer->label = true;
	answer->ct.src = packet.src;
	answer->ct.dst = packet.dst;
	answer->ct.protocol = packet.proto;
	answer->ct.bits = (uint32_t)r.app << LABEL_SHIFT;
	if (r.confidence == APP_BY_HINT)
		answer->ct.bits |= LABEL_HINT;
	if (r.repeated)
		return;
	stats_add(stats, APP_LABELLED, 1);
	if (r.verdict == CLASSIFY_GIVEN_UP)
		stats_add(stats, APP_GIVEN_UP, 1);
	/* One that the kernel had would have labelled before the queue. */
	if (r.hint_ready || r.confidence == APP_BY_HINT)
		set_hint(l, &r);
}

/* --- the queues ---------------------------------------------------------------------- */

static void shut(struct labelling *l)
{
	if (l->queue == NULL)
		return;
	loop_del(&l->role->loop, &l->watch);
	nfqueue_close(l->queue);
	l->queue = NULL;
}

static void on_readable(struct loop_fd *lfd, uint32_t events)
{
	struct labelling *l = list_entry(lfd, struct labelling, watch);
	int rc = nfqueue_read(l->queue);

	(void)events;
	if (rc >= 0)
		return;
	log_error("queue of packets: %s; it is opened again", strerror(-rc));
	shut(l);
	l->retry_ms = l->role->loop.now_ms + RETRY_MS;
}

static void refused(struct labelling *l, int err)
{
	const struct config_apps *apps = &l->role->config->config->apps;

	l->retry_ms = l->role->loop.now_ms + RETRY_MS;
	snprintf(l->says, sizeof(l->says), "no labels: queue %u: %s%s",
		 apps->queue, strerror(err),
		 err == EBUSY ? " (another program reads it: change apps.queue)"
			      : "");
	if (!l->refused_logged)
		log_error("%s", l->says);
	l->refused_logged = true;
}

/* The rule counts from now on, or from when it is put in place. */
static void count_from_now(struct labelling *l)
{
	if (nft_classify_offered(&l->nl, &l->counted) != 0)
		l->counted = 0;
	l->offered = 0;
	l->lost = 0;
}

static void open_queues(struct labelling *l)
{
	const struct config_apps *apps = &l->role->config->config->apps;
	const struct nfqueue_config config = {.first = apps->queue,
					      .count = apps->queues};
	int rc;

	if (l->kind == QUEUE_NONE) {
		snprintf(l->says, sizeof(l->says),
			 "no labels: this kernel has no NFQUEUE (nft_queue or "
			 "xt_NFQUEUE)");
		l->retry_ms = l->role->loop.now_ms + RETRY_MS;
		return;
	}
	rc = nfqueue_open(&l->queue, &config, on_packet, l);
	if (rc == 0)
		rc = loop_add(&l->role->loop, &l->watch, nfqueue_fd(l->queue),
			      EPOLLIN, on_readable);
	if (rc == 0) {
		l->refused_logged = false;
		count_from_now(l);
		snprintf(l->says, sizeof(l->says),
			 "labels: queues %u to %u by %s", apps->queue,
			 apps->queue + apps->queues - 1u,
			 nft_queue_name(l->kind));
		return;
	}
	nfqueue_close(l->queue);
	l->queue = NULL;
	refused(l, -rc);
}

/* --- each second --------------------------------------------------------------------- */

static void look_at_interfaces(struct labelling *l)
{
	const struct config_intercept *ic = &l->role->config->config->intercept;

	for (size_t i = 0; i < CONFIG_IFACES; i++)
		l->lan[i] = i < ic->lan_count ? if_nametoindex(ic->lan[i]) : 0;
}

/* For the switch, for hints, and to ask what the kernel queues with. */
static bool netlink_ready(struct labelling *l)
{
	if (l->nl_open)
		return true;
	if (netlink_open(&l->nl, NETLINK_NETFILTER) != 0)
		return false;
	l->nl_open = true;
	if (nft_queue_probe(&l->nl, &l->kind) != 0)
		l->kind = QUEUE_NONE;
	return true;
}

/* Packets come for as long as we say that we read them. */
static void renew_switch(struct labelling *l)
{
	int rc = nft_classify_renew(&l->nl);

	/* The net role puts the rules back, or has not yet. */
	if (rc == 0 || rc == -ENOENT)
		return;
	log_warn("switch of the queues: %s", strerror(-rc));
	netlink_close(&l->nl);
	l->nl_open = false;
}

/*
 * A full queue lets packets pass that get no number: only the rule has seen
 * them. It is asked first, and what comes meanwhile keeps us from concluding;
 * then the next second will do.
 */
static void count_lost(struct labelling *l)
{
	const struct nfqueue_stats *q = nfqueue_stats(l->queue);
	uint64_t now;

	if (nft_classify_offered(&l->nl, &now) != 0)
		return;
	/* Rules that were put back count from 0. */
	l->offered += now >= l->counted ? now - l->counted : now;
	l->counted = now;
	if (nfqueue_idle(l->queue) && l->offered > q->packets)
		l->lost = l->offered - q->packets;
}

static void tell_counters(struct labelling *l)
{
	const struct nfqueue_stats *q = nfqueue_stats(l->queue);
	const struct flows_stats *flows = classify_flows(l->classify);
	struct stats *stats = l->role->stats;

	stats_set(stats, APP_QUEUED, q->packets);
	stats_set(stats, APP_QUEUE_LOST, l->lost);
	stats_set(stats, APP_LABELS_LOST, q->labels_missing + q->label_errors);
	stats_set(stats, APP_FLOWS, flows->live);
	stats_set(stats, APP_FLOWS_EVICTED,
		  flows->displaced + classify_stats(l->classify)->no_room);
}

void labelling_tick(struct labelling *l)
{
	classify_tick(l->classify, l->role->loop.now_ms);
	look_at_interfaces(l);
	if (!netlink_ready(l))
		return;
	if (l->queue == NULL && l->role->loop.now_ms >= l->retry_ms)
		open_queues(l);
	if (l->queue == NULL)
		return;
	renew_switch(l);
	count_lost(l);
	tell_counters(l);
}

/* --- life ---------------------------------------------------------------------------- */

int labelling_open(struct labelling *l, struct role *role,
		   const struct siphash_key *secret)
{
	struct classify_config config = classify_defaults;
	const struct config_apps *apps = &role->config->config->apps;

	l->role = role;
	l->watch.fd = -1;
	config.secret = *secret;
	config.first_packets = apps->first_packets;
	if (apps->hint_time > 0)
		config.hints.lifetime_ms = (uint32_t)apps->hint_time;
	l->classify = classify_new(&config);
	if (l->classify == NULL) {
		log_error("no memory for nDPI");
		return -ENOMEM;
	}
	/* At once: it loads conntrack, whose functions BPF is going to call. */
	labelling_tick(l);
	return 0;
}

void labelling_stop(struct labelling *l)
{
	if (l->nl_open)
		(void)!nft_classify_stop(&l->nl);
}

/*
 * The kernel drops what a queue holds that is closed. The end of a connection
 * isn't queued and may be through already; a server that is done then knows
 * nothing of the bytes that the client still asks for, and resets.
 */
static void empty(struct labelling *l)
{
	labelling_stop(l);
	while (l->queue != NULL && nfqueue_read(l->queue) > 0)
		;
	shut(l);
}

void labelling_close(struct labelling *l)
{
	empty(l);
	if (l->nl_open)
		netlink_close(&l->nl);
	l->nl_open = false;
	classify_free(l->classify);
	l->classify = NULL;
}

/* What is being named goes on, in other queues. */
void labelling_reloaded(struct labelling *l)
{
	const struct config_apps *apps = &l->role->config->config->apps;

	if (l->queue != NULL &&
	    !nfqueue_is(l->queue, apps->queue, apps->queues))
		empty(l);
	l->retry_ms = 0;
	labelling_tick(l);
}
