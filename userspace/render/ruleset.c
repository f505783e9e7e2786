// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two legs of an intercepted connection:
 *
 *	client ----> [ transparent socket | relay | upstream socket ] ----> origin
 *	        MARK_CLIENT, zone 1              MARK_UPSTREAM, zone 0
 *
 * With the client's address kept on the upstream leg both legs may carry the
 * same addresses and ports, so they need two conntrack zones. The client's leg
 * is the one that leaves zone 0: all its packets can be told before conntrack
 * sees them, in both directions and by our own decision. The upstream leg
 * can't be moved: once the administrator masquerades it, replies come to an
 * address and port that no socket has until conntrack translates them back,
 * and conntrack would look for them in the wrong zone.
 *
 * Setting a zone switches conntrack on in the namespace. Where nothing else
 * does, that takes some 10% of the requests a second on kept connections and
 * 5% with a connection each (interleaved runs, Linux 6.18); where a firewall
 * or NAT uses it already, the zones cost nothing that could be measured. So
 * they are set only where conntrack has something to do with that leg: to keep
 * its label (apps.enabled). Else the client's leg isn't tracked at all, which
 * keeps both apart as well.
 *
 * Why a SYN and other packets are treated apart: only a SYN opens a
 * connection. A packet in the middle of a connection that no socket of ours
 * holds belongs to one that was open before Sluice started or that passed
 * while it was down or bypassed. Sending it to the listener, as the kernel's
 * TPROXY document has it, would reset that connection; here it is forwarded.
 * The match looks at SYN, RST and ACK and not at FIN: our listener drops a
 * SYN with FIN, a lenient server would take it for the start of a connection.
 * SYNs with ECN bits or data (TCP Fast Open) match, and a retransmitted SYN
 * finds its request socket, as tproxy looks for open connections first.
 *
 * Kernels: 5.12 for `socket wildcard`. Up to 6.1.110, 6.6.51 and 6.10.10
 * `socket mark` and `socket wildcard` leak a reference for each packet of a
 * TIME_WAIT or request socket (CVE-2024-46855).
 */
#include "render/ruleset.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "conf/config.h"
#include "policy/app.h"
#include "render/marks.h"
#include "render/ruleset_data.h"
#include "render/ruleset_policy.h"
#include "render/ruleset_term.h"

static struct ruleset_term only(uint8_t family)
{
	return (struct ruleset_term){.kind = TERM_NFPROTO, .family = family};
}

static struct ruleset_term tproxy(uint8_t family, uint16_t port)
{
	return (struct ruleset_term){
		.kind = TERM_TPROXY, .family = family, .value = port};
}

static struct ruleset_term queue(const struct config_apps *apps)
{
	return (struct ruleset_term){.kind = TERM_QUEUE,
				     .value = apps->queue,
				     .total = apps->queues};
}

#define IS_SYN	 with(TERM_TCP_FLAGS, TH_SYN)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The rules that each protocol has for itself. */
static const struct names {
	enum ruleset_set_id ports;
	const char *from_clients;
	const char *intercept4, *intercept6;
	const char *cookie4, *cookie6;
	const char *direct;
	const char *not_intercepted;
} names[PROTOCOL_COUNT] = {
	[PROTOCOL_HTTP] = {SET_HTTP_PORTS, "from-clients", "intercept-http4",
			   "intercept-http6", "cookie-http4", "cookie-http6",
			   "direct", "not-intercepted"},
	[PROTOCOL_FTP] = {SET_FTP_PORTS, "from-clients-ftp", "intercept-ftp4",
			  "intercept-ftp6", "cookie-ftp4", "cookie-ftp6",
			  "direct-ftp", "not-intercepted-ftp"},
};

/* What becomes of one protocol. */
struct service {
	const struct names *names;
	uint16_t port; /* of the listener; 0: there is none */
	bool takes;    /* new connections */
	bool alone;    /* no other protocol does */
};

enum bypass_use { BYPASS_INTERCEPT, BYPASS_CLOSING, BYPASS_REFUSE };

