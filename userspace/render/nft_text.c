// SPDX-License-Identifier: GPL-2.0-or-later
#include "render/nft_text.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "base/str.h"
#include "render/marks.h"
#include "render/ruleset.h"

enum operand {
	OP_NONE,
	OP_SET,
	OP_NUMBER,
	OP_BIT,	 /* a mark's bit, compared */
	OP_MASK, /* a mark's bit, set */
	OP_FAMILY,
	OP_FLAGS,
	OP_PORT,
	OP_CHAIN,
	OP_BITS,     /* of a connection's mark, compared */
	OP_PROTOCOL, /* by its name */
	OP_LABEL,
	OP_LABELS, /* a set of them */
	OP_RATE,
	OP_METER,
	OP_SERVER, /* a map whose key is a server */
	OP_PAIR,   /* a set of two addresses; the other one follows */
	OP_QUEUE
};

static const struct {
	const char *text;
	enum operand operand;
} terms[TERM_COUNT] = {
	[TERM_IIFNAME] = {"iifname", OP_SET},
	[TERM_OIFNAME] = {"oifname", OP_SET},
	[TERM_NFPROTO] = {"meta nfproto", OP_FAMILY},
	[TERM_L4PROTO] = {"meta l4proto", OP_SET},
	[TERM_L4PROTO_IS] = {"meta l4proto", OP_PROTOCOL},
	[TERM_SADDR] = {"saddr", OP_SET},
	[TERM_DADDR] = {"daddr", OP_SET},
	[TERM_PAIR_CLIENT] = {"saddr", OP_PAIR},
	[TERM_PAIR_SERVER] = {"daddr", OP_PAIR},
	[TERM_TCP_SPORT] = {"tcp sport", OP_SET},
	[TERM_TCP_DPORT] = {"tcp dport", OP_SET},
	[TERM_TCP_DPORT_IS] = {"tcp dport", OP_NUMBER},
	[TERM_TCP_FLAGS] = {"tcp flags", OP_FLAGS},
	[TERM_TO_GATEWAY] = {"fib daddr type local", OP_NONE},
	[TERM_SOCKET_TRANSPARENT] = {"socket transparent 1", OP_NONE},
	[TERM_SOCKET_BOUND] = {"socket wildcard 0", OP_NONE},
	[TERM_SOCKET_MARK] = {"socket mark", OP_BIT},
	[TERM_PACKET_MARK] = {"meta mark", OP_BIT},
	[TERM_CT_NONE] = {"ct state invalid,untracked", OP_NONE},
	[TERM_CT_ZONE_IS] = {"ct zone", OP_NUMBER},
	[TERM_CT_PROTOCOL] = {"ct protocol", OP_PROTOCOL},
	[TERM_CT_ORIGINAL] = {"ct direction original", OP_NONE},
	[TERM_CT_BITS] = {"ct mark", OP_BITS},
	[TERM_CT_UNMARKED] = {"ct mark 0x00000000", OP_NONE},
	[TERM_LABEL_IN] = {"ct mark &", OP_LABELS},
	[TERM_UDP_DPORT_IS] = {"udp dport", OP_NUMBER},
	[TERM_TCP_RST] = {"tcp flags rst", OP_NONE},
	[TERM_LIMIT] = {"limit rate over", OP_RATE},
	[TERM_METER_SADDR] = {"update", OP_METER},
	[TERM_METER_DADDR] = {"update", OP_METER},
	[TERM_PAYLOAD] = {"@ih,0,8 >= 0x0", OP_NONE},
	[TERM_COUNTER] = {"counter packets 0 bytes 0", OP_NONE},
	[TERM_ZONE] = {"ct zone set", OP_NUMBER},
	[TERM_NOTRACK] = {"notrack", OP_NONE},
	[TERM_SET_BIT] = {"meta mark set meta mark |", OP_MASK},
	[TERM_CT_SET_BIT] = {"ct mark set ct mark |", OP_MASK},
	[TERM_MAKE_RST] = {"tcp flags set rst", OP_NONE},
	[TERM_LABEL] = {"ct mark set ct mark &", OP_LABEL},
	[TERM_HINT] = {"ct mark set", OP_SERVER},
	[TERM_QUEUE] = {"queue", OP_QUEUE},
	[TERM_TPROXY] = {"tproxy", OP_PORT},
	[TERM_ACCEPT] = {"accept", OP_NONE},
	[TERM_RETURN] = {"return", OP_NONE},
	[TERM_JUMP] = {"jump", OP_CHAIN},
	[TERM_DROP] = {"drop", OP_NONE},
	[TERM_RESET] = {"reject with tcp reset", OP_NONE},
	[TERM_PROHIBITED] = {"reject with icmpx admin-prohibited", OP_NONE},
	/* nft leaves out what it takes for granted. */
	[TERM_UNREACHABLE] = {"reject", OP_NONE},
};

