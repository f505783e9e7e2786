// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_expr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h> /* FILE, for libnftnl/expr.h */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/rtnetlink.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "render/marks.h"

#define TCP_FLAGS_OFFSET 13
#define TCP_CSUM_OFFSET	 16
/* What TERM_TCP_FLAGS looks at. */
#define TCP_FLAGS_SEEN	 (TH_SYN | TH_RST | TH_ACK)

/* One rule being built; @err sticks. */
struct builder {
	struct nftnl_rule *rule;
	const struct ruleset *rs;
	uint8_t nfproto; /* 0: the rule has not looked at it yet */
	uint8_t l4proto; /* the same of TCP or UDP */
	int err;
};

static struct nftnl_expr *add(struct builder *b, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e == NULL) {
		b->err = -ENOMEM;
		return NULL;
	}
	nftnl_rule_add_expr(b->rule, e);
	return e;
}

static void set(struct builder *b, struct nftnl_expr *e, uint16_t attr,
		const void *data, uint32_t len)
{
	if (nftnl_expr_set(e, attr, data, len) == -1)
		b->err = -ENOMEM;
}

static void meta_to(struct builder *b, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = add(b, "meta");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void meta(struct builder *b, uint32_t key)
{
	meta_to(b, key, NFT_REG_1);
}

static void compare_by(struct builder *b, enum nft_cmp_ops op, const void *data,
		       uint32_t len)
{
	struct nftnl_expr *e = add(b, "cmp");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	set(b, e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void compare(struct builder *b, bool equal, const void *data,
		    uint32_t len)
{
	compare_by(b, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, data, len);
}

static void compare_u8(struct builder *b, uint8_t value)
{
	compare(b, true, &value, sizeof(value));
}

/* NULL after an error. */
static struct nftnl_expr *lookup(struct builder *b,
				 const struct ruleset_term *t)
{
	struct nftnl_expr *e = add(b, "lookup");

	if (e == NULL)
		return NULL;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS,
			   t->negate ? NFT_LOOKUP_F_INV : 0);
	if (nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET,
			       b->rs->sets[t->set].name) == -1)
		b->err = -ENOMEM;
	return e;
}

static void payload_to(struct builder *b, uint32_t base, size_t offset,
		       uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = add(b, "payload");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, (uint32_t)offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void payload(struct builder *b, uint32_t base, size_t offset,
		    uint32_t len)
{
	payload_to(b, base, offset, len, NFT_REG_1);
}

/* reg1 = (reg1 & mask) ^ flip */
static void bitwise(struct builder *b, const void *mask, const void *flip,
		    uint32_t len)
{
	struct nftnl_expr *e = add(b, "bitwise");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	set(b, e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	set(b, e, NFTNL_EXPR_BITWISE_XOR, flip, len);
}

static void immediate(struct builder *b, const void *data, uint32_t len)
{
	struct nftnl_expr *e = add(b, "immediate");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	set(b, e, NFTNL_EXPR_IMM_DATA, data, len);
}

static void verdict(struct builder *b, int code, const char *chain)
{
	struct nftnl_expr *e = add(b, "immediate");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain != NULL &&
	    nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain) == -1)
		b->err = -ENOMEM;
}

/* A value of the packet's connection; a packet without one doesn't match. */
static void ct(struct builder *b, uint32_t key)
{
	struct nftnl_expr *e = add(b, "ct");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

static void ct_set(struct builder *b, uint32_t key)
{
	struct nftnl_expr *e = add(b, "ct");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_SREG, NFT_REG_1);
}

/* Payload matches must first know that the packet has such a header. */
static void need_l4proto(struct builder *b, uint8_t protocol)
{
	if (b->l4proto == protocol)
		return;
	meta(b, NFT_META_L4PROTO);
	compare_u8(b, protocol);
	b->l4proto = protocol;
}

static void need_tcp(struct builder *b)
{
	need_l4proto(b, IPPROTO_TCP);
}

static void need_family(struct builder *b, bool v6)
{
	uint8_t nfproto = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	if (b->nfproto == nfproto)
		return;
	meta(b, NFT_META_NFPROTO);
	compare_u8(b, nfproto);
	b->nfproto = nfproto;
}

static void term_iifname(struct builder *b, const struct ruleset_term *t)
{
	meta(b, NFT_META_IIFNAME);
	(void)lookup(b, t);
}

static void term_oifname(struct builder *b, const struct ruleset_term *t)
{
	meta(b, NFT_META_OIFNAME);
	(void)lookup(b, t);
}

static void term_nfproto(struct builder *b, const struct ruleset_term *t)
{
	need_family(b, t->family == AF_INET6);
}

static void term_l4proto(struct builder *b, const struct ruleset_term *t)
{
	meta(b, NFT_META_L4PROTO);
	(void)lookup(b, t);
}

static void term_l4proto_is(struct builder *b, const struct ruleset_term *t)
{
	need_l4proto(b, (uint8_t)t->value);
}

/* The source or the destination of a packet of the family of @t's set. */
static void load_address(struct builder *b, const struct ruleset_term *t,
			 bool src)
{
	enum ruleset_set_type type = b->rs->sets[t->set].type;
	bool v6 = type == SET_TYPE_NET6 || type == SET_TYPE_HOST6;
	size_t at4 = src ? offsetof(struct iphdr, saddr)
			 : offsetof(struct iphdr, daddr);
	size_t at6 = src ? offsetof(struct ip6_hdr, ip6_src)
			 : offsetof(struct ip6_hdr, ip6_dst);

	need_family(b, v6);
	payload(b, NFT_PAYLOAD_NETWORK_HEADER, v6 ? at6 : at4, v6 ? 16 : 4);
}

static void term_address(struct builder *b, const struct ruleset_term *t)
{
	load_address(b, t, t->kind == TERM_SADDR);
	(void)lookup(b, t);
}

/*
 * Client's and server's address, one behind the other in registers of four
 * bytes (IPv4) or sixteen.
 */
static void term_pair(struct builder *b, const struct ruleset_term *t)
{
	bool v6 = b->rs->sets[t->set].type == SET_TYPE_PAIR6;
	size_t src = v6 ? offsetof(struct ip6_hdr, ip6_src)
			: offsetof(struct iphdr, saddr);
	size_t dst = v6 ? offsetof(struct ip6_hdr, ip6_dst)
			: offsetof(struct iphdr, daddr);
	bool up = t->kind == TERM_PAIR_CLIENT;
	uint32_t len = v6 ? 16 : 4;

	need_family(b, v6);
	payload(b, NFT_PAYLOAD_NETWORK_HEADER, up ? src : dst, len);
	payload_to(b, NFT_PAYLOAD_NETWORK_HEADER, up ? dst : src, len,
		   v6 ? NFT_REG_2 : NFT_REG32_01);
	(void)lookup(b, t);
}

static void term_port(struct builder *b, const struct ruleset_term *t)
{
	need_tcp(b);
	payload(b, NFT_PAYLOAD_TRANSPORT_HEADER,
		t->kind == TERM_TCP_SPORT ? 0 : 2, 2);
	(void)lookup(b, t);
}

static void term_port_is(struct builder *b, const struct ruleset_term *t)
{
	uint16_t port = htons((uint16_t)t->value);

	need_l4proto(b,
		     t->kind == TERM_UDP_DPORT_IS ? IPPROTO_UDP : IPPROTO_TCP);
	payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	compare(b, !t->negate, &port, sizeof(port));
}

static void term_flags(struct builder *b, const struct ruleset_term *t)
{
	static const uint8_t mask = TCP_FLAGS_SEEN, flip;

	need_tcp(b);
	payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
	bitwise(b, &mask, &flip, 1);
	compare_u8(b, (uint8_t)t->value);
}

static void term_rst(struct builder *b, const struct ruleset_term *t)
{
	static const uint8_t mask = TH_RST, zero;

	(void)t;
	need_tcp(b);
	payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
	bitwise(b, &mask, &zero, 1);
	compare(b, false, &zero, 1);
}

static void term_to_gateway(struct builder *b, const struct ruleset_term *t)
{
	struct nftnl_expr *e = add(b, "fib");
	uint32_t local = RTN_LOCAL;

	(void)t;
	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	compare(b, true, &local, sizeof(local));
}

static void load_socket(struct builder *b, uint32_t key)
{
	struct nftnl_expr *e = add(b, "socket");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_SOCKET_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_SOCKET_DREG, NFT_REG_1);
}

