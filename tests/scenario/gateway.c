// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway.h"

#include <errno.h>
#include <string.h>

#include "conf/value.h"
#include "data.h"
#include "fault.h"
#include "problem.h"

/* 2026-01-01 00:00:00 UTC, when the machine of sim.h was started. */
#define BOOT_US	      1767225600000000ULL
/* Rounds in which only the relay itself finds something to do. */
#define ROUNDS_ALONE  1000
/* Longer than any time limit of gateway_config(). */
#define LONGEST_MS    200000
/* In pieces: single bytes of a delivery's start, then this many at most. */
#define PIECE_MAX     900
#define PIECES_BUFFER 3000

static uint64_t virtual_ms(void)
{
	return sim_now()->now_ms;
}

static uint64_t virtual_us(void)
{
	return BOOT_US + sim_now()->now_ms * 1000;
}

static const struct clock_ops virtual_clock = {
	.monotonic_ms = virtual_ms,
	.wall_us = virtual_us,
};

void gateway_config(struct config *config)
{
	memset(config, 0, sizeof(*config));
	config_set_defaults(config);
	config->size = sizeof(*config);
	config->generation = 1;
	config->service_count = 1;
	config_set_service_defaults(&config->services[0], "http");
	/* An hour for each tunnel would be most of the time of a test. */
	config->http.tunnel_timeout = 60000;
	config->ftp.idle_timeout = 60000;
	config->ftp.reply_timeout = 30000;
	config->ftp.data_timeout = 20000;
	config->ftp.transfer_timeout = 30000;
	(void)str_copy(config->page_block, sizeof(config->page_block),
		       OWN_PAGE "blocked this");
	(void)str_copy(config->page_error, sizeof(config->page_error),
		       OWN_PAGE "can't get this");
	(void)str_copy(config->page_progress, sizeof(config->page_progress),
		       OWN_PAGE "is getting this");
}

/* --- roles ---------------------------------------------------------- */

/* As the parent does with a channel that was lost: both get a new end. */
static struct sim_chan *connect_role(struct gateway *g, struct sim_chan *old,
				     enum role_id id)
{
	struct sim_chan *c = sim_chan_new();
	int fd = sim_install(&c->file);

	if (old != NULL)
		chan_leave(old);
	if (relay_peer(&g->relay, id, fd) != 0)
		problem("the relay can't take a channel");
	return c;
}

static bool connect_roles(struct gateway *g)
{
	bool progress = false;

	if (!chan_is_open(&g->relay.net) && !g->net.down) {
		role_net_die(&g->net);
		g->net.chan = connect_role(g, NULL, ROLE_NET);
		progress = true;
	}
	if (!chan_is_open(&g->relay.scanner.chan) && !g->scan.down) {
		role_scan_die(&g->scan);
		g->scan.chan = connect_role(g, NULL, ROLE_SCAN);
		progress = true;
	}
	if (!chan_is_open(&g->relay.events.chan)) {
		g->log.chan = connect_role(g, g->log.chan, ROLE_LOG);
		progress = true;
	}
	return progress;
}

static bool roles_turn(struct gateway *g)
{
	bool progress = connect_roles(g);

	progress |= role_net_turn(&g->net);
	progress |= role_scan_turn(&g->scan);
	progress |= role_log_turn(&g->log);
	return progress;
}

/* --- peers ---------------------------------------------------------- */

static struct peer *meet(struct gateway *g, struct sim_tcp *t, bool client)
{
	struct peer *p = peer_new(t, client);

	list_add_tail(&g->peers, &p->node);
	return p;
}

void gateway_addresses(struct gateway *g, bool ipv6)
{
	bool ftp = g->config.services[0].protocol == PROTOCOL_FTP;

	(void)ip_addr_parse(ipv6 ? "2001:db8::7" : "192.0.2.7",
			    &g->server_at.addr);
	(void)ip_addr_parse(ipv6 ? "2001:db8:1::2" : "10.0.0.2",
			    &g->client_at.addr);
	g->server_at.port = ftp ? 21 : 80;
	g->client_at.port = 40000;
}