static const char *protocol_name(uint32_t protocol)
{
	switch (protocol) {
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_GRE:
		return "gre";
	case IPPROTO_ESP:
		return "esp";
	case IPPROTO_AH:
		return "ah";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "ipv6-icmp";
	}
}

/* Without the bits that the label has zero, as nft folds it when it lists. */
static void put_label(struct strbuf *sb, uint32_t app)
{
	uint32_t bits = app << LABEL_SHIFT;

	strbuf_printf(sb, " 0x%08x | 0x%08x", ~(LABEL_MASK | LABEL_HINT) | bits,
		      bits);
}

/* As nft writes its own expression, and the target when it lists that. */
static void put_queue(struct strbuf *sb, const struct ruleset *rs,
		      const struct ruleset_term *t)
{
	const char *flags = t->total > 1 ? "bypass,fanout" : "bypass";
	char range[16];

	if (t->total > 1)
		snprintf(range, sizeof(range), "%u-%u", t->value,
			 t->value + t->total - 1);
	else
		snprintf(range, sizeof(range), "%u", t->value);
	if (rs->queue == QUEUE_TARGET)
		strbuf_printf(sb, " num %s %s", range, flags);
	else
		strbuf_printf(sb, " flags %s to %s", flags, range);
}

/* In the largest unit that gives a whole number; nft has no larger one. */
static void put_rate(struct strbuf *sb, uint64_t rate)
{
	static const char *const units[] = {"bytes", "kbytes", "mbytes"};
	unsigned int u = 0;

	while (u + 1 < sizeof(units) / sizeof(units[0]) && rate % 1024 == 0) {
		rate /= 1024;
		u++;
	}
	strbuf_printf(sb, " %llu %s/second", (unsigned long long)rate,
		      units[u]);
}

static bool is_v6(const struct ruleset_set *set)
{
	return set->type == SET_TYPE_NET6 || set->type == SET_TYPE_HOST6 ||
	       set->type == SET_TYPE_PAIR6;
}

static void put_meter(struct strbuf *sb, const struct ruleset_set *set,
		      const struct ruleset_term *t)
{
	strbuf_printf(sb, " @%s { %s %s limit rate over", set->name,
		      is_v6(set) ? "ip6" : "ip",
		      t->kind == TERM_METER_SADDR ? "saddr" : "daddr");
	put_rate(sb, t->rate);
	strbuf_puts(sb, " }");
}

static void put_hint(struct strbuf *sb, const struct ruleset_set *map)
{
	strbuf_printf(sb, " %s daddr . meta l4proto . th dport map @%s",
		      map->type == SET_TYPE_SERVER6 ? "ip6" : "ip", map->name);
}

static void put_pair(struct strbuf *sb, const struct ruleset_set *set,
		     const struct ruleset_term *t)
{
	strbuf_printf(sb, " . %s %s @%s", is_v6(set) ? "ip6" : "ip",
		      t->kind == TERM_PAIR_CLIENT ? "daddr" : "saddr",
		      set->name);
}

static void put_bit(struct strbuf *sb, const struct ruleset_term *t)
{
	if (t->mask != 0)
		strbuf_printf(sb, " & 0x%08x %s 0x%08x", t->mask,
			      t->negate ? "!=" : "==", t->value);
	else
		strbuf_printf(sb, " & 0x%08x == 0x%08x", t->value,
			      t->negate ? 0 : t->value);
}