static const char *const bypass_names[][4] = {
	[BYPASS_INTERCEPT] = {"bypass-client4", "bypass-client6",
			      "bypass-server4", "bypass-server6"},
	[BYPASS_CLOSING] = {"closing-client4", "closing-client6",
			    "closing-server4", "closing-server6"},
	[BYPASS_REFUSE] = {"refuse-client4", "refuse-client6", "refuse-server4",
			   "refuse-server6"},
};

/*
 * Bypassed clients and servers leave the chain. Open: their packets are
 * forwarded unseen, which is what a bypass is. Counted where a new connection
 * meets it first, and only there.
 */
static void bypass(struct ruleset_chain *chain, enum bypass_use use)
{
	bool back = use == BYPASS_CLOSING;

	for (unsigned int i = 0; i < 4; i++) {
		bool client = i < 2;
		struct ruleset_term match =
			in_set(client != back ? TERM_SADDR : TERM_DADDR,
			       SET_BYPASS_CLIENTS4 + i);

		if (use == BYPASS_INTERCEPT)
			RULE(chain, bypass_names[use][i], match,
			     plain(TERM_COUNTER), plain(TERM_RETURN));
		else
			RULE(chain, bypass_names[use][i], match,
			     plain(TERM_RETURN));
	}
}

/*
 * Before conntrack. A connection that a socket of ours holds is delivered
 * whatever was bypassed since and whether or not the switch is on: its bytes
 * make sense to that socket only. ICMP errors about it go the same way, or a
 * path with a smaller MTU would stall it.
 *
 * Every packet that passes the gateway meets these rules and those of chain
 * upstream, and to look for its socket is what costs most. So the port is asked
 * for first: set socket_ports has those that are intercepted and those that
 * were, as connections to them may still be open.
 */
static void add_prerouting(struct ruleset *rs)
{
	struct ruleset_chain *c =
		chain_add(rs, "prerouting", HOOK_PREROUTING, PRIORITY_RAW);

	RULE(c, "to-servers", in_set(TERM_TCP_DPORT, SET_SOCKET_PORTS),
	     jump("clients"));
	if (rs->data)
		ruleset_data_add_prerouting(c);
	RULE(c, "client-errors4", with(TERM_L4PROTO_IS, IPPROTO_ICMP),
	     with(TERM_SOCKET_MARK, MARK_CLIENT), plain(TERM_SOCKET_BOUND),
	     TAKE_CLIENT(rs));
	RULE(c, "client-errors6", with(TERM_L4PROTO_IS, IPPROTO_ICMPV6),
	     with(TERM_SOCKET_MARK, MARK_CLIENT), plain(TERM_SOCKET_BOUND),
	     TAKE_CLIENT(rs));
}

/* A socket of that leg, but none of a data connection. */
static struct ruleset_term socket_of(const struct ruleset *rs, uint32_t mark)
{
	return rs->data ? marked(mark | MARK_DATA, mark)
			: with(TERM_SOCKET_MARK, mark);
}

static void add_clients(struct ruleset *rs, const struct service *services)
{
	struct ruleset_chain *c = chain_add(rs, "clients", HOOK_NONE, 0);

	RULE(c, "client", socket_of(rs, MARK_CLIENT), plain(TERM_SOCKET_BOUND),
	     TAKE_CLIENT(rs));
	if (rs->data)
		ruleset_data_add_clients(rs, c);
	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++)
		if (services[p].takes)
			RULE(c, names[p].from_clients,
			     in_set(TERM_IIFNAME, SET_LAN),
			     in_set(TERM_TCP_DPORT, names[p].ports),
			     jump("intercept"));
}

/* The port is asked for where it tells protocols apart. */
static void add_intercept_rules(const struct ruleset *rs,
				struct ruleset_chain *c,
				const struct service *s, uint8_t family)
{
	const struct ruleset_term terms[] = {
		in_set(TERM_TCP_DPORT, s->names->ports),
		only(family),
		IS_SYN,
		tproxy(family, s->port),
		TAKE_CLIENT(rs),
	};
	uint32_t skip = s->alone ? 1 : 0;

	ruleset_rule_add(c,
			 family == AF_INET ? s->names->intercept4
					   : s->names->intercept6,
			 terms + skip, COUNT(terms) - skip);
}