static void term_transparent(struct builder *b, const struct ruleset_term *t)
{
	(void)t;
	load_socket(b, NFT_SOCKET_TRANSPARENT);
	compare_u8(b, 1);
}

static void term_bound(struct builder *b, const struct ruleset_term *t)
{
	(void)t;
	load_socket(b, NFT_SOCKET_WILDCARD);
	compare_u8(b, 0);
}

static void compare_bit(struct builder *b, const struct ruleset_term *t)
{
	uint32_t flip = 0, want = t->negate ? 0 : t->value;

	if (t->mask != 0) {
		bitwise(b, &t->mask, &flip, sizeof(flip));
		compare(b, !t->negate, &t->value, sizeof(t->value));
		return;
	}
	bitwise(b, &t->value, &flip, sizeof(flip));
	compare(b, true, &want, sizeof(want));
}

static void term_socket_mark(struct builder *b, const struct ruleset_term *t)
{
	load_socket(b, NFT_SOCKET_MARK);
	compare_bit(b, t);
}

static void term_packet_mark(struct builder *b, const struct ruleset_term *t)
{
	meta(b, NFT_META_MARK);
	compare_bit(b, t);
}

static void term_counter(struct builder *b, const struct ruleset_term *t)
{
	struct nftnl_expr *e = add(b, "counter");

	(void)t;
	if (e == NULL)
		return;
	nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_BYTES, 0);
}