static void put_operand(struct strbuf *sb, const struct ruleset *rs,
			const struct ruleset_term *t)
{
	const char *no = t->negate ? "!= " : "";

	switch (terms[t->kind].operand) {
	case OP_NONE:
		break;
	case OP_SET:
		strbuf_printf(sb, " %s@%s", no, rs->sets[t->set].name);
		break;
	case OP_NUMBER:
		strbuf_printf(sb, " %s%u", no, t->value);
		break;
	case OP_BIT:
		put_bit(sb, t);
		break;
	case OP_MASK:
		strbuf_printf(sb, " 0x%08x", t->value);
		break;
	case OP_FAMILY:
		strbuf_puts(sb, t->family == AF_INET ? " ipv4" : " ipv6");
		break;
	case OP_FLAGS:
		strbuf_puts(sb, t->value == TH_SYN ? " syn" : " ack");
		strbuf_puts(sb, " / syn,rst,ack");
		break;
	case OP_PORT:
		strbuf_puts(sb, t->family == AF_INET ? " ip" : " ip6");
		strbuf_printf(sb, " to :%u", t->value);
		break;
	case OP_CHAIN:
		strbuf_printf(sb, " %s", t->chain);
		break;
	case OP_BITS:
		strbuf_printf(sb, " & 0x%08x %s 0x00000000", t->value,
			      t->negate ? "==" : "!=");
		break;
	case OP_PROTOCOL:
		strbuf_printf(sb, " %s", protocol_name(t->value));
		break;
	case OP_LABEL:
		put_label(sb, t->value);
		break;
	case OP_LABELS:
		strbuf_printf(sb, " 0x%08x %s @%s", LABEL_MASK,
			      t->negate ? "!=" : "==", rs->sets[t->set].name);
		break;
	case OP_RATE:
		put_rate(sb, t->rate);
		break;
	case OP_METER:
		put_meter(sb, &rs->sets[t->set], t);
		break;
	case OP_SERVER:
		put_hint(sb, &rs->sets[t->set]);
		break;
	case OP_PAIR:
		put_pair(sb, &rs->sets[t->set], t);
		break;
	case OP_QUEUE:
		put_queue(sb, rs, t);
		break;
	}
}

static void put_rule(struct strbuf *sb, const struct ruleset *rs,
		     const struct ruleset_rule *rule)
{
	strbuf_puts(sb, "\t\t");
	if (rs->queue == QUEUE_TARGET &&
	    rule->terms[rule->count - 1].kind == TERM_QUEUE)
		strbuf_puts(sb, NFT_TEXT_TARGET);
	for (uint32_t i = 0; i < rule->count; i++) {
		const struct ruleset_term *t = &rule->terms[i];

		if (t->kind == TERM_SADDR || t->kind == TERM_DADDR ||
		    terms[t->kind].operand == OP_PAIR)
			strbuf_puts(sb,
				    is_v6(&rs->sets[t->set]) ? "ip6 " : "ip ");
		strbuf_puts(sb, terms[t->kind].text);
		put_operand(sb, rs, t);
		strbuf_putc(sb, ' ');
	}
	strbuf_printf(sb, "comment \"%s\"\n", rule->name);
}

static const char *priority_name(enum ruleset_priority priority)
{
	switch (priority) {
	case PRIORITY_RAW:
		return "raw";
	case PRIORITY_MANGLE:
		return "mangle";
	case PRIORITY_TRANSLATED:
		return "dstnat + 1";
	case PRIORITY_FILTER:
		break;
	}
	return "filter";
}

static void put_base(struct strbuf *sb, const struct ruleset_chain *chain)
{
	static const char *const hooks[] = {
		[HOOK_PREROUTING] = "prerouting",
		[HOOK_INPUT] = "input",
		[HOOK_FORWARD] = "forward",
		[HOOK_OUTPUT] = "output",
	};

	if (chain->hook == HOOK_NONE)
		return;
	strbuf_printf(sb,
		      "\t\ttype filter hook %s priority %s; policy accept;\n",
		      hooks[chain->hook], priority_name(chain->priority));
}