static void add_cookie_rules(const struct ruleset *rs, struct ruleset_chain *c,
			     const struct service *s, uint8_t family)
{
	const struct ruleset_term terms[] = {
		in_set(TERM_TCP_DPORT, s->names->ports),
		in_set(TERM_L4PROTO, SET_SYNCOOKIES),
		only(family),
		with(TERM_TCP_FLAGS, TH_ACK),
		tproxy(family, s->port),
		TAKE_CLIENT(rs),
	};
	uint32_t skip = s->alone ? 1 : 0;

	ruleset_rule_add(
		c, family == AF_INET ? s->names->cookie4 : s->names->cookie6,
		terms + skip, COUNT(terms) - skip);
}

/*
 * Every rule that returns here lets the packet be forwarded: open, unless
 * chain forward refuses it. In particular a tproxy that finds no listener does
 * not match, so a gateway without relays is open (or refuses) at once.
 *
 * handshake: what is left of the client's leg has no full socket: a connection
 * that is being opened, or in TIME_WAIT. It stands behind the bypass and the
 * switch, as a leftover in TIME_WAIT would otherwise take the packets of a
 * new, forwarded connection with the same ports.
 *
 * cookie: with SYN cookies a handshake leaves no socket at all, and its last
 * packet can't be told from one of a connection that isn't ours. The set is
 * filled only while the kernel sends cookies; for as long, connections from
 * before Sluice started are reset when they send: closed.
 */
static void add_intercept(struct ruleset *rs, const struct service *services)
{
	struct ruleset_chain *c = chain_add(rs, "intercept", HOOK_NONE, 0);

	RULE(c, "to-gateway", plain(TERM_TO_GATEWAY), plain(TERM_RETURN));
	bypass(c, BYPASS_INTERCEPT);
	RULE(c, "down", inverted(in_set(TERM_L4PROTO, SET_ALIVE)),
	     plain(TERM_COUNTER), plain(TERM_RETURN));
	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++) {
		if (!services[p].takes)
			continue;
		add_intercept_rules(rs, c, &services[p], AF_INET);
		add_intercept_rules(rs, c, &services[p], AF_INET6);
	}
	RULE(c, "no-listener", IS_SYN, plain(TERM_COUNTER), plain(TERM_RETURN));
	if (rs->data)
		ruleset_data_leave_out(c, "handshake-data");
	RULE(c, "handshake", plain(TERM_SOCKET_TRANSPARENT), TAKE_CLIENT(rs));
	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++) {
		if (!services[p].takes)
			continue;
		add_cookie_rules(rs, c, &services[p], AF_INET);
		add_cookie_rules(rs, c, &services[p], AF_INET6);
	}
}

/* Unless it is about the client's leg, which chain prerouting has seen. */
#define TAKE_UPSTREAM_ERROR                            \
	inverted(with(TERM_PACKET_MARK, MARK_DIVERT)), \
		with(TERM_SOCKET_MARK, MARK_UPSTREAM), TAKE_UPSTREAM

/*
 * Behind conntrack, so that a reply to a masqueraded upstream connection is
 * looked up by the address that its socket has.
 */
static void add_upstream(struct ruleset *rs)
{
	struct ruleset_chain *c =
		chain_add(rs, "upstream", HOOK_PREROUTING, PRIORITY_MANGLE);

	RULE(c, "from-servers", in_set(TERM_TCP_SPORT, SET_SOCKET_PORTS),
	     jump("servers"));
	RULE(c, "upstream-errors4", with(TERM_L4PROTO_IS, IPPROTO_ICMP),
	     TAKE_UPSTREAM_ERROR);
	RULE(c, "upstream-errors6", with(TERM_L4PROTO_IS, IPPROTO_ICMPV6),
	     TAKE_UPSTREAM_ERROR);
}

/*
 * closing: an upstream connection that the relay has closed is a socket without
 * a mark as soon as the origin acknowledged the end: the kernel keeps it as a
 * small TIME_WAIT socket, FIN_WAIT2 included. The origin's own end still has to
 * be delivered; forwarded, it would reach the client, which knows nothing of
 * it. Not for bypassed peers nor while the switch is off: open, see handshake.
 * Listeners' ports are left out because a lookup finds listeners as well.
 */