void gateway_dial(struct gateway *g)
{
	struct sim_tcp *t = sim_tcp_new();

	t->local = g->server_at;
	t->remote = g->client_at;
	g->client = meet(g, t, true);
	g->client->called = true;
	listener_arrive(g->net.listener, t);
}

/* Whoever else finds a listener has a pair of his own. */
static bool is_delivered(const struct gateway *g,
			 const struct ip_endpoint *from,
			 const struct ip_endpoint *to, bool client)
{
	const struct ip_addr *asks = client ? &g->client_at.addr
					    : &g->server_at.addr;

	/* On an address of the gateway's own it takes no rule. */
	if (!ip_addr_equal(&from->addr, asks) ||
	    (!client && !ip_addr_equal(&to->addr, &g->client_at.addr)))
		return true;
	return role_net_holds(&g->net, &g->client_at.addr, &g->server_at.addr);
}

void gateway_dial_data(struct gateway *g, const struct ip_endpoint *from,
		       const struct ip_endpoint *to, bool client)
{
	struct sim_listener *l = sim_listener_at(to, !client);
	struct sim_tcp *t = sim_tcp_new();
	struct peer *p = meet(g, t, client);

	p->called = true;
	p->data = true;
	*(client ? &g->client_data : &g->server_data) = p;
	t->local = *to;
	t->remote = *from;
	if (t->remote.port == 0)
		t->remote.port = g->sim->next_port++;
	if (l != NULL && is_delivered(g, from, to, client))
		listener_arrive(l, t);
	else
		tcp_refuse(t);
}

/* Whom the relay called. */
static void meet_called(struct gateway *g, struct sim_tcp *t)
{
	bool client = ip_addr_equal(&t->remote.addr, &g->client_at.addr);
	struct peer *p = meet(g, t, client);

	p->data = client || t->remote.port != g->server_at.port;
	if (!client && !ip_addr_equal(&t->remote.addr, &g->server_at.addr))
		problem("the relay calls a third host");
	*(client    ? &g->client_data
	  : p->data ? &g->server_data
		    : &g->server) = p;
}

/* A connection that the relay asked for. Answered? */
static bool answer(struct gateway *g, struct sim_tcp *t)
{
	static const int errors[CONNECT_KINDS] = {
		[CONNECT_REFUSED] = ECONNREFUSED,
		[CONNECT_TIMEOUT] = ETIMEDOUT,
	};
	enum sim_connect how = g->sim->connect;

	if (!t->closed && how == CONNECT_NEVER)
		return false;
	if (!t->closed)
		tcp_answer(t, errors[how]);
	if (t->state == TCP_OPEN)
		meet_called(g, t);
	else
		tcp_forget(t);
	return true;
}

static bool network_turn(struct gateway *g)
{
	struct list *pos, *tmp;
	bool progress = false;

	list_for_each_safe(pos, tmp, &g->sim->connecting)
		progress |= answer(g, list_entry(pos, struct sim_tcp, node));
	return progress;
}

/* How much of what a peer has to say arrives at once. */
static size_t next_piece(struct gateway *g, const struct peer *p)
{
	size_t left = bytes_len(&p->to_send);

	if (!g->pieces)
		return SIZE_MAX;
	if (left < PIECE_MAX)
		return 1;
	return 1 + noise_next(&g->noise) % PIECE_MAX;
}

/* Whether some session's server was asked for a listing last. */
static bool is_listing(const struct gateway *g)
{
	const struct list *pos;
	bool listing = false;

	list_for_each(pos, &g->peers) {
		const struct peer *p = list_entry(pos, struct peer, node);

		listing |= !p->client && !p->data && !p->tcp->closed &&
			   data_is_listing(p);
	}
	return listing;
}

/* What is on data connections meanwhile may be one. */
static void note_listing(struct gateway *g)
{
	bool listing = is_listing(g);
	struct list *pos;

	list_for_each(pos, &g->peers) {
		struct peer *p = list_entry(pos, struct peer, node);

		p->listing |= listing && p->data && p->end == TCP_NO_END;
	}
}

