// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer.h"

#include <stdlib.h>

struct peer *peer_new(struct sim_tcp *t, bool client)
{
	struct peer *p = must_alloc(sizeof(*p));

	list_init(&p->node);
	p->client = client;
	p->tcp = t;
	p->reads = READ_ALL;
	return p;
}

void peer_free(struct peer *p)
{
	tcp_forget(p->tcp);
	bytes_free(&p->to_send);
	bytes_free(&p->said);
	bytes_free(&p->got);
	message_free(&p->message);
	free(p);
}

/* Behind the last byte, and in one packet with it. */
static bool say_end(struct peer *p)
{
	if (p->rst)
		tcp_arrive_rst(p->tcp);
	else if (p->fin && !p->fin_sent)
		tcp_arrive_fin(p->tcp);
	else
		return false;
	p->fin_sent = true;
	p->rst = false;
	return true;
}

static bool talk(struct peer *p, size_t piece)
{
	size_t left = bytes_len(&p->to_send);
	size_t n = tcp_arrive(p->tcp, bytes_head(&p->to_send),
			      piece < left ? piece : left);

	(void)bytes_move(&p->said, &p->to_send, n);
	return (n == left && say_end(p)) || n > 0;
}

static bool listen_to(struct peer *p)
{
	size_t n = tcp_read(p->tcp, &p->got, p->reads);

	if (p->reads != READ_ALL)
		p->reads -= n;
	p->rst |= n > 0 && p->gone;
	if (bytes_len(&p->tcp->out) > 0 || p->end == p->tcp->end)
		return n > 0;
	p->end = p->tcp->end;
	return true;
}

bool peer_turn(struct peer *p, size_t piece)
{
	bool talked = talk(p, piece);

	return listen_to(p) || talked;
}

struct str peer_requests(const struct peer *p)
{
	return bytes_str(p->client ? &p->said : &p->got);
}

bool requests_ask_head(struct str requests, unsigned int n)
{
	struct message m;
	bool head = false;

	for (unsigned int i = 0; i <= n && requests.len > 0; i++) {
		message_read(&m, requests, false, false, false);
		head = m.state != MESSAGE_NONE &&
		       str_starts(message_line(&m), STR("HEAD "));
		requests = str_from(requests, m.len);
		if (m.state != MESSAGE_WHOLE)
			requests.len = 0;
		message_free(&m);
	}
	return head;
}