static void add_closing(struct ruleset_chain *c, const struct service *services)
{
	struct ruleset_term terms[PROTOCOL_COUNT + 4];
	const struct ruleset_term take[] = {plain(TERM_SOCKET_TRANSPARENT),
					    TAKE_UPSTREAM};
	uint32_t count = 0;

	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++)
		if (services[p].port != 0)
			terms[count++] = inverted(
				with(TERM_TCP_DPORT_IS, services[p].port));
	memcpy(terms + count, take, sizeof(take));
	ruleset_rule_add(c, "closing", terms, count + COUNT(take));
}

static void add_servers(struct ruleset *rs, const struct service *services)
{
	struct ruleset_chain *c = chain_add(rs, "servers", HOOK_NONE, 0);

	RULE(c, "decided", with(TERM_PACKET_MARK, MARK_DIVERT),
	     plain(TERM_ACCEPT));
	RULE(c, "upstream", socket_of(rs, MARK_UPSTREAM), TAKE_UPSTREAM);
	bypass(c, BYPASS_CLOSING);
	RULE(c, "closing-down", inverted(in_set(TERM_L4PROTO, SET_ALIVE)),
	     plain(TERM_RETURN));
	if (rs->data)
		ruleset_data_leave_out(c, "closing-data");
	add_closing(c, services);
}

#define NO_LABEL inverted(with(TERM_CT_BITS, LABEL_MASK))
#define OF_CLIENT \
	with(TERM_PACKET_MARK, MARK_DIVERT), with(TERM_CT_ZONE_IS, ZONE_CLIENT)

/*
 * The label of the client's leg, whose connection conntrack has in its own
 * zone. The upstream leg doesn't get this one: what a client asked for is
 * counted once. A connection keeps the label that it began with, whatever its
 * port is taken for now.
 */
static void add_label_intercepted(const struct ruleset *rs,
				  struct ruleset_chain *input,
				  const struct service *services)
{
	if (rs->data)
		RULE(input, "label-ftp-data", OF_CLIENT, NO_LABEL,
		     with(TERM_SOCKET_MARK, MARK_DATA),
		     with(TERM_LABEL, APP_FTP_DATA), plain(TERM_COUNTER));
	if (services[PROTOCOL_FTP].takes)
		RULE(input, "label-ftp", OF_CLIENT, NO_LABEL,
		     in_set(TERM_TCP_DPORT, SET_FTP_PORTS),
		     with(TERM_LABEL, APP_FTP), plain(TERM_COUNTER));
	if (services[PROTOCOL_HTTP].takes)
		RULE(input, "label-http", OF_CLIENT, NO_LABEL,
		     with(TERM_LABEL, APP_HTTP), plain(TERM_COUNTER));
}

/*
 * direct: nobody connects to a listener itself. Diverted packets keep the
 * port they were sent to, so whatever arrives with the listener's port and
 * without our mark was addressed to it, and a relay would dial itself: closed.
 */
static void add_input(struct ruleset *rs, const struct service *services,
		      const struct config *c)
{
	struct ruleset_chain *in =
		chain_add(rs, "input", HOOK_INPUT, PRIORITY_FILTER);

	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++)
		if (services[p].port != 0)
			RULE(in, names[p].direct,
			     with(TERM_TCP_DPORT_IS, services[p].port),
			     inverted(with(TERM_PACKET_MARK, MARK_DIVERT)),
			     plain(TERM_COUNTER), plain(TERM_RESET));
	if (!rs->intercepts)
		return;
	if (c->apps.enabled)
		add_label_intercepted(rs, in, services);
	ruleset_policy_add_input(in, c);
}

static void add_output(struct ruleset *rs)
{
	struct ruleset_chain *out =
		chain_add(rs, "output", HOOK_OUTPUT, PRIORITY_RAW);

	RULE(out, "client-replies", with(TERM_PACKET_MARK, MARK_CLIENT),
	     apart(rs));
}