static void term_zone(struct builder *b, const struct ruleset_term *t)
{
	uint16_t zone = (uint16_t)t->value;

	immediate(b, &zone, sizeof(zone));
	ct_set(b, NFT_CT_ZONE);
}

static void term_notrack(struct builder *b, const struct ruleset_term *t)
{
	(void)t;
	(void)add(b, "notrack");
}

/* ct state: invalid has its bit, untracked has one beside the states. */
static void term_ct_none(struct builder *b, const struct ruleset_term *t)
{
	static const uint32_t mask = NF_CT_STATE_INVALID_BIT |
				     NF_CT_STATE_UNTRACKED_BIT;
	static const uint32_t zero;

	(void)t;
	ct(b, NFT_CT_STATE);
	bitwise(b, &mask, &zero, sizeof(mask));
	compare(b, false, &zero, sizeof(zero));
}

static void term_ct_zone_is(struct builder *b, const struct ruleset_term *t)
{
	uint16_t zone = (uint16_t)t->value;

	ct(b, NFT_CT_ZONE);
	compare(b, true, &zone, sizeof(zone));
}

static void term_ct_protocol(struct builder *b, const struct ruleset_term *t)
{
	ct(b, NFT_CT_PROTOCOL);
	compare_u8(b, (uint8_t)t->value);
}

static void term_ct_original(struct builder *b, const struct ruleset_term *t)
{
	(void)t;
	ct(b, NFT_CT_DIRECTION);
	compare_u8(b, IP_CT_DIR_ORIGINAL);
}

static void term_ct_bits(struct builder *b, const struct ruleset_term *t)
{
	static const uint32_t zero;

	ct(b, NFT_CT_MARK);
	bitwise(b, &t->value, &zero, sizeof(zero));
	compare(b, t->negate, &zero, sizeof(zero));
}

static void term_label_in(struct builder *b, const struct ruleset_term *t)
{
	static const uint32_t mask = LABEL_MASK, zero;

	ct(b, NFT_CT_MARK);
	bitwise(b, &mask, &zero, sizeof(mask));
	(void)lookup(b, t);
}

/* What is more than the rate matches; the burst comes on top of a second's. */
static void put_limit(struct nftnl_expr *e, uint64_t rate)
{
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, 0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKT_BYTES);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
}

static void term_limit(struct builder *b, const struct ruleset_term *t)
{
	struct nftnl_expr *e = add(b, "limit");

	if (e != NULL)
		put_limit(e, t->rate);
}

/* A limit of its own for each address. */
static void term_meter(struct builder *b, const struct ruleset_term *t)
{
	struct nftnl_expr *e, *limit;

	load_address(b, t, t->kind == TERM_METER_SADDR);
	e = add(b, "dynset");
	limit = nftnl_expr_alloc("limit");
	if (e == NULL || limit == NULL) {
		if (limit != NULL)
			nftnl_expr_free(limit);
		b->err = -ENOMEM;
		return;
	}
	put_limit(limit, t->rate);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, 0); /* the set's own */
	if (nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME,
			       b->rs->sets[t->set].name) == -1)
		b->err = -ENOMEM;
	/* @e owns it from here on */
	nftnl_expr_set(e, NFTNL_EXPR_DYNSET_EXPR, limit, 0);
}

static void term_ct_unmarked(struct builder *b, const struct ruleset_term *t)
{
	static const uint32_t zero;

	(void)t;
	ct(b, NFT_CT_MARK);
	compare(b, true, &zero, sizeof(zero));
}

/*
 * Whatever the byte is, it is at least 0; what the rule asks is whether there
 * is one. Linux 5.18 and later know where the payload starts.
 */
static void term_payload(struct builder *b, const struct ruleset_term *t)
{
	static const uint8_t least;

	(void)t;
	payload(b, NFT_PAYLOAD_INNER_HEADER, 0, sizeof(least));
	compare_by(b, NFT_CMP_GTE, &least, sizeof(least));
}

