// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A data connection has ports that nobody knows beforehand:
 *
 *	passive	client:any ---> [ listener on server:P | relay | client:any ] ---> server:P
 *	active	client:P <--- [ server:20 | relay | listener on client:P ] <--- server:20
 *
 * So packets are looked at whose addresses are those of a client and of a server
 * between which a relay has a control connection (sets pairs4, pairs6); what
 * else the two exchange finds no socket and is forwarded: open. The sockets are
 * made when the relay knows the ports, and bear MARK_DATA. A connection that was
 * announced is for its socket only, whatever was bypassed since and whether or
 * not the switch is on: nobody else expects it.
 *
 * A pair is a direction: two hosts may be client and server of each other, and
 * a packet of one's client's leg has the addresses of the other's upstream leg.
 * Full sockets are told apart by their marks; of what is left of a connection, or
 * is being opened, the client's leg is assumed.
 */
#include "render/ruleset_data.h"

#include <netinet/in.h>

#include "render/marks.h"
#include "render/ruleset_term.h"

#define DATA_OF_CLIENT marked(MARK_CLIENT | MARK_DATA, MARK_CLIENT | MARK_DATA)

void ruleset_data_add_prerouting(struct ruleset_chain *prerouting)
{
	RULE(prerouting, "to-data4", with(TERM_L4PROTO_IS, IPPROTO_TCP),
	     in_set(TERM_PAIR_CLIENT, SET_PAIRS4), jump("data_clients"));
	RULE(prerouting, "to-data6", with(TERM_L4PROTO_IS, IPPROTO_TCP),
	     in_set(TERM_PAIR_CLIENT, SET_PAIRS6), jump("data_clients"));
}

/*
 * Rule "client" before these leaves data connections out: their listener would
 * take what others send to the same server and port. Only full sockets here; the
 * rest is chain intercept's or comes to chain data_clients behind it.
 */
void ruleset_data_add_clients(const struct ruleset *rs,
			      struct ruleset_chain *clients)
{
	RULE(clients, "data-on-port4", in_set(TERM_PAIR_CLIENT, SET_PAIRS4),
	     DATA_OF_CLIENT, TAKE_CLIENT(rs));
	RULE(clients, "data-on-port6", in_set(TERM_PAIR_CLIENT, SET_PAIRS6),
	     DATA_OF_CLIENT, TAKE_CLIENT(rs));
}

void ruleset_data_leave_out(struct ruleset_chain *chain, const char *name)
{
	RULE(chain, name, with(TERM_SOCKET_MARK, MARK_DATA),
	     plain(TERM_RETURN));
}

/*
 * data-other: a socket that is no data connection's: a listener of ours whose
 * port the client uses with that server, or the upstream leg of a pair that is
 * the other way round.
 *
 * data-handshake: a connection that is being opened, or in TIME_WAIT.
 */
static void add_data_clients(struct ruleset *rs)
{
	struct ruleset_chain *c = chain_add(rs, "data_clients", HOOK_NONE, 0);

	RULE(c, "data-client", DATA_OF_CLIENT, TAKE_CLIENT(rs));
	RULE(c, "data-other", inverted(DATA_OF_CLIENT), plain(TERM_RETURN));
	RULE(c, "data-handshake", plain(TERM_SOCKET_TRANSPARENT),
	     TAKE_CLIENT(rs));
}

/*
 * Behind NAT, unlike chain upstream: a reply to a masqueraded connection has the
 * client's address only here, and a pair has no other.
 *
 * data-server: the relay's connection to the server, or its listener for one from
 * there. data-closing: as rule "closing", and what is being opened.
 */
static void add_data_servers(struct ruleset *rs)
{
	struct ruleset_chain *up = chain_add(
		rs, "upstream_data", HOOK_PREROUTING, PRIORITY_TRANSLATED);
	struct ruleset_chain *c = chain_add(rs, "data_servers", HOOK_NONE, 0);

	RULE(up, "from-data4", with(TERM_L4PROTO_IS, IPPROTO_TCP),
	     in_set(TERM_PAIR_SERVER, SET_PAIRS4), jump("data_servers"));
	RULE(up, "from-data6", with(TERM_L4PROTO_IS, IPPROTO_TCP),
	     in_set(TERM_PAIR_SERVER, SET_PAIRS6), jump("data_servers"));
	RULE(c, "data-decided", with(TERM_PACKET_MARK, MARK_DIVERT),
	     plain(TERM_ACCEPT));
	RULE(c, "data-server", with(TERM_SOCKET_MARK, MARK_UPSTREAM),
	     TAKE_UPSTREAM);
	RULE(c, "data-listener",
	     inverted(with(TERM_SOCKET_MARK, MARK_UPSTREAM)),
	     plain(TERM_RETURN));
	RULE(c, "data-closing", plain(TERM_SOCKET_TRANSPARENT), TAKE_UPSTREAM);
}

void ruleset_data_add(struct ruleset *rs)
{
	add_data_clients(rs);
	add_data_servers(rs);
}