/*
 * label-upstream: the relay's leg towards the server carries the client's address, and nothing
 * in conntrack tells it from a forwarded connection of that client. Who counts
 * by conntrack (sys/ctacct.h) has to leave it out, since it carries the same
 * bytes once more: so it is labelled as the gateway's own, with its SYN. Behind
 * conntrack, hence a chain of its own.
 *
 * label-ftp-active: the one connection of the client's leg that is opened from
 * here. It has its label before somebody counts its first packet.
 */
static void add_label_sent(struct ruleset *rs, bool by_conntrack)
{
	struct ruleset_chain *c;

	if (!rs->data && !by_conntrack)
		return;
	c = chain_add(rs, "label_upstream", HOOK_OUTPUT, PRIORITY_MANGLE);
	if (rs->data)
		RULE(c, "label-ftp-active", with(TERM_PACKET_MARK, MARK_DATA),
		     with(TERM_CT_ZONE_IS, ZONE_CLIENT), NO_LABEL,
		     with(TERM_LABEL, APP_FTP_DATA), plain(TERM_COUNTER));
	if (!by_conntrack)
		return;
	RULE(c, "label-upstream", with(TERM_PACKET_MARK, MARK_UPSTREAM),
	     NO_LABEL, with(TERM_LABEL, APP_GATEWAY), plain(TERM_COUNTER));
}

/*
 * Protocols without ports are their own applications. The connection's protocol
 * is asked for, not the packet's: conntrack counts an ICMP error among the
 * packets of the connection that it is about, which is none of ICMP's.
 */
static void label_protocols(struct ruleset_chain *c)
{
	static const struct {
		const char *name;
		uint8_t protocol;
		uint16_t app;
	} kinds[] = {
		{"label-icmp", IPPROTO_ICMP, APP_ICMP},
		{"label-icmpv6", IPPROTO_ICMPV6, APP_ICMPV6},
		{"label-esp", IPPROTO_ESP, APP_IPSEC},
		{"label-ah", IPPROTO_AH, APP_IPSEC},
		{"label-gre", IPPROTO_GRE, APP_GRE},
		{"label-sctp", IPPROTO_SCTP, APP_SCTP},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		RULE(c, kinds[i].name,
		     with(TERM_CT_PROTOCOL, kinds[i].protocol),
		     with(TERM_LABEL, kinds[i].app), plain(TERM_COUNTER),
		     plain(TERM_ACCEPT));
}

/*
 * What is forwarded to or from a LAN and has no label yet. All of it is open:
 * whatever fails, packets pass without a label.
 *
 * no-connection: what conntrack doesn't follow can't be labelled, and would be
 * queued packet by packet.
 *
 * hint4, hint6: the map's value becomes the whole mark, as nf_tables could not
 * combine two registers before Linux 6.13; so they leave connections alone
 * whose mark somebody else uses. The key is the server: they look at what the
 * side sends that opened the connection, from its first packet on.
 *
 * queue: only what carries payload, so a short connection costs one or two
 * queued packets. Set classifying is the second dead-man's switch: a packet
 * that waits for a reader that hangs is held up, so the app role renews the set
 * each second and the kernel stops queueing when it no longer does. Bypass: a
 * queue without a reader accepts.
 */
static void add_classify(struct ruleset *rs, const struct config_apps *apps)
{
	struct ruleset_chain *fwd =
		chain_add(rs, "classify", HOOK_FORWARD, PRIORITY_MANGLE);
	struct ruleset_chain *label = chain_add(rs, "label", HOOK_NONE, 0);

	RULE(fwd, "labelled", with(TERM_CT_BITS, LABEL_MASK),
	     plain(TERM_COUNTER), plain(TERM_ACCEPT));
	RULE(fwd, "no-connection", plain(TERM_CT_NONE), plain(TERM_COUNTER),
	     plain(TERM_ACCEPT));
	RULE(fwd, "from-lan", in_set(TERM_IIFNAME, SET_LAN), jump("label"));
	RULE(fwd, "to-lan", in_set(TERM_OIFNAME, SET_LAN), jump("label"));
	RULE(label, "hint4", plain(TERM_CT_UNMARKED), plain(TERM_CT_ORIGINAL),
	     in_set(TERM_HINT, SET_HINTS4), plain(TERM_COUNTER),
	     plain(TERM_ACCEPT));
	RULE(label, "hint6", plain(TERM_CT_UNMARKED), plain(TERM_CT_ORIGINAL),
	     in_set(TERM_HINT, SET_HINTS6), plain(TERM_COUNTER),
	     plain(TERM_ACCEPT));
	RULE(label, "queue", in_set(TERM_L4PROTO, SET_CLASSIFYING),
	     plain(TERM_PAYLOAD), plain(TERM_COUNTER), queue(apps));
	label_protocols(label);
}

void ruleset_set_queue(struct ruleset *rs, enum ruleset_queue queue)
{
	rs->queue = queue;
	for (uint32_t i = 0; i < rs->chain_count && queue == QUEUE_NONE; i++) {
		struct ruleset_chain *c = &rs->chains[i];
		uint32_t kept = 0;

		for (uint32_t r = 0; r < c->count; r++) {
			struct ruleset_rule *rule = &c->rules[r];

			if (rule->terms[rule->count - 1].kind != TERM_QUEUE)
				c->rules[kept++] = *rule;
		}
		c->count = kept;
	}
}

/*
 * when_down = "closed": a connection that was neither intercepted nor bypassed
 * is refused, whatever the cause (switch off, no listener). Only its SYN: what
 * is open already was open before Sluice was asked to keep the door.
 */
static void add_refuse(struct ruleset *rs, const struct service *services)
{
	struct ruleset_chain *fwd =
		chain_add(rs, "forward", HOOK_FORWARD, PRIORITY_FILTER);
	struct ruleset_chain *refuse = chain_add(rs, "refuse", HOOK_NONE, 0);

	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++)
		if (services[p].takes)
			RULE(fwd, names[p].not_intercepted,
			     in_set(TERM_IIFNAME, SET_LAN),
			     in_set(TERM_TCP_DPORT, names[p].ports), IS_SYN,
			     jump("refuse"));
	bypass(refuse, BYPASS_REFUSE);
	RULE(refuse, "refuse", with(TERM_L4PROTO_IS, IPPROTO_TCP),
	     plain(TERM_COUNTER), plain(TERM_RESET));
}

