// SPDX-License-Identifier: GPL-2.0-or-later
#include "invariants.h"

#include "invariants_ftp.h"
#include "problem.h"

/* --- bodies --------------------------------------------------------- */

static bool own_page(struct str body)
{
	struct str page = STR(OWN_PAGE);

	return str_starts(body, page) || str_starts(page, body);
}

/* The messages of one stream, in order. */
struct stream {
	struct str rest;
	bool ended;
	bool response;
	struct str requests; /* whose methods say what has no body */
	unsigned int answers;
};

/* What @p sent, or what came for it. */
static struct stream stream_of(const struct peer *p, bool sent)
{
	return (struct stream){
		.rest = bytes_str(sent ? &p->said : &p->got),
		.ended = sent ? p->fin_sent : p->end == TCP_FIN,
		.response = p->client != sent,
		.requests = peer_requests(p),
	};
}

/* The next message with a head, which message_free() is for. */
static bool next_message(struct stream *st, struct message *m)
{
	if (st->response && !str_starts(st->rest, STR("HTTP/1.")))
		return false;
	message_read(m, st->rest, st->ended, st->response,
		     requests_ask_head(st->requests, st->answers));
	st->answers += m->status >= 200;
	st->rest = str_from(st->rest, m->len);
	/* What follows may be a tunnel's, and nobody's message. */
	if (m->status == 101 ||
	    (!st->response && message_field(m, STR("Upgrade")).p != NULL))
		st->rest.len = 0;
	return m->state != MESSAGE_NONE;
}

/*
 * What an origin server sent of the body that begins with @part; 0 when there
 * is no such body.
 */
static size_t origin_has(const struct gateway *g, struct str part)
{
	const struct list *pos;
	struct message m;
	size_t most = 0;

	list_for_each(pos, &g->peers) {
		const struct peer *p = list_entry(pos, struct peer, node);
		struct stream st = stream_of(p, true);

		while (!p->client && next_message(&st, &m)) {
			if (str_starts(bytes_str(&m.body), part) &&
			    bytes_len(&m.body) > most)
				most = bytes_len(&m.body);
			message_free(&m);
		}
	}
	return most;
}

/* Whether @part may have been let go before the verdict, but for its tail. */
static bool early(const struct gateway *g, struct str part)
{
	const struct config_delivery_options *d = &g->config.delivery;

	return d->mode != DELIVERY_HOLD &&
	       origin_has(g, part) >= part.len + d->tail;
}

static void check_body(const struct gateway *g, const struct peer *p,
		       const struct message *m)
{
	struct str body = bytes_str(&m->body);
	bool whole = m->state == MESSAGE_WHOLE;

	if (body.len == 0 || (p->client && own_page(body)) ||
	    role_scan_found_clean(&g->scan, body, whole) ||
	    (p->client && !whole && early(g, body)))
		return;
	problem("%s got %zu bytes of a body, %s, that nobody called clean",
		p->client ? "the client" : "the server", body.len,
		whole ? "as a whole one" : "cut off");
}

static void check_bodies(const struct gateway *g)
{
	const struct list *pos;
	struct message m;

	list_for_each(pos, &g->peers) {
		const struct peer *p = list_entry(pos, struct peer, node);
		struct stream st = stream_of(p, false);

		while (next_message(&st, &m)) {
			check_body(g, p, &m);
			message_free(&m);
		}
	}
}

/* --- events --------------------------------------------------------- */

/* Each exchange and each tunnel left one, unless there was no memory for it. */
static void check_events(const struct gateway *g)
{
	const uint64_t *n = g->stats.counter;
	uint64_t told = g->log.next + n[RELAY_EVENTS_DROPPED];
	uint64_t begun = n[RELAY_REQUESTS] + n[RELAY_TUNNELS];

	if (g->config.log_access && told != begun)
		problem("%llu requests and tunnels, and %llu events",
			(unsigned long long)begun, (unsigned long long)told);
	if (!outbox_empty(&g->relay.events))
		problem("events were never sent");
}

void invariants_check(const struct gateway *g)
{
	const struct config_scan *scan = &g->config.scan;

	bool ftp = g->config.services[0].protocol == PROTOCOL_FTP;

	if (scan->engine != ENGINE_NONE && scan->not_scanned == ACTION_BLOCK)
		(ftp ? invariants_ftp_files : check_bodies)(g);
	if (ftp)
		invariants_ftp(g);
	check_events(g);
}
