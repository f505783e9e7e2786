// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/ctlabel.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

#include "render/marks.h"

#define MESSAGE_TYPE ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW)

/* Nobody waits for answers by number: it says which way round this one is. */
#define SEQ_AS_SEEN 1
#define SEQ_TURNED  2

static void put_addresses(struct nlmsghdr *nlh, const struct ctlabel *l)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	bool v6 = l->src.addr.family == AF_INET6;
	size_t n = ip_addr_len(&l->src.addr);

	mnl_attr_put(nlh, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, n,
		     l->src.addr.bytes);
	mnl_attr_put(nlh, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, n,
		     l->dst.addr.bytes);
	mnl_attr_nest_end(nlh, nest);
}

static void put_ports(struct nlmsghdr *nlh, const struct ctlabel *l)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);

	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, l->protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(l->src.port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(l->dst.port));
	mnl_attr_nest_end(nlh, nest);
}

/*
 * CTA_TUPLE_ORIG only says where the tuple stands; the kernel looks in both
 * directions. No CTA_ZONE: without one it is zone 0, and a kernel without zones
 * refuses the attribute. No NLM_F_CREATE: a connection is never made up.
 */
static size_t put(void *buf, const struct ctlabel *l, uint32_t seq)
{
	struct nlmsghdr *nlh;
	struct nfgenmsg *nfg;
	struct nlattr *nest;

	/* libmnl leaves what it aligns with as it was. */
	memset(buf, 0, CTLABEL_MAX);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = MESSAGE_TYPE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = l->src.addr.family;
	nfg->version = NFNETLINK_V0;
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	put_addresses(nlh, l);
	put_ports(nlh, l);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(l->bits));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(LABEL_MASK | LABEL_HINT));
	return nlh->nlmsg_len;
}

size_t ctlabel_put(void *buf, const struct ctlabel *label)
{
	if (ip_addr_len(&label->src.addr) == 0 ||
	    label->src.addr.family != label->dst.addr.family ||
	    (label->bits & ~(LABEL_MASK | LABEL_HINT)) != 0)
		return 0;
	return put(buf, label, SEQ_AS_SEEN);
}

bool ctlabel_is(const struct nlmsghdr *msg)
{
	return msg->nlmsg_type == MESSAGE_TYPE;
}

/* --- reading one back ----------------------------------------------------------- */

/* Attributes by their numbers, where they have the length that we give them. */
struct found {
	const struct nlattr *attr[CTA_MAX + 1];
	int max;
};

static int find(const struct nlattr *attr, void *arg)
{
	struct found *f = arg;

	if (mnl_attr_get_type(attr) <= f->max)
		f->attr[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static bool take(const struct nlattr *attr, void *dst, size_t n)
{
	if (attr == NULL || mnl_attr_get_payload_len(attr) != n)
		return false;
	memcpy(dst, mnl_attr_get_payload(attr), n);
	return true;
}

static bool take_addresses(const struct nlattr *nest, struct ctlabel *l)
{
	struct found f = {.max = CTA_IP_MAX};
	bool v6 = l->src.addr.family == AF_INET6;
	size_t n = ip_addr_len(&l->src.addr);

	return n > 0 && nest != NULL &&
	       mnl_attr_parse_nested(nest, find, &f) == MNL_CB_OK &&
	       take(f.attr[v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC],
		    l->src.addr.bytes, n) &&
	       take(f.attr[v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST],
		    l->dst.addr.bytes, n);
}

static bool take_ports(const struct nlattr *nest, struct ctlabel *l)
{
	struct found f = {.max = CTA_PROTO_MAX};

	if (nest == NULL ||
	    mnl_attr_parse_nested(nest, find, &f) != MNL_CB_OK ||
	    !take(f.attr[CTA_PROTO_NUM], &l->protocol, 1) ||
	    !take(f.attr[CTA_PROTO_SRC_PORT], &l->src.port, 2) ||
	    !take(f.attr[CTA_PROTO_DST_PORT], &l->dst.port, 2))
		return false;
	l->src.port = ntohs(l->src.port);
	l->dst.port = ntohs(l->dst.port);
	return true;
}

static bool read_back(const struct nlmsghdr *msg, struct ctlabel *l)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(msg);
	struct found f = {.max = CTA_MAX}, tuple = {.max = CTA_TUPLE_MAX};

	memset(l, 0, sizeof(*l));
	l->src.addr.family = nfg->nfgen_family;
	l->dst.addr.family = nfg->nfgen_family;
	if (mnl_attr_parse(msg, sizeof(*nfg), find, &f) != MNL_CB_OK ||
	    f.attr[CTA_TUPLE_ORIG] == NULL ||
	    mnl_attr_parse_nested(f.attr[CTA_TUPLE_ORIG], find, &tuple) !=
		    MNL_CB_OK ||
	    !take_addresses(tuple.attr[CTA_TUPLE_IP], l) ||
	    !take_ports(tuple.attr[CTA_TUPLE_PROTO], l) ||
	    !take(f.attr[CTA_MARK], &l->bits, sizeof(l->bits)))
		return false;
	l->bits = ntohl(l->bits);
	return (l->bits & ~(LABEL_MASK | LABEL_HINT)) == 0;
}

size_t ctlabel_turn(void *buf, const struct nlmsghdr *msg, size_t msg_len)
{
	struct ip_endpoint src;
	struct ctlabel l;

	if (msg_len < sizeof(*msg) + sizeof(struct nfgenmsg) ||
	    msg->nlmsg_len > msg_len || !ctlabel_is(msg) ||
	    msg->nlmsg_len < sizeof(*msg) + sizeof(struct nfgenmsg) ||
	    msg->nlmsg_seq != SEQ_AS_SEEN || !read_back(msg, &l))
		return 0;
	src = l.src;
	l.src = l.dst;
	l.dst = src;
	return put(buf, &l, SEQ_TURNED);
}