static void fill_bypass(struct ruleset *rs, enum ruleset_bypass list,
			const struct ip_net *nets, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		union ruleset_elem e = {.net = nets[i]};
		enum ruleset_set_id id = ruleset_bypass_set(list, &nets[i]);

		/*
		 * It can't be full, as CONFIG_BYPASS is smaller; one that is
		 * covered by another needs no element of its own.
		 */
		(void)ruleset_set_add(&rs->sets[id], &e);
	}
}

static void fill_ports(struct ruleset *rs, enum ruleset_set_id id,
		       const uint16_t *ports, uint32_t count)
{
	/* A value that is listed twice is one element. */
	for (uint32_t i = 0; i < count; i++) {
		union ruleset_elem e = {.port = ports[i]};

		(void)ruleset_set_add(&rs->sets[id], &e);
		(void)ruleset_set_add(&rs->sets[SET_SOCKET_PORTS], &e);
	}
}

static void fill_sets(struct ruleset *rs, const struct config_intercept *c,
		      const struct ruleset_held *held)
{
	union ruleset_elem e;

	fill_ports(rs, SET_HTTP_PORTS, c->http, c->http_count);
	fill_ports(rs, SET_FTP_PORTS, c->ftp, c->ftp_count);
	fill_ports(rs, SET_SOCKET_PORTS, held->ports, held->count);
	for (uint32_t i = 0; i < c->lan_count; i++) {
		/* Padded with zeros, as the kernel compares all 16 bytes. */
		memset(&e, 0, sizeof(e));
		memcpy(e.ifname, c->lan[i],
		       strnlen(c->lan[i], RULESET_IFNAME_MAX - 1));
		(void)ruleset_set_add(&rs->sets[SET_LAN], &e);
	}
	fill_bypass(rs, BYPASS_CLIENTS, c->bypass_clients,
		    c->bypass_clients_count);
	fill_bypass(rs, BYPASS_SERVERS, c->bypass_servers,
		    c->bypass_servers_count);
}

