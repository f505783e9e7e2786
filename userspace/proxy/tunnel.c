// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes both ways, unread: WebSocket after its handshake, and connections that
 * are no HTTP where http.non_http lets them pass. Half-close is passed on; a
 * reset of one side resets the other.
 */
#include <errno.h>
#include <stdlib.h>

#include "proxy/eventlog.h"
#include "proxy/relay.h"
#include "proxy/session.h"

/* Bytes moved one way before others get their turn. */
#define TUNNEL_BUDGET (256u << 10)

/* Counters of the client's side when the tunnel began. */
struct tunnel {
	uint64_t received;
	uint64_t sent;
	uint64_t started_ms;
};

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

/* Both have said their last word, and both words are with the kernel. */
static void done(struct session *s)
{
	side_break_off(&s->client, false);
	side_break_off(&s->server, false);
	session_end(s, CLOSE_DONE, false);
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
		done(s);
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

static enum reason reason_of(const struct session *s, enum session_close why)
{
	bool connected = s->upstream == UPSTREAM_CONNECTED;

	switch (why) {
	case CLOSE_TIMEOUT:
		return connected ? REASON_TIMEOUT : REASON_CONNECT_TIMEOUT;
	case CLOSE_SHUTDOWN:
		return REASON_SHUTDOWN;
	case CLOSE_SERVER_GONE:
		if (connected)
			return REASON_ORIGIN_CLOSED;
		return s->server.error == -ETIMEDOUT ? REASON_CONNECT_TIMEOUT
						     : REASON_CONNECT;
	case CLOSE_CLIENT_GONE:
		return REASON_CLIENT_CLOSED;
	default:
		return REASON_NONE;
	}
}

static void tunnel_ended(struct session *s, enum session_close why)
{
	struct tunnel *t = s->state;
	struct stats *st = s->relay->stats;
	struct event ev = {
		.protocol = EVENT_TUNNEL,
		.verdict = VERDICT_PASSED,
		.reason = reason_of(s, why),
		.bytes_in = s->client.received - t->received,
		.bytes_out = s->client.sent - t->sent,
		.duration_ms = s->relay->loop->now_ms - t->started_ms,
	};

	eventlog_tell(s, &ev);
	stats_sub(st, RELAY_SESSION_MEMORY, sizeof(*t));
	s->state = NULL;
	free(t);
}

static void tunnel_describe(const struct session *s, struct msg_session *row)
{
	str_copy(row->state, sizeof(row->state),
		 s->upstream == UPSTREAM_CONNECTED ? "tunnel" : "connecting");
}

static const struct protocol protocol_tunnel = {
	.name = "tunnel",
	.run = tunnel_run,
	.timeout = tunnel_timeout,
	.ended = tunnel_ended,
	.describe = tunnel_describe,
};

void session_tunnel(struct session *s)
{
	struct stats *st = s->relay->stats;
	struct tunnel *t = malloc(sizeof(*t));

	if (t == NULL) {
		session_end(s, CLOSE_NO_RESOURCES, true);
		return;
	}
	/* What waits in the buffers: in is the tunnel's, out is not. */
	t->received = s->client.received - buf_len(&s->client.in);
	t->sent = s->client.sent + buf_len(&s->client.out);
	t->started_ms = s->relay->loop->now_ms;
	stats_add(st, RELAY_SESSION_MEMORY, sizeof(*t));
	stats_add(st, RELAY_TUNNELS, 1);
	s->state = t;
	s->protocol = &protocol_tunnel;
	/* Our death is not the server's last word. */
	side_break_off(&s->client, true);
	/* However quiet it is: it can't be begun again like a request. */
	session_set_idle(s, false);
	s->protocol->run(s);
}