static void put_elem(struct strbuf *sb, const struct ruleset_set *set,
		     const union ruleset_elem *e)
{
	char text[IP_TEXT_MAX];

	switch (set->type) {
	case SET_TYPE_PROTO:
		strbuf_puts(sb, protocol_name(e->proto));
		break;
	case SET_TYPE_IFNAME:
		strbuf_printf(sb, "\"%s\"", e->ifname);
		break;
	case SET_TYPE_PORT:
		strbuf_printf(sb, "%u", e->port);
		break;
	case SET_TYPE_NET4:
	case SET_TYPE_NET6:
		strbuf_puts(sb, ip_net_format(&e->net, text, sizeof(text)));
		break;
	case SET_TYPE_LABEL:
		strbuf_printf(sb, "0x%08x", e->mark);
		break;
	case SET_TYPE_SERVER4: /* these come at run time */
	case SET_TYPE_SERVER6:
	case SET_TYPE_HOST4:
	case SET_TYPE_HOST6:
	case SET_TYPE_PAIR4:
	case SET_TYPE_PAIR6:
		break;
	}
}

static const struct {
	const char *name;
	const char *flags;
	uint32_t in_line; /* elements that nft puts in a line */
} types[] = {
	[SET_TYPE_PROTO] = {"inet_proto", NULL, 5},
	[SET_TYPE_IFNAME] = {"ifname", NULL, 1},
	[SET_TYPE_PORT] = {"inet_service", NULL, 5},
	[SET_TYPE_NET4] = {"ipv4_addr", "interval", 2},
	[SET_TYPE_NET6] = {"ipv6_addr", "interval", 1},
	[SET_TYPE_SERVER4] = {"ipv4_addr . inet_proto . inet_service : mark",
			      NULL, 1},
	[SET_TYPE_SERVER6] = {"ipv6_addr . inet_proto . inet_service : mark",
			      NULL, 1},
	[SET_TYPE_LABEL] = {"mark", NULL, 5},
	[SET_TYPE_HOST4] = {"ipv4_addr", NULL, 2},
	[SET_TYPE_HOST6] = {"ipv6_addr", NULL, 1},
	[SET_TYPE_PAIR4] = {"ipv4_addr . ipv4_addr", NULL, 1},
	[SET_TYPE_PAIR6] = {"ipv6_addr . ipv6_addr", NULL, 1},
};

static void put_set(struct strbuf *sb, const struct ruleset_set *set)
{
	const char *flags = set->dynamic   ? "dynamic,timeout"
			    : set->timeout ? "timeout"
					   : types[set->type].flags;
	bool map = set->type == SET_TYPE_SERVER4 ||
		   set->type == SET_TYPE_SERVER6;

	strbuf_printf(sb, "\t%s %s {\n\t\ttype %s\n", map ? "map" : "set",
		      set->name, types[set->type].name);
	if (set->size > 0)
		strbuf_printf(sb, "\t\tsize %u\n", set->size);
	if (flags != NULL)
		strbuf_printf(sb, "\t\tflags %s\n", flags);
	if (set->idle_s > 0) /* whole minutes: nft would write others so, too */
		strbuf_printf(sb, "\t\ttimeout %um\n", set->idle_s / 60);
	for (uint32_t i = 0; i < set->count; i++) {
		if (i == 0)
			strbuf_puts(sb, "\t\telements = { ");
		else if (i % types[set->type].in_line == 0)
			strbuf_puts(sb, ",\n\t\t\t     ");
		else
			strbuf_puts(sb, ", ");
		put_elem(sb, set, &set->elems[i]);
	}
	strbuf_puts(sb, set->count > 0 ? " }\n\t}\n" : "\t}\n");
}

void nft_text_ruleset(struct strbuf *sb, const struct ruleset *rs)
{
	strbuf_puts(sb, "table inet " RULESET_TABLE " {\n");
	for (uint32_t i = 0; i < rs->set_count; i++) {
		if (!ruleset_set_exists(&rs->sets[i]))
			continue;
		if (i > 0) /* the first one always exists */
			strbuf_putc(sb, '\n');
		put_set(sb, &rs->sets[i]);
	}
	for (uint32_t i = 0; i < rs->chain_count; i++) {
		const struct ruleset_chain *chain = &rs->chains[i];

		strbuf_printf(sb, "\n\tchain %s {\n", chain->name);
		put_base(sb, chain);
		for (uint32_t r = 0; r < chain->count; r++)
			put_rule(sb, rs, &chain->rules[r]);
		strbuf_puts(sb, "\t}\n");
	}
	strbuf_puts(sb, "}\n");
}
