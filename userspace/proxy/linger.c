// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * After the last word to a client that may still be sending: closing at once
 * would answer its bytes with a RST, and a RST can destroy the last word
 * before it was read (RFC 9112 9.6). So what comes is thrown away for a
 * moment.
 */
#include "proxy/relay.h"
#include "proxy/session.h"

#define LINGER_MS     2000
#define LINGER_BUDGET (4u << 20) /* bytes before others get their turn */

static void linger_run(struct session *s)
{
	struct side *client = &s->client;
	uint64_t before = client->received;
	ssize_t n = 1;

	while (n > 0 && client->received - before < LINGER_BUDGET)
		n = side_receive_into(client, s->relay->scratch, RELAY_SCRATCH);
	if (client->rd_closed || client->error != 0)
		session_end(s, CLOSE_DONE, false);
	else if (n > 0)
		session_again(s);
}

static void linger_timeout(struct session *s)
{
	session_end(s, CLOSE_DONE, false);
}

static void linger_ended(struct session *s, enum session_close why)
{
	/* What there was to say about it is said. */
	(void)s;
	(void)why;
}

static void linger_describe(const struct session *s, struct msg_session *row)
{
	(void)s;
	str_copy(row->state, sizeof(row->state), "closing");
}

const struct protocol protocol_linger = {
	.name = "linger",
	.run = linger_run,
	.timeout = linger_timeout,
	.ended = linger_ended,
	.describe = linger_describe,
};

void session_linger(struct session *s)
{
	session_disconnect(s);
	side_shutdown(&s->client);
	buf_consume(&s->client.in, buf_len(&s->client.in));
	side_relax(&s->client);
	s->protocol = &protocol_linger;
	session_deadline(s, s->relay->loop->now_ms + LINGER_MS);
	linger_run(s);
}