static bool peers_turn(struct gateway *g)
{
	struct list *pos;
	bool progress = false;

	if (g->client_data != NULL || g->server_data != NULL)
		note_listing(g);

	list_for_each(pos, &g->peers) {
		struct peer *p = list_entry(pos, struct peer, node);

		progress |= peer_turn(p, next_piece(g, p));
	}
	return progress;
}

/* --- time ----------------------------------------------------------- */

/* One round of the relay and of everybody else. Did something move? */
static bool turn(struct gateway *g, bool *others)
{
	uint64_t before = g->sim->activity;

	fault_arm(true);
	if (loop_round(g->relay.loop, 0) != 0)
		problem("the relay's loop failed");
	fault_arm(false);
	*others = roles_turn(g);
	*others |= network_turn(g);
	*others |= peers_turn(g);
	return *others || g->sim->activity != before ||
	       !list_empty(&g->relay.loop->tasks);
}

void gateway_settle(struct gateway *g)
{
	unsigned int alone = 0;
	bool others;

	while (turn(g, &others)) {
		alone = others ? 0 : alone + 1;
		if (alone > ROUNDS_ALONE) {
			problem("the relay runs in circles");
			return;
		}
	}
}

void gateway_pass(struct gateway *g, uint64_t ms)
{
	const struct wheel *wheel = &g->relay.loop->wheel;
	uint64_t end;

	gateway_settle(g);
	end = g->sim->now_ms + ms;
	while (g->sim->now_ms < end) {
		uint64_t wait = wheel_wait_ms(wheel, g->sim->now_ms,
					      end - g->sim->now_ms);

		g->sim->now_ms += wait > 0 ? wait : 1;
		gateway_settle(g);
	}
}

void gateway_finish(struct gateway *g)
{
	uint64_t end = g->sim->now_ms + LONGEST_MS;

	while (!list_empty(&g->relay.sessions) && g->sim->now_ms < end)
		gateway_pass(g, 1000);
	if (!g->relay.stopping)
		relay_stop(&g->relay, 0);
	/* The last events leave, and are stored. */
	gateway_pass(g, 2000);
}

/* --- life ----------------------------------------------------------- */

static void role_set_up(struct gateway *g)
{
	struct role *role = &g->role;

	g->config_ref = (struct config_ref){&g->config, 1};
	role->user = &g->relay;
	role->config = &g->config_ref;
	role->stats = &g->stats;
	role->cache_fd = -1;
	role->init.relays = 1;
	role->init.instance = 1;
	chan_init(&role->parent, &role->loop, &role->parent_ops, role);
}

bool gateway_open(struct gateway *g, const struct config *config, bool pieces)
{
	memset(g, 0, sizeof(*g));
	g->sim = sim_begin();
	g->config = *config;
	g->pieces = pieces;
	g->noise = 1;
	if (pieces)
		g->sim->send_buffer = PIECES_BUFFER;
	list_init(&g->peers);
	gateway_addresses(g, false);
	role_net_init(&g->net);
	role_scan_init(&g->scan);
	role_log_init(&g->log);
	role_set_up(g);
	if (loop_init(&g->role.loop, &virtual_clock) != 0 ||
	    relay_init(&g->relay, &g->role) != 0) {
		problem("the relay can't be set up");
		return false;
	}
	/* Not what this machine happens to have. */
	g->relay.objects.memory_total = 1u << 30;
	g->relay.max_sessions = 100;
	gateway_settle(g);
	return true;
}

static void let_go(struct gateway *g)
{
	struct list *node;

	while ((node = list_pop(&g->sim->connecting)) != NULL)
		tcp_forget(list_entry(node, struct sim_tcp, node));
	while ((node = list_pop(&g->peers)) != NULL)
		peer_free(list_entry(node, struct peer, node));
}

void gateway_close(struct gateway *g)
{
	if (!list_empty(&g->relay.sessions))
		problem("a session did not end");
	relay_close(&g->relay);
	loop_close(&g->role.loop);
	if (g->config_ref.refs != 1)
		problem("the configuration is held %u times",
			g->config_ref.refs - 1);
	role_net_close(&g->net);
	role_scan_close(&g->scan);
	role_log_close(&g->log);
	let_go(g);
	sim_end();
}