static void term_ct_set_bit(struct builder *b, const struct ruleset_term *t)
{
	uint32_t keep = ~t->value;

	ct(b, NFT_CT_MARK);
	bitwise(b, &keep, &t->value, sizeof(keep));
	ct_set(b, NFT_CT_MARK);
}

/* Two bytes at a time, as the checksum goes over such; bytes 12 and 13. */
static void term_make_rst(struct builder *b, const struct ruleset_term *t)
{
	static const uint8_t keep[] = {0xff, 0}, flip[] = {0, TH_RST};
	struct nftnl_expr *e;

	(void)t;
	need_tcp(b);
	payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET - 1,
		sizeof(keep));
	bitwise(b, keep, flip, sizeof(keep));
	e = add(b, "payload");
	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE,
			   NFT_PAYLOAD_TRANSPORT_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, TCP_FLAGS_OFFSET - 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, sizeof(keep));
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_TYPE,
			   NFT_PAYLOAD_CSUM_INET);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, TCP_CSUM_OFFSET);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_FLAGS, 0);
}

static void term_label(struct builder *b, const struct ruleset_term *t)
{
	uint32_t bits = t->value << LABEL_SHIFT;
	uint32_t keep = ~(LABEL_MASK | LABEL_HINT);

	ct(b, NFT_CT_MARK);
	bitwise(b, &keep, &bits, sizeof(bits));
	ct_set(b, NFT_CT_MARK);
}

/* Parts of a key stand in registers of four bytes, one behind the other. */
static void term_hint(struct builder *b, const struct ruleset_term *t)
{
	bool v6 = b->rs->sets[t->set].type == SET_TYPE_SERVER6;
	size_t at = v6 ? offsetof(struct ip6_hdr, ip6_dst)
		       : offsetof(struct iphdr, daddr);
	struct nftnl_expr *e;

	need_family(b, v6);
	payload(b, NFT_PAYLOAD_NETWORK_HEADER, at, v6 ? 16 : 4);
	meta_to(b, NFT_META_L4PROTO, v6 ? NFT_REG_2 : NFT_REG32_01);
	payload_to(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2,
		   v6 ? NFT_REG32_05 : NFT_REG32_02);
	e = lookup(b, t);
	if (e != NULL)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
	ct_set(b, NFT_CT_MARK);
}

/*
 * xt_NFQUEUE.h, revision 3 (Linux 3.10). The kernel wants the size rounded up
 * to XT_ALIGN(); libnftnl frees the memory.
 */
static void queue_target(struct builder *b, const struct ruleset_term *t)
{
	struct xt_NFQ_info_v3 *info = calloc(1, NFT_EXPR_NFQ_SIZE);
	struct nftnl_expr *e = add(b, "target");

	if (info == NULL || e == NULL) {
		b->err = -ENOMEM;
		free(info);
		return;
	}
	info->queuenum = (uint16_t)t->value;
	info->queues_total = (uint16_t)t->total;
	info->flags = NFQ_FLAG_BYPASS;
	if (t->total > 1)
		info->flags |= NFQ_FLAG_CPU_FANOUT;
	nftnl_expr_set_u32(e, NFTNL_EXPR_TG_REV, 3);
	if (nftnl_expr_set_str(e, NFTNL_EXPR_TG_NAME, "NFQUEUE") == -1 ||
	    nftnl_expr_set(e, NFTNL_EXPR_TG_INFO, info, NFT_EXPR_NFQ_SIZE) ==
		    -1) {
		b->err = -ENOMEM;
		free(info);
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is libnftnl's now */
}

static void term_queue(struct builder *b, const struct ruleset_term *t)
{
	uint16_t flags = NFT_QUEUE_FLAG_BYPASS;
	struct nftnl_expr *e;

	if (b->rs->queue == QUEUE_TARGET) {
		queue_target(b, t);
		return;
	}
	e = add(b, "queue");
	if (e == NULL)
		return;
	if (t->total > 1)
		flags |= NFT_QUEUE_FLAG_CPU_FANOUT;
	nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_NUM, (uint16_t)t->value);
	nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_TOTAL, (uint16_t)t->total);
	nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_FLAGS, flags);
}

