// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes both ways, unread: WebSocket after its handshake, and connections that
 * are no HTTP where http.non_http lets them pass. Half-close is passed on; a
 * reset of one side resets the other.
 */
#include <errno.h>

#include "proxy/relay.h"
#include "proxy/session.h"

#define TUNNEL_BUDGET (1u << 20)

/* What is in @from's buffer goes before what is in its socket. */
static bool move_buffered(struct side *from, struct side *to)
{
	size_t n = buf_len(&from->in);

	if (n == 0 || !side_out_room(to, 1))
		return false;
	if (n > buf_room(&to->out))
		n = buf_room(&to->out);
	(void)buf_append(&to->out, buf_head(&from->in), n);
	buf_consume(&from->in, n);
	return true;
}

static bool move_some(struct side *from, struct side *to)
{
	ssize_t n;

	if (move_buffered(from, to))
		return true;
	n = side_splice(from, to, PIPE_SIZE);
	if (n == -ENOBUFS && to->pipe == NULL)
		n = side_receive(from); /* no pipe to be had: copy */
	return n > 0;
}

/* One direction, as far as both sides go. False: it is broken. */
static bool flow(struct side *from, struct side *to)
{
	uint64_t before = from->received;

	while (side_flush(to) == 0 && move_some(from, to)) {
		if (from->received - before > TUNNEL_BUDGET) {
			session_again(from->session);
			break;
		}
	}
	if (from->rd_closed && buf_len(&from->in) == 0 && side_flushed(to))
		side_shutdown(to);
	return from->error == 0 && to->error == 0;
}

static void carry(struct session *s)
{
	session_deadline(s, s->relay->loop->now_ms +
				    s->config->config->http.tunnel_timeout);
	if (!flow(&s->client, &s->server) || !flow(&s->server, &s->client))
		session_end(s,
			    s->client.error != 0 ? CLOSE_CLIENT_GONE
						 : CLOSE_SERVER_GONE,
			    true);
	else if (s->client.wr_closed && s->server.wr_closed)
		session_end(s, CLOSE_DONE, false);
}

static void tunnel_run(struct session *s)
{
	if (s->upstream == UPSTREAM_NONE) {
		session_deadline(
			s, s->relay->loop->now_ms +
				   s->config->config->http.connect_timeout);
		session_connect(s);
	}
	if (s->upstream == UPSTREAM_FAILED)
		session_end(s, CLOSE_SERVER_GONE, true);
	else if (s->upstream == UPSTREAM_CONNECTED)
		carry(s);
}

static void tunnel_timeout(struct session *s)
{
	uint64_t limit = s->last_io_ms + s->config->config->http.tunnel_timeout;

	if (s->upstream == UPSTREAM_CONNECTED && limit > s->relay->loop->now_ms)
		session_deadline(s, limit);
	else
		session_end(s, CLOSE_TIMEOUT, true);
}

static enum reason reason_of(enum session_close why)
{
	switch (why) {
	case CLOSE_TIMEOUT:
		return REASON_TIMEOUT;
	case CLOSE_SHUTDOWN:
		return REASON_SHUTDOWN;
	case CLOSE_SERVER_GONE:
		return REASON_ORIGIN_CLOSED;
	case CLOSE_CLIENT_GONE:
		return REASON_CLIENT_CLOSED;
	default:
		return REASON_NONE;
	}
}

static void tunnel_ended(struct session *s, enum session_close why)
{
	struct event ev = {
		.time_us = s->relay->loop->clock->wall_us(),
		.session = s->id,
		.client = s->client_addr,
		.server = s->server_addr,
		.protocol = EVENT_TUNNEL,
		.verdict = VERDICT_PASSED,
		.reason = reason_of(why),
		.bytes_in = s->client.received,
		.bytes_out = s->client.sent,
		.duration_ms = s->relay->loop->now_ms - s->started_ms,
	};

	stats_add(s->relay->stats, RELAY_VERDICT + VERDICT_PASSED, 1);
	if (s->config->config->log_access)
		eventlog_add(&s->relay->eventlog, &ev);
}

static void tunnel_describe(const struct session *s, struct msg_session *row)
{
	str_copy(row->state, sizeof(row->state),
		 s->upstream == UPSTREAM_CONNECTED ? "tunnel" : "connecting");
}

const struct protocol protocol_tunnel = {
	.name = "tunnel",
	.run = tunnel_run,
	.timeout = tunnel_timeout,
	.ended = tunnel_ended,
	.describe = tunnel_describe,
};
