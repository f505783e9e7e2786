// SPDX-License-Identifier: GPL-2.0-or-later
#include "invariants_ftp.h"

#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "problem.h"

/* --- files ---------------------------------------------------------- */

/* Somebody's data connection began with @part: how much it had. */
static size_t sender_has(const struct gateway *g, bool client, struct str part)
{
	const struct list *pos;
	size_t most = 0;

	list_for_each(pos, &g->peers) {
		const struct peer *p = list_entry(pos, struct peer, node);
		struct str said = bytes_str(&p->said);

		if (p->data && p->client == client && said.len > most &&
		    str_has(said, part))
			most = said.len;
	}
	return most;
}

/* Whether @part may have left before the verdict, as all but a tail may. */
static bool early(const struct gateway *g, const struct peer *p,
		  struct str part)
{
	const struct config *c = &g->config;
	bool tail = p->client ? c->delivery.mode != DELIVERY_HOLD
			      : c->ftp.uploads == DELIVERY_TAIL;

	return tail &&
	       sender_has(g, !p->client, part) >= part.len + c->delivery.tail;
}

/*
 * A client that asked for it (REST) gets the end of what was judged, and of
 * that a part when it is cut off; others get the beginning.
 */
static bool is_clean(const struct gateway *g, const struct peer *p,
		     struct str file, bool whole)
{
	return p->client ? role_scan_found_clean_part(&g->scan, file, whole)
			 : role_scan_found_clean(&g->scan, file, whole);
}

static void check_file(const struct gateway *g, const struct peer *p)
{
	struct str file = bytes_str(&p->got);
	bool whole = p->end == TCP_FIN;

	if (file.len == 0 || p->listing || is_clean(g, p, file, whole) ||
	    (!whole && early(g, p, file)))
		return;
	problem("the %s got %zu bytes of a file, %s, that nobody called clean",
		p->client ? "client" : "server", file.len,
		whole ? "as a whole one" : "cut off");
}

/* What is held doesn't begin, and what is no whole file is refused. */
static void check_command(const struct gateway *g, struct str line)
{
	static const struct {
		const char *verb;
		bool never;
	} uploads[] = {{"STOR", false}, {"STOU", false}, {"APPE", true}};

	for (size_t i = 0; i < sizeof(uploads) / sizeof(uploads[0]); i++) {
		struct str verb = {line.p, line.len < 4 ? line.len : 4};

		if (!str_eq_nocase(verb, str_of(uploads[i].verb)))
			continue;
		if (uploads[i].never)
			problem("the server got APPE, which can't be scanned");
		else if (g->config.ftp.uploads == DELIVERY_HOLD &&
			 !role_scan_found_clean(&g->scan, STR(""), false))
			problem("the server got %s, and nothing was clean",
				uploads[i].verb);
	}
}

static void check_commands(const struct gateway *g, const struct peer *server)
{
	struct str rest = bytes_str(&server->got);
	const char *end;

	while (rest.p != NULL &&
	       (end = memchr(rest.p, '\n', rest.len)) != NULL) {
		struct str line = {rest.p, (size_t)(end - rest.p) + 1};

		check_command(g, line);
		rest = str_from(rest, line.len);
	}
}

void invariants_ftp_files(const struct gateway *g)
{
	const struct list *pos;

	list_for_each(pos, &g->peers) {
		const struct peer *p = list_entry(pos, struct peer, node);

		if (p->data)
			check_file(g, p);
		else if (!p->client && !g->stats.counter[RELAY_TUNNELS])
			check_commands(g, p);
	}
}

/* --- addresses ------------------------------------------------------ */

/* Nobody is told of a data connection that we would not see. */
static void check_announcements(const struct peer *p)
{
	struct announcements a = announcements_of(p);
	struct ip_endpoint ep;
	char text[IP_TEXT_MAX];

	while (announcements_next(&a, &ep))
		if (!sim_listened_at(&ep, !p->client))
			problem("the %s was sent to %s, where we aren't",
				p->client ? "client" : "server",
				ip_endpoint_format(&ep, text, sizeof(text)));
}

void invariants_ftp(const struct gateway *g)
{
	const struct list *pos;

	list_for_each(pos, &g->peers) {
		const struct peer *p = list_entry(pos, struct peer, node);

		/* What a tunnel carries is not ours to read. */
		if (!p->data && !g->stats.counter[RELAY_TUNNELS])
			check_announcements(p);
	}
	if (!g->net.silent && !list_empty(&g->net.pairs))
		problem("a pair is held, and no session is left");
}