static bool is_wanted(const struct ruleset *rs, enum ruleset_set_id id)
{
	switch (id) {
	case SET_FTP_PORTS:
	case SET_PAIRS4:
	case SET_PAIRS6:
		return rs->data;
	case SET_CLASSIFYING:
	case SET_HINTS4:
	case SET_HINTS6:
		return rs->labels;
	default:
		return true;
	}
}

static void add_sets(struct ruleset *rs, const struct config_intercept *c,
		     const struct ruleset_held *held)
{
	rs->set_count = SET_FIXED;
	for (unsigned int i = 0; i < SET_FIXED; i++) {
		if (is_wanted(rs, i))
			ruleset_set_init(&rs->sets[i], i);
		else
			ruleset_set_clear(&rs->sets[i]);
	}
	fill_sets(rs, c, held);
}

static bool has_port(const uint16_t *ports, uint32_t count, uint16_t port)
{
	for (uint32_t i = 0; i < count; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* 0, -ENOENT, -EINVAL as in ruleset_build(). */
static int find_services(struct service *services, const struct config *c)
{
	const struct config_intercept *ic = &c->intercept;

	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++) {
		const struct config_service *found =
			config_service(c, p, MODE_TRANSPARENT);
		bool ftp = p == PROTOCOL_FTP;
		struct service *s = &services[p];

		s->names = &names[p];
		s->takes = (ftp ? ic->ftp_count : ic->http_count) > 0;
		s->alone = (ftp ? ic->http_count : ic->ftp_count) == 0;
		s->port = found != NULL ? found->port : 0;
		if (s->takes && found == NULL)
			return -ENOENT;
		if (has_port(ic->http, ic->http_count, s->port) ||
		    has_port(ic->ftp, ic->ftp_count, s->port))
			return -EINVAL;
	}
	return 0;
}

/* What comes for sockets of ours. */
static void add_incoming(struct ruleset *rs, const struct service *services)
{
	add_prerouting(rs);
	add_clients(rs, services);
	add_intercept(rs, services);
	add_upstream(rs);
	add_servers(rs, services);
	if (rs->data)
		ruleset_data_add(rs);
}

/* What they send. */
static void add_outgoing(struct ruleset *rs, const struct config_apps *apps)
{
	add_output(rs);
	if (apps->enabled)
		add_label_sent(rs,
			       apps->counters == COUNTERS_AUTO ||
				       apps->counters == COUNTERS_CONNTRACK);
}

int ruleset_build(struct ruleset *rs, const struct config *c,
		  const struct ruleset_held *held)
{
	struct service services[PROTOCOL_COUNT];
	int rc = find_services(services, c);

	if (rc != 0)
		return rc;
	rs->queue = QUEUE_NATIVE;
	rs->chain_count = 0;
	rs->labels = c->apps.enabled;
	rs->intercepts = config_intercepts(c) || held->count > 0;
	rs->data = services[PROTOCOL_FTP].takes || held->ftp;
	add_sets(rs, &c->intercept, held);
	if (rs->intercepts)
		add_incoming(rs, services);
	if (c->service_count > 0)
		add_input(rs, services, c);
	if (rs->intercepts)
		add_outgoing(rs, &c->apps);
	if (c->apps.enabled)
		add_classify(rs, &c->apps);
	if (rs->intercepts && c->intercept.when_down == WHEN_DOWN_CLOSED)
		add_refuse(rs, services);
	ruleset_policy_add(rs, c);
	return 0;
}

int ruleset_bypass_add(struct ruleset *rs, enum ruleset_bypass list,
		       const struct ip_net *net, struct ip_net *other)
{
	struct ruleset_set *set = &rs->sets[ruleset_bypass_set(list, net)];
	const struct ip_net *overlap = ruleset_set_overlap(set, net);
	union ruleset_elem e = {.net = *net};

	if (overlap != NULL) {
		*other = *overlap;
		return -EEXIST;
	}
	return ruleset_set_add(set, &e);
}

int ruleset_bypass_del(struct ruleset *rs, enum ruleset_bypass list,
		       const struct ip_net *net)
{
	union ruleset_elem e = {.net = *net};

	return ruleset_set_del(&rs->sets[ruleset_bypass_set(list, net)], &e);
}
