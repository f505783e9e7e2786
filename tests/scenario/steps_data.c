// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps about FTP's data connections. */
#include <string.h>

#include "data.h"
#include "problem.h"
#include "run.h"

/* Where @control was told last to connect to. */
static bool last_announced(const struct peer *control, struct ip_endpoint *ep)
{
	struct announcements a;
	bool found = false;

	if (control == NULL)
		return false;
	a = announcements_of(control);
	while (announcements_next(&a, ep))
		found = true;
	return found;
}

/* [ADDRESS:PORT] [from ADDRESS] */
static bool read_args(struct args a, struct ip_endpoint *from,
		      struct ip_endpoint *to, bool *to_given)
{
	*to_given = false;
	for (unsigned int i = 0; i < a.n; i++) {
		bool is_from = str_eq(a.word[i].text, STR("from"));

		if (is_from && ++i == a.n)
			return false;
		if (!data_endpoint(a.word[i].text, is_from ? from : to))
			return false;
		*to_given |= !is_from;
	}
	return true;
}

static void connect_data(struct run *r, struct args a, bool client)
{
	struct gateway *g = &r->gateway;
	struct ip_endpoint from = client ? g->client_at : g->server_at;
	struct ip_endpoint to;
	bool given;

	from.port = client ? 0 : 20;
	if (!read_args(a, &from, &to, &given))
		problem("want [ADDRESS:PORT] [from ADDRESS]");
	else if (given || last_announced(client ? g->client : g->server, &to))
		gateway_dial_data(g, &from, &to, client);
	else if (r->mode != RUN_FAULT)
		problem("no data connection was announced");
}

void step_client_data(struct run *r, struct peer *p, struct args a)
{
	(void)p;
	connect_data(r, a, true);
}

void step_server_data(struct run *r, struct peer *p, struct args a)
{
	(void)p;
	connect_data(r, a, false);
}

/* --- where a connection goes ---------------------------------------- */

static void expect_at(const struct ip_endpoint *is, struct str word)
{
	struct ip_endpoint want;
	char text[IP_TEXT_MAX];

	if (!data_endpoint(word, &want))
		problem("want ADDRESS or ADDRESS:PORT");
	else if (!ip_addr_equal(&is->addr, &want.addr) ||
		 (want.port != 0 && is->port != want.port))
		problem("it was %s",
			ip_endpoint_format(is, text, sizeof(text)));
}

void expect_from(struct run *r, struct peer *p, struct args a)
{
	(void)r;
	expect_at(p->called ? &p->tcp->remote : &p->tcp->local, a.word[0].text);
}

void expect_to(struct run *r, struct peer *p, struct args a)
{
	(void)r;
	expect_at(p->called ? &p->tcp->local : &p->tcp->remote, a.word[0].text);
}