static void term_set_bit(struct builder *b, const struct ruleset_term *t)
{
	uint32_t keep = ~t->value;
	struct nftnl_expr *e;

	meta(b, NFT_META_MARK);
	bitwise(b, &keep, &t->value, sizeof(keep));
	e = add(b, "meta");
	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

/* Without an address: the listener on the wildcard address is found. */
static void term_tproxy(struct builder *b, const struct ruleset_term *t)
{
	uint16_t port = htons((uint16_t)t->value);
	struct nftnl_expr *e;

	immediate(b, &port, sizeof(port));
	e = add(b, "tproxy");
	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_TPROXY_FAMILY,
			   t->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(e, NFTNL_EXPR_TPROXY_REG_PORT, NFT_REG_1);
}

static void term_verdict(struct builder *b, const struct ruleset_term *t)
{
	if (t->kind == TERM_ACCEPT)
		verdict(b, NF_ACCEPT, NULL);
	else if (t->kind == TERM_DROP)
		verdict(b, NF_DROP, NULL);
	else if (t->kind == TERM_RETURN)
		verdict(b, NFT_RETURN, NULL);
	else
		verdict(b, NFT_JUMP, t->chain);
}

static void term_reject(struct builder *b, const struct ruleset_term *t)
{
	struct nftnl_expr *e = add(b, "reject");
	uint32_t type = NFT_REJECT_ICMPX_UNREACH;
	uint8_t code = 0;

	if (e == NULL)
		return;
	if (t->kind == TERM_RESET)
		type = NFT_REJECT_TCP_RST;
	else if (t->kind == TERM_PROHIBITED)
		code = NFT_REJECT_ICMPX_ADMIN_PROHIBITED;
	else
		code = NFT_REJECT_ICMPX_PORT_UNREACH;
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

typedef void (*term_fn)(struct builder *b, const struct ruleset_term *t);

static const term_fn writers[TERM_COUNT] = {
	[TERM_IIFNAME] = term_iifname,
	[TERM_OIFNAME] = term_oifname,
	[TERM_NFPROTO] = term_nfproto,
	[TERM_L4PROTO] = term_l4proto,
	[TERM_L4PROTO_IS] = term_l4proto_is,
	[TERM_SADDR] = term_address,
	[TERM_DADDR] = term_address,
	[TERM_PAIR_CLIENT] = term_pair,
	[TERM_PAIR_SERVER] = term_pair,
	[TERM_TCP_SPORT] = term_port,
	[TERM_TCP_DPORT] = term_port,
	[TERM_TCP_DPORT_IS] = term_port_is,
	[TERM_TCP_FLAGS] = term_flags,
	[TERM_TO_GATEWAY] = term_to_gateway,
	[TERM_SOCKET_TRANSPARENT] = term_transparent,
	[TERM_SOCKET_BOUND] = term_bound,
	[TERM_SOCKET_MARK] = term_socket_mark,
	[TERM_PACKET_MARK] = term_packet_mark,
	[TERM_CT_NONE] = term_ct_none,
	[TERM_CT_ZONE_IS] = term_ct_zone_is,
	[TERM_CT_PROTOCOL] = term_ct_protocol,
	[TERM_CT_ORIGINAL] = term_ct_original,
	[TERM_CT_BITS] = term_ct_bits,
	[TERM_CT_UNMARKED] = term_ct_unmarked,
	[TERM_LABEL_IN] = term_label_in,
	[TERM_UDP_DPORT_IS] = term_port_is,
	[TERM_TCP_RST] = term_rst,
	[TERM_LIMIT] = term_limit,
	[TERM_METER_SADDR] = term_meter,
	[TERM_METER_DADDR] = term_meter,
	[TERM_PAYLOAD] = term_payload,
	[TERM_COUNTER] = term_counter,
	[TERM_ZONE] = term_zone,
	[TERM_NOTRACK] = term_notrack,
	[TERM_SET_BIT] = term_set_bit,
	[TERM_CT_SET_BIT] = term_ct_set_bit,
	[TERM_MAKE_RST] = term_make_rst,
	[TERM_LABEL] = term_label,
	[TERM_HINT] = term_hint,
	[TERM_QUEUE] = term_queue,
	[TERM_TPROXY] = term_tproxy,
	[TERM_ACCEPT] = term_verdict,
	[TERM_RETURN] = term_verdict,
	[TERM_JUMP] = term_verdict,
	[TERM_DROP] = term_verdict,
	[TERM_RESET] = term_reject,
	[TERM_PROHIBITED] = term_reject,
	[TERM_UNREACHABLE] = term_reject,
};

int nft_expr_rule(struct nftnl_rule *r, const struct ruleset *rs,
		  const struct ruleset_rule *rule)
{
	struct builder b = {.rule = r, .rs = rs};

	for (uint32_t i = 0; i < rule->count && b.err == 0; i++)
		writers[rule->terms[i].kind](&b, &rule->terms[i]);
	return b.err;
}
